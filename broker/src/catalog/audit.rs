//! Audit entries: who did what to which object, what it was before and after, from where, when.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::name::Name;
use super::resource::Resource;
use crate::ids;

/// An entry of the audit log, as it is stored and shown.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct AuditEntry {
    /// `aud_…`.
    pub id: String,
    /// When, to the millisecond.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// To what.
    pub object: AuditObject,
    /// As it was; secrets are fingerprints of what is stored, long texts too. `None` where there was nothing.
    pub before: Option<Value>,
    /// As it is since.
    pub after: Option<Value>,
    /// Where the request came from; `None` where there was none.
    pub address: Option<IpAddr>,
}

/// Who did something.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Actor {
    /// What the actor is.
    pub kind: ActorKind,
    /// Name of the token, id of the user, and so on.
    pub name: String,
    /// The organization that a token is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Name>,
}

/// What an actor is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A command that opened the database itself.
    Cli,
    /// A client that registers itself: the holder of an initial access token, or of its own registration's.
    Registration,
    /// The broker by itself, on its schedule.
    Schedule,
    /// A customer's administrator with a set-up ticket.
    Setup,
    /// The holder of a token of the management API.
    Token,
    /// A user who signed in.
    User,
}

/// What was done.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    Created,
    Deleted,
    LogoutDelivered,
    LogoutFailed,
    Retired,
    Rotated,
    SignedIn,
    SignedOut,
    TurnedAway,
    Updated,
}

/// What an entry is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuditObject {
    /// A kind of catalog object, `signing key`, `session`, or [`LOGIN`].
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name; the id where it has none.
    pub name: String,
}

/// The kind of entries about logins.
pub const LOGIN: &str = "login";

/// Who is about to change something: everything of an entry that does not depend on the change.
#[derive(Clone, Debug)]
pub struct Author {
    /// The entry's id.
    pub id: String,
    /// Who.
    pub actor: Actor,
    /// From where.
    pub address: Option<IpAddr>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Texts that are longer stand in an entry as their fingerprint: metadata documents have megabytes.
const LONGEST_TEXT: usize = 1024;

/// Parts of a member's name that mark its value as secret, however it is stored.
const SECRET: [&str; 6] = ["secret", "sealed", "sp_key", "password", "private", "token"];
/// Names that only sound like it.
const NOT_SECRET: [&str; 8] = [
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "token_lifetime_seconds",
    "refresh_token_lifetime_seconds",
    "refresh_token_idle_lifetime_seconds",
    "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens",
    "private_addresses",
];

impl Author {
    /// The entry of a change of an object.
    pub(super) fn changed<T: Resource>(
        self,
        action: Action,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Option<AuditEntry> {
        let object = after.or(before)?;
        let object = AuditObject {
            kind: T::KIND.to_owned(),
            id: object.id().to_owned(),
            name: object.name().to_owned(),
        };
        Some(self.entry(action, object, before.map(shown), after.map(shown)))
    }

    /// The entry.
    pub fn entry(
        self,
        action: Action,
        object: AuditObject,
        before: Option<Value>,
        after: Option<Value>,
    ) -> AuditEntry {
        let Self { id, actor, address, at } = self;
        AuditEntry { id, at, actor, action, object, before, after, address }
    }
}

impl Actor {
    /// Of this kind, with this name.
    pub fn new(kind: ActorKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), organization: None }
    }
}

/// The document without what must not be shown.
fn shown<T: Serialize>(object: &T) -> Value {
    let mut document = serde_json::to_value(object).unwrap_or(Value::Null);
    redact(&mut document);
    document
}

/// A changed secret shows as a changed fingerprint. What is stored is sealed, or a hash of 256 random bits, so the
/// fingerprint of it says nothing about the secret.
fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if is_secret(name) && !member.is_null() {
                    *member = json!(format!("secret {}", fingerprint(&member.to_string())));
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::String(text) if text.len() > LONGEST_TEXT => {
            *text = format!("{} bytes, sha256 {}", text.len(), ids::sha256_hex(text));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part)) && !NOT_SECRET.contains(&name.as_str())
}

fn fingerprint(stored: &str) -> String {
    ids::sha256_hex(stored).chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_become_fingerprints_wherever_they_stand_and_long_texts_digests() {
        let mut document = json!({
            "name": "a", "sealed_client_secret": "c2VhbGVk", "token_endpoint_auth_method": "none",
            "secrets": [{"sha256": "00ff"}], "options": {"sp_key": {"sealed": "k"}, "password": null},
            "metadata_xml": "x".repeat(1025), "display_name": "x".repeat(1024),
        });
        let other = {
            let mut other = json!({"sealed_client_secret": "b3RoZXI"});
            redact(&mut other);
            other
        };

        redact(&mut document);

        let text = document.to_string();
        assert!(!text.contains("c2VhbGVk") && !text.contains("00ff"), "{text}");
        assert_eq!(document["name"], "a");
        assert_eq!(document["token_endpoint_auth_method"], "none");
        assert_eq!(document["options"]["password"], Value::Null);
        assert!(document["options"]["sp_key"].as_str().unwrap().starts_with("secret "));
        assert!(document["metadata_xml"].as_str().unwrap().starts_with("1025 bytes, sha256 "));
        assert_eq!(document["display_name"].as_str().unwrap().len(), 1024);
        assert_ne!(document["sealed_client_secret"], other["sealed_client_secret"]);
    }
}
