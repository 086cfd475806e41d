//! Home realm: which connection signs this user in. A pure function of facts; it never depends on whether a user exists.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::access::may_use;
use crate::catalog::{Client, ClientKind, Connection, Name, Organization};

/// Everything that the decision may look at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The client that asks.
    pub client: Arc<Client>,
    /// The `connection` parameter.
    pub connection: Asked<Candidate>,
    /// The `organization` parameter.
    pub organization: Asked<Asking>,
    /// The e-mail domain, from `login_hint` or from the form.
    pub email: EmailFact,
    /// The connection that this browser used last.
    pub remembered: Option<Candidate>,
    /// Where the client's users of unknown domains go.
    pub otherwise: Vec<Candidate>,
}

/// A parameter that names an object.
#[derive(Clone, Debug)]
pub enum Asked<T> {
    /// Not sent.
    Absent,
    /// Sent, and there is no such object.
    Unknown,
    /// Sent, and found.
    Found(T),
}

/// An organization that was asked for, with its connections.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The organization.
    pub organization: Arc<Organization>,
    /// The connections that it owns.
    pub connections: Vec<Arc<Connection>>,
}

/// A connection and what its organization says about it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The connection.
    pub connection: Arc<Connection>,
    /// Its organization is enabled, or it has none.
    pub organization_enabled: bool,
}

/// What is known of the e-mail address.
#[derive(Clone, Debug)]
pub enum EmailFact {
    /// No address, or a hint that is none.
    Absent,
    /// The connections of the pattern that fits its domain best, enabled or not.
    Domain(Vec<Candidate>),
}

/// What to do, and why.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Ask for the e-mail address.
    Ask(AskReason),
    /// Let the user choose among two or more.
    Choose(Vec<Arc<Connection>>, Reason),
    /// Go to this one.
    Connection(Arc<Connection>, Reason),
    /// The request cannot be served as it stands.
    Refused(Refusal),
    /// Ask for the e-mail address, and offer this one beside it.
    Suggest(Arc<Connection>, Reason),
}

/// What the decision rests on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The `connection` parameter.
    ConnectionParameter,
    /// The domain of the e-mail address.
    EmailDomain,
    /// The `organization` parameter.
    OrganizationParameter,
    /// The domain leads nowhere, and the client says where its users go then.
    Otherwise,
    /// This browser's last login.
    Remembered,
}

/// Why the e-mail address is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AskReason {
    /// Nothing says where the user belongs.
    NothingKnown,
    /// The domain leads to no connection that this client may use.
    UnknownDomain,
}

/// Why a request cannot be served (RULES 23). Foreign and unknown are one and the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// `connection` belongs to another organization than `organization`.
    Conflict,
    /// No such connection, or not for this client.
    UnknownConnection,
    /// No such organization, or not for this client.
    UnknownOrganization,
}

impl Reason {
    /// Stable word for the trace and the simulation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionParameter => "connection_parameter",
            Self::EmailDomain => "email_domain",
            Self::OrganizationParameter => "organization_parameter",
            Self::Otherwise => "otherwise_connections",
            Self::Remembered => "remembered",
        }
    }
}

impl AskReason {
    /// Stable word for the trace and the simulation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NothingKnown => "nothing_known",
            Self::UnknownDomain => "unknown_domain",
        }
    }
}

impl Refusal {
    /// Stable code for the trace and the simulation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Conflict => "connection_organization_conflict",
            Self::UnknownConnection => "connection_unknown",
            Self::UnknownOrganization => "organization_unknown",
        }
    }
}

/// Order: `connection`, `organization`, the e-mail's domain or else where the client sends unknown ones, remembered, ask
/// (DESIGN §2). What is remembered proves nothing, so it is offered and never followed.
pub fn decide(facts: &Facts) -> Decision {
    let organization = match organization(facts) {
        Ok(organization) => organization,
        Err(refusal) => return Decision::Refused(refusal),
    };
    match &facts.connection {
        Asked::Unknown => return Decision::Refused(Refusal::UnknownConnection),
        Asked::Found(candidate) => return by_parameter(&facts.client, candidate, organization),
        Asked::Absent => {}
    }
    let by_domain = by_domain(facts, organization);
    if let Some(asking) = organization
        && let Some(decision) = by_organization(&facts.client, asking, &by_domain)
    {
        return decision;
    }
    if let Some(decision) = one_or_choice(by_domain, Reason::EmailDomain) {
        return decision;
    }
    match &facts.email {
        EmailFact::Domain(_) => {
            let otherwise = usable(facts, &facts.otherwise, organization);
            one_or_choice(otherwise, Reason::Otherwise)
                .unwrap_or(Decision::Ask(AskReason::UnknownDomain))
        }
        EmailFact::Absent => {
            remembered(facts, organization).unwrap_or(Decision::Ask(AskReason::NothingKnown))
        }
    }
}

/// An organization that this client has nothing to do with is answered like one that does not exist.
fn organization(facts: &Facts) -> Result<Option<&Asking>, Refusal> {
    let asking = match &facts.organization {
        Asked::Absent => return Ok(None),
        Asked::Unknown => return Err(Refusal::UnknownOrganization),
        Asked::Found(asking) => asking,
    };
    let name = &asking.organization.name;
    let known = match &facts.client.kind {
        ClientKind::FirstParty { organization: None } => true,
        ClientKind::FirstParty { organization: Some(own) } => own == name,
        ClientKind::ThirdParty { organization: own } => {
            own == name || !usable_of(&facts.client, asking).is_empty()
        }
    };
    if known && asking.organization.enabled {
        Ok(Some(asking))
    } else {
        Err(Refusal::UnknownOrganization)
    }
}

fn by_parameter(client: &Client, candidate: &Candidate, asking: Option<&Asking>) -> Decision {
    if !may_use(client, candidate) {
        return Decision::Refused(Refusal::UnknownConnection);
    }
    if !fits(&candidate.connection, asking) {
        return Decision::Refused(Refusal::Conflict);
    }
    Decision::Connection(candidate.connection.clone(), Reason::ConnectionParameter)
}

/// The organization's own connections, narrowed by the e-mail's domain where that helps. `None`: it has none of its own,
/// so its users come through shared ones.
fn by_organization(
    client: &Client,
    asking: &Asking,
    by_domain: &[Arc<Connection>],
) -> Option<Decision> {
    let own = usable_of(client, asking);
    if own.is_empty() {
        return None;
    }
    let narrowed: Vec<_> = own.iter().filter(|c| by_domain.contains(c)).cloned().collect();
    one_or_choice(narrowed, Reason::OrganizationParameter)
        .or_else(|| one_or_choice(own, Reason::OrganizationParameter))
}

fn by_domain(facts: &Facts, asking: Option<&Asking>) -> Vec<Arc<Connection>> {
    let EmailFact::Domain(candidates) = &facts.email else { return Vec::new() };
    usable(facts, candidates, asking)
}

fn usable(
    facts: &Facts,
    candidates: &[Candidate],
    asking: Option<&Asking>,
) -> Vec<Arc<Connection>> {
    let usable = candidates.iter().filter(|c| may_use(&facts.client, c));
    usable.map(|c| c.connection.clone()).filter(|c| fits(c, asking)).collect()
}

fn remembered(facts: &Facts, asking: Option<&Asking>) -> Option<Decision> {
    let candidate = facts.remembered.as_ref()?;
    (may_use(&facts.client, candidate) && fits(&candidate.connection, asking))
        .then(|| Decision::Suggest(candidate.connection.clone(), Reason::Remembered))
}

/// A shared connection serves every organization; an owned one serves its owner.
fn fits(connection: &Connection, asking: Option<&Asking>) -> bool {
    let owner: Option<&Name> = connection.organization.as_ref();
    match (owner, asking) {
        (Some(owner), Some(asking)) => *owner == asking.organization.name,
        (None, _) | (_, None) => true,
    }
}

fn usable_of(client: &Client, asking: &Asking) -> Vec<Arc<Connection>> {
    let organization_enabled = asking.organization.enabled;
    let usable = |c: &&Arc<Connection>| {
        may_use(client, &Candidate { connection: (*c).clone(), organization_enabled })
    };
    asking.connections.iter().filter(usable).cloned().collect()
}

fn one_or_choice(mut connections: Vec<Arc<Connection>>, reason: Reason) -> Option<Decision> {
    match connections.len() {
        0 => None,
        1 => connections.pop().map(|only| Decision::Connection(only, reason)),
        _ => Some(Decision::Choose(connections, reason)),
    }
}
