//! Keys as words, for other nodes: `["object", "client", "cli_…"]`.

use super::Key;
use crate::catalog::{
    ApiToken, Client, ClientGrant, Connection, DefaultFor, IdentityMigration, Invitation,
    Organization, PasswordAccount, RegistrationToken, Resource, ResourceServer, SubjectType, User,
};

const KINDS: [&str; 11] = [
    ApiToken::KIND,
    Client::KIND,
    ClientGrant::KIND,
    Connection::KIND,
    IdentityMigration::KIND,
    Invitation::KIND,
    Organization::KIND,
    PasswordAccount::KIND,
    RegistrationToken::KIND,
    ResourceServer::KIND,
    User::KIND,
];

impl Key {
    /// The words that [`Self::from_words`] reads.
    pub(in crate::catalog) fn words(&self) -> Vec<&str> {
        match self {
            Self::AnyConsent => vec!["any_consent"],
            Self::AnyDomain => vec!["any_domain"],
            Self::ConnectionsForDomain(domain) => vec!["connections_for_domain", domain],
            Self::ConnectionsOf(organization) => vec!["connections_of", organization],
            Self::Consent(user, client) => vec!["consent", user, client],
            Self::DefaultGrant(kind, audience, SubjectType::Client) => {
                vec!["default_client_grant", kind.as_str(), audience]
            }
            Self::DefaultGrant(kind, audience, SubjectType::User) => {
                vec!["default_user_grant", kind.as_str(), audience]
            }
            Self::DefaultResourceServer => vec!["default_resource_server"],
            Self::Grant(client, audience, SubjectType::Client) => {
                vec!["client_grant", client, audience]
            }
            Self::Grant(client, audience, SubjectType::User) => {
                vec!["user_grant", client, audience]
            }
            Self::GrantsOf(client) => vec!["grants_of", client],
            Self::HolderOfDomain(domain) => vec!["holder_of_domain", domain],
            Self::Identity(digest) => vec!["identity", digest],
            Self::InvitationsOf(whom) => vec!["invitations_of", whom],
            Self::MigrationsTo(connection) => vec!["migrations_to", connection],
            Self::Object(kind, id_or_name) => vec!["object", kind, id_or_name],
            Self::SigningKeys => vec!["signing_keys"],
        }
    }

    /// `None` for words that this version does not know.
    pub(in crate::catalog) fn from_words(words: &[String]) -> Option<Self> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let own = |text: &str| text.to_owned();
        Some(match *words.as_slice() {
            ["any_consent"] => Self::AnyConsent,
            ["any_domain"] => Self::AnyDomain,
            ["connections_for_domain", domain] => Self::ConnectionsForDomain(own(domain)),
            ["connections_of", organization] => Self::ConnectionsOf(own(organization)),
            ["consent", user, client] => Self::Consent(own(user), own(client)),
            ["default_client_grant", kind, audience] => {
                Self::DefaultGrant(default_for(kind)?, own(audience), SubjectType::Client)
            }
            ["default_user_grant", kind, audience] => {
                Self::DefaultGrant(default_for(kind)?, own(audience), SubjectType::User)
            }
            ["default_resource_server"] => Self::DefaultResourceServer,
            ["client_grant", client, audience] => {
                Self::Grant(own(client), own(audience), SubjectType::Client)
            }
            ["user_grant", client, audience] => {
                Self::Grant(own(client), own(audience), SubjectType::User)
            }
            ["grants_of", client] => Self::GrantsOf(own(client)),
            ["holder_of_domain", domain] => Self::HolderOfDomain(own(domain)),
            ["identity", digest] => Self::Identity(own(digest)),
            ["invitations_of", whom] => Self::InvitationsOf(own(whom)),
            ["migrations_to", connection] => Self::MigrationsTo(own(connection)),
            ["object", kind, id_or_name] => {
                let kind = KINDS.into_iter().find(|known| *known == kind)?;
                Self::Object(kind, own(id_or_name))
            }
            ["signing_keys"] => Self::SigningKeys,
            _ => return None,
        })
    }
}

fn default_for(kind: &str) -> Option<DefaultFor> {
    [DefaultFor::ThirdPartyClients].into_iter().find(|known| known.as_str() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_key() -> Vec<Key> {
        let text = || "a".to_owned();
        let mut keys = vec![
            Key::AnyConsent,
            Key::AnyDomain,
            Key::ConnectionsForDomain(text()),
            Key::ConnectionsOf(text()),
            Key::Consent(text(), "b".to_owned()),
            Key::DefaultGrant(DefaultFor::ThirdPartyClients, text(), SubjectType::Client),
            Key::DefaultGrant(DefaultFor::ThirdPartyClients, text(), SubjectType::User),
            Key::DefaultResourceServer,
            Key::Grant(text(), "b".to_owned(), SubjectType::Client),
            Key::Grant(text(), "b".to_owned(), SubjectType::User),
            Key::GrantsOf(text()),
            Key::HolderOfDomain(text()),
            Key::Identity(text()),
            Key::InvitationsOf(text()),
            Key::MigrationsTo(text()),
            Key::SigningKeys,
        ];
        keys.extend(KINDS.map(|kind| Key::Object(kind, text())));
        keys
    }

    #[test]
    fn every_key_comes_back_from_its_words() {
        for key in every_key() {
            let words: Vec<String> = key.words().into_iter().map(str::to_owned).collect();
            assert_eq!(Key::from_words(&words), Some(key));
        }
    }

    #[test]
    fn words_of_a_later_version_are_no_key() {
        for words in [vec![], vec!["object", "dragon", "x"], vec!["identity"], vec!["other", "x"]] {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            assert_eq!(Key::from_words(&words), None);
        }
    }
}
