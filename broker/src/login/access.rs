//! Which connections a client may use, and what keeps it from one: one rule for the start of a login, its end, every grant
//! and the home realm (DESIGN §2).

#[cfg(test)]
mod tests;

use super::home_realm::{Asked, Candidate, Facts};
use crate::catalog::{Client, ClientKind, Connection};

/// What keeps a client from a connection. The browser is never told (RULES 23); the trace and the simulation name the
/// setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closed {
    /// The client is disabled.
    ClientDisabled,
    /// The connection is disabled.
    Disabled,
    /// There is no such connection any more.
    Gone,
    /// The client's own list does not name the connection.
    NotListedByClient,
    /// The connection's own list does not name the client.
    NotListedByConnection,
    /// It is another organization's, or nobody's, and not open to third-party clients.
    NotPromoted,
    /// It is open to third-party clients, but not to those of this client's organization.
    NotPromotedHere,
    /// The connection's organization is disabled.
    OrganizationDisabled,
    /// The first-party client is tied to an organization, and the connection is another's.
    OtherOrganization,
}

/// Why this client may not use this connection now, if it may not: both lists, ownership, and everything enabled.
pub fn closed(client: &Client, candidate: &Candidate) -> Option<Closed> {
    let connection = &candidate.connection;
    if !client.enabled {
        return Some(Closed::ClientDisabled);
    }
    if !connection.enabled {
        return Some(Closed::Disabled);
    }
    if !candidate.organization_enabled {
        return Some(Closed::OrganizationDisabled);
    }
    closed_between(client, connection)
}

/// Why the lists of both sides or ownership do not allow it, enabled or not.
pub fn closed_between(client: &Client, connection: &Connection) -> Option<Closed> {
    if !connection.lists_client(&client.client_id) {
        return Some(Closed::NotListedByConnection);
    }
    if client.connections.as_ref().is_some_and(|listed| !listed.contains(&connection.name)) {
        return Some(Closed::NotListedByClient);
    }
    closed_by_ownership(&client.kind, connection)
}

/// Third-party clients: their own organization's connections, and those that are open to it. A first-party client that is
/// tied to an organization: that one's and shared ones. Other first-party clients: all.
pub fn closed_by_ownership(kind: &ClientKind, connection: &Connection) -> Option<Closed> {
    let owner = connection.organization.as_ref();
    match kind {
        ClientKind::FirstParty { organization: None } => None,
        ClientKind::FirstParty { organization: Some(own) } => {
            owner.is_some_and(|owner| owner != own).then_some(Closed::OtherOrganization)
        }
        ClientKind::ThirdParty { organization: own } if owner == Some(own) => None,
        ClientKind::ThirdParty { .. } if !connection.is_domain_connection => {
            Some(Closed::NotPromoted)
        }
        ClientKind::ThirdParty { organization: own } => {
            (!connection.is_promoted_to(own)).then_some(Closed::NotPromotedHere)
        }
    }
}

/// Whether this client may use this connection now.
pub fn may_use(client: &Client, candidate: &Candidate) -> bool {
    closed(client, candidate).is_none()
}

/// Whether the lists of both sides and ownership allow it, enabled or not.
pub fn is_open_to(client: &Client, connection: &Connection) -> bool {
    closed_between(client, connection).is_none()
}

/// What the refusal of the connection that was asked for says to the trace alone.
pub fn asked_for_closed(facts: &Facts) -> Option<Closed> {
    match &facts.connection {
        Asked::Found(candidate) => closed(&facts.client, candidate),
        Asked::Absent | Asked::Unknown => None,
    }
}

impl Closed {
    /// What would have to hold, for the trace.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::ClientDisabled => "an enabled client",
            Self::Disabled => "an enabled connection",
            Self::Gone => "a connection that exists",
            Self::NotListedByClient => "a connection of the client's own list, `connections`",
            Self::NotListedByConnection => "a client of the connection's own list, `clients`",
            Self::NotPromoted | Self::NotPromotedHere => {
                "a connection of the client's organization, or a domain connection that is open to it"
            }
            Self::OrganizationDisabled => "a connection of an enabled organization",
            Self::OtherOrganization => "a connection of the client's organization, or a shared one",
        }
    }

    /// How it is, for the trace and the simulation.
    pub const fn received(self) -> &'static str {
        match self {
            Self::ClientDisabled => "the client is disabled",
            Self::Disabled => "the connection is disabled",
            Self::Gone => "the connection is gone",
            Self::NotListedByClient => "`connections` of the client does not list it",
            Self::NotListedByConnection => "`clients` of the connection does not list this client",
            Self::NotPromoted => {
                "it is not of the client's organization and `is_domain_connection` is false"
            }
            Self::NotPromotedHere => {
                "`domain_connection_organizations` does not list the client's organization"
            }
            Self::OrganizationDisabled => "its organization is disabled",
            Self::OtherOrganization => "it belongs to another organization than the client",
        }
    }

    /// What an admin sets if it should be open, for the trace.
    pub const fn fix(self) -> &'static str {
        match self {
            Self::ClientDisabled => "If the client may sign users in, set its `enabled` to true.",
            Self::Disabled => "If the connection is to be used, set its `enabled` to true.",
            Self::Gone => "Make the connection again, or have the app ask for another.",
            Self::NotListedByClient => {
                "If the client may use it, add the connection's name to the client's `connections`."
            }
            Self::NotListedByConnection => {
                "If the client may use it, add its client_id to the connection's `clients`."
            }
            Self::NotPromoted => {
                "If other organizations' third-party clients may use it, set `is_domain_connection` on the connection; name the organizations in `domain_connection_organizations`."
            }
            Self::NotPromotedHere => {
                "If the client may use it, add its organization to the connection's `domain_connection_organizations`."
            }
            Self::OrganizationDisabled => {
                "If the organization's users may sign in, set its `enabled` to true."
            }
            Self::OtherOrganization => "Have the app ask for a connection of its own organization.",
        }
    }
}
