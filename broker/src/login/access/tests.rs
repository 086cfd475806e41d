use std::sync::Arc;

use super::super::fixtures::{client, name, saml};
use super::*;

/// A third-party client of Globex at a connection of Acme.
fn globex() -> Client {
    client(ClientKind::ThirdParty { organization: name("globex") })
}

fn promoted(to: &[&str]) -> Connection {
    let named = to.iter().map(|n| name(n)).collect();
    Connection { is_domain_connection: true, domain_connection_organizations: named, ..saml() }
}

#[test]
fn a_promotion_opens_a_connection_to_all_or_to_the_named_organizations() {
    assert_eq!(closed_between(&globex(), &promoted(&[])), None);
    assert_eq!(closed_between(&globex(), &promoted(&["initech", "globex"])), None);

    let elsewhere = promoted(&["initech"]);
    assert_eq!(closed_between(&globex(), &elsewhere), Some(Closed::NotPromotedHere));
    assert_eq!(closed_between(&globex(), &saml()), Some(Closed::NotPromoted));
}

#[test]
fn the_list_of_organizations_opens_nothing_by_itself() {
    let unpromoted = Connection { is_domain_connection: false, ..promoted(&["globex"]) };

    assert_eq!(closed_between(&globex(), &unpromoted), Some(Closed::NotPromoted));
}

#[test]
fn the_owners_client_and_first_party_clients_need_no_promotion() {
    let elsewhere = promoted(&["initech"]);
    let own = client(ClientKind::ThirdParty { organization: name("acme") });
    let ours = client(ClientKind::FirstParty { organization: None });

    assert_eq!(closed_between(&own, &elsewhere), None);
    assert_eq!(closed_between(&ours, &saml()), None);
    let tied = client(ClientKind::FirstParty { organization: Some(name("globex")) });
    assert_eq!(closed_between(&tied, &promoted(&[])), Some(Closed::OtherOrganization));
    assert_eq!(closed_between(&tied, &Connection { organization: None, ..saml() }), None);
}

#[test]
fn the_first_thing_in_the_way_is_named() {
    let candidate = |connection: Connection, organization_enabled| Candidate {
        connection: Arc::new(connection),
        organization_enabled,
    };
    let own = || client(ClientKind::ThirdParty { organization: name("acme") });
    let off = Client { enabled: false, ..own() };
    let narrow = Client { connections: Some(vec![name("other")]), ..own() };
    let listing = Connection { clients: vec!["other".to_owned()], ..saml() };
    let disabled = Connection { enabled: false, ..saml() };

    assert_eq!(closed(&own(), &candidate(saml(), true)), None);
    for (client, candidate, why) in [
        (off, candidate(saml(), true), Closed::ClientDisabled),
        (own(), candidate(disabled, true), Closed::Disabled),
        (own(), candidate(saml(), false), Closed::OrganizationDisabled),
        (own(), candidate(listing, true), Closed::NotListedByConnection),
        (narrow, candidate(saml(), true), Closed::NotListedByClient),
    ] {
        assert_eq!(closed(&client, &candidate), Some(why));
        assert!(!may_use(&client, &candidate));
    }
}
