use proptest::prelude::*;

use super::super::access::is_open_to;
use super::super::fixtures::{client, name, organization, saml};
use super::*;

/// Connections of two organizations and shared ones, by name.
fn named(called: &str) -> Arc<Connection> {
    let owner = match called {
        "acme-saml" | "acme-oidc" => Some(name("acme")),
        "globex-saml" | "globex-open" => Some(name("globex")),
        _ => None,
    };
    let is_domain_connection = matches!(called, "globex-open" | "google");
    Arc::new(Connection { name: name(called), organization: owner, is_domain_connection, ..saml() })
}

const ALL: [&str; 6] =
    ["acme-saml", "acme-oidc", "globex-saml", "globex-open", "google", "internal"];

fn candidate(called: &str) -> Candidate {
    Candidate { connection: named(called), organization_enabled: true }
}

fn asking(called: &str) -> Asked<Asking> {
    let owned = ALL.iter().map(|n| named(n));
    Asked::Found(Asking {
        organization: Arc::new(organization(called, &[])),
        connections: owned.filter(|c| c.organization == Some(name(called))).collect(),
    })
}

fn third_party(of: &str) -> Client {
    client(ClientKind::ThirdParty { organization: name(of) })
}

fn first_party(tied_to: Option<&str>) -> Client {
    client(ClientKind::FirstParty { organization: tied_to.map(name) })
}

fn facts(client: Client) -> Facts {
    Facts {
        client: Arc::new(client),
        connection: Asked::Absent,
        organization: Asked::Absent,
        email: EmailFact::Absent,
        remembered: None,
        otherwise: Vec::new(),
    }
}

fn in_words(decision: &Decision) -> String {
    match decision {
        Decision::Ask(reason) => format!("ask: {}", reason.as_str()),
        Decision::Choose(all, reason) => {
            let names: Vec<_> = all.iter().map(|c| c.name.as_str()).collect();
            format!("choose {}: {}", names.join("|"), reason.as_str())
        }
        Decision::Connection(only, reason) => format!("{}: {}", only.name, reason.as_str()),
        Decision::Suggest(only, reason) => format!("suggest {}: {}", only.name, reason.as_str()),
        Decision::Refused(refusal) => format!("refused: {}", refusal.code()),
    }
}

fn emails(names: &[&str]) -> EmailFact {
    EmailFact::Domain(names.iter().map(|n| candidate(n)).collect())
}

#[test]
fn the_first_fact_in_the_order_decides() {
    let none = || facts(first_party(None));
    let found = |n: &str| Asked::Found(candidate(n));
    let email = |names: &[&str]| Facts { email: emails(names), ..none() };
    let acme = |f: Facts| Facts { organization: asking("acme"), ..f };
    let cases = [
        (none(), "ask: nothing_known"),
        (email(&[]), "ask: unknown_domain"),
        (email(&["acme-saml"]), "acme-saml: email_domain"),
        (email(&["acme-saml", "acme-oidc"]), "choose acme-saml|acme-oidc: email_domain"),
        (Facts { remembered: Some(candidate("google")), ..none() }, "suggest google: remembered"),
        (
            Facts { remembered: Some(candidate("google")), ..email(&["acme-saml"]) },
            "acme-saml: email_domain",
        ),
        (Facts { remembered: Some(candidate("google")), ..email(&[]) }, "ask: unknown_domain"),
        (acme(none()), "choose acme-saml|acme-oidc: organization_parameter"),
        (acme(email(&["acme-oidc"])), "acme-oidc: organization_parameter"),
        (acme(email(&["google"])), "choose acme-saml|acme-oidc: organization_parameter"),
        (acme(email(&["globex-saml"])), "choose acme-saml|acme-oidc: organization_parameter"),
        (
            Facts { connection: found("internal"), ..email(&["acme-saml"]) },
            "internal: connection_parameter",
        ),
        (
            acme(Facts { connection: found("acme-oidc"), ..none() }),
            "acme-oidc: connection_parameter",
        ),
        (acme(Facts { connection: found("google"), ..none() }), "google: connection_parameter"),
        (
            acme(Facts { connection: found("globex-saml"), ..none() }),
            "refused: connection_organization_conflict",
        ),
        (Facts { connection: Asked::Unknown, ..none() }, "refused: connection_unknown"),
        (Facts { organization: Asked::Unknown, ..none() }, "refused: organization_unknown"),
    ];
    for (facts, expected) in cases {
        assert_eq!(in_words(&decide(&facts)), expected, "{facts:?}");
    }
}

#[test]
fn an_organization_without_connections_of_its_own_comes_through_shared_ones() {
    let initech = Asked::Found(Asking {
        organization: Arc::new(organization("initech", &[])),
        connections: Vec::new(),
    });
    let alone = Facts { organization: initech, ..facts(first_party(None)) };
    let mailed = Facts { email: emails(&["google"]), ..alone.clone() };
    let foreign = Facts { email: emails(&["acme-saml"]), ..alone.clone() };

    assert_eq!(in_words(&decide(&alone)), "ask: nothing_known");
    assert_eq!(in_words(&decide(&mailed)), "google: email_domain");
    assert_eq!(in_words(&decide(&foreign)), "ask: unknown_domain");
}

#[test]
fn ownership_decides_which_connections_a_client_may_use() {
    let open = |c: &Client| {
        let names = ALL.iter().filter(|n| is_open_to(c, &named(n)));
        names.copied().collect::<Vec<_>>().join(" ")
    };

    assert_eq!(open(&first_party(None)), ALL.join(" "));
    assert_eq!(open(&first_party(Some("acme"))), "acme-saml acme-oidc google internal");
    assert_eq!(open(&third_party("acme")), "acme-saml acme-oidc globex-open google");
}

#[test]
fn both_lists_must_allow_it() {
    let c = first_party(None);
    let listing = |clients: &[&str]| Connection {
        clients: clients.iter().map(|c| (*c).to_owned()).collect(),
        ..saml()
    };

    assert!(is_open_to(&c, &listing(&["*"])));
    assert!(is_open_to(&c, &listing(&["other", "app"])));
    assert!(!is_open_to(&c, &listing(&["other"])));
    assert!(!is_open_to(&c, &listing(&[])));
    let only = |n: &str| Client { connections: Some(vec![name(n)]), ..first_party(None) };
    assert!(is_open_to(&only("acme-saml"), &saml()));
    assert!(!is_open_to(&only("acme-oidc"), &saml()));
    assert!(!is_open_to(&Client { connections: Some(Vec::new()), ..c }, &saml()));
}

#[test]
fn foreign_disabled_and_unknown_connections_get_one_answer() {
    let unknown = Facts { connection: Asked::Unknown, ..facts(third_party("acme")) };
    let with = |c: Candidate| Facts { connection: Asked::Found(c), ..unknown.clone() };
    let off = Arc::new(Connection { enabled: false, ..(*named("acme-saml")).clone() });

    for facts in [
        with(candidate("globex-saml")),
        with(candidate("internal")),
        with(Candidate { connection: off, organization_enabled: true }),
        with(Candidate { organization_enabled: false, ..candidate("acme-saml") }),
    ] {
        assert_eq!(decide(&facts), decide(&unknown));
    }
}

#[test]
fn foreign_disabled_and_unknown_organizations_get_one_answer() {
    let unknown = Facts { organization: Asked::Unknown, ..facts(first_party(Some("acme"))) };
    let Asked::Found(acme) = asking("acme") else { unreachable!() };
    let off = Arc::new(Organization { enabled: false, ..(*acme.organization).clone() });

    let foreign = Facts { organization: asking("globex"), ..unknown.clone() };
    let disabled = Facts {
        organization: Asked::Found(Asking { organization: off, ..acme }),
        ..unknown.clone()
    };

    assert_eq!(decide(&foreign), decide(&unknown));
    assert_eq!(decide(&disabled), decide(&unknown));
}

#[test]
fn a_third_party_client_reaches_another_organization_only_through_its_open_connections() {
    let globex = Facts { organization: asking("globex"), ..facts(third_party("acme")) };

    assert_eq!(in_words(&decide(&globex)), "globex-open: organization_parameter");
    let narrow = Client { connections: Some(vec![name("acme-saml")]), ..third_party("acme") };
    let listed = Facts { client: Arc::new(narrow), ..globex };
    assert_eq!(in_words(&decide(&listed)), "refused: organization_unknown");
}

/// The rules again, as plainly as they can be said, over names.
fn naive(
    client: &Client,
    connection: Option<&str>,
    organization: Option<&str>,
    email: Option<&[&str]>,
    (off, remembered, otherwise): (&[&str], Option<&str>, &[&str]),
) -> String {
    let usable = |n: &str| {
        let c = named(n);
        let owner = c.organization.as_ref().map(Name::as_str);
        let owned = match &client.kind {
            ClientKind::FirstParty { organization: None } => true,
            ClientKind::FirstParty { organization: Some(o) } => {
                owner.is_none() || owner == Some(o.as_str())
            }
            ClientKind::ThirdParty { organization: o } => {
                c.is_domain_connection || owner == Some(o.as_str())
            }
        };
        let listed = client.connections.as_ref().is_none_or(|l| l.iter().any(|x| x.as_str() == n));
        owned && listed && !off.contains(&n)
    };
    let owner = |n: &str| named(n).organization.as_ref().map(|o| o.as_str().to_owned());
    let own: Vec<&str> = ALL
        .into_iter()
        .filter(|n| usable(n) && organization.is_some() && owner(n).as_deref() == organization)
        .collect();
    if let Some(o) = organization {
        let tied = client.organization().map(Name::as_str);
        let reachable = match (client.is_third_party(), tied) {
            (_, None) => true,
            (false, Some(t)) => t == o,
            (true, Some(t)) => t == o || !own.is_empty(),
        };
        if !reachable {
            return "refused: organization_unknown".to_owned();
        }
    }
    let fits =
        |n: &str| organization.is_none() || owner(n).is_none_or(|o| Some(&*o) == organization);
    if let Some(n) = connection {
        return match (usable(n), fits(n)) {
            (false, _) => "refused: connection_unknown".to_owned(),
            (true, false) => "refused: connection_organization_conflict".to_owned(),
            (true, true) => format!("{n}: connection_parameter"),
        };
    }
    let mailed: Vec<&str> =
        email.unwrap_or(&[]).iter().copied().filter(|n| usable(n) && fits(n)).collect();
    let narrowed: Vec<&str> = own.iter().copied().filter(|n| mailed.contains(n)).collect();
    for (set, why) in [
        (narrowed, "organization_parameter"),
        (own, "organization_parameter"),
        (mailed, "email_domain"),
    ] {
        match set.as_slice() {
            [] => {}
            [only] => return format!("{only}: {why}"),
            several => return format!("choose {}: {why}", several.join("|")),
        }
    }
    if email.is_none() {
        return match remembered.filter(|n| usable(n) && fits(n)) {
            Some(n) => format!("suggest {n}: remembered"),
            None => "ask: nothing_known".to_owned(),
        };
    }
    let open = otherwise.iter().copied().filter(|n| usable(n) && fits(n)).collect::<Vec<_>>();
    match open.as_slice() {
        [] => "ask: unknown_domain".to_owned(),
        [only] => format!("{only}: otherwise_connections"),
        several => format!("choose {}: otherwise_connections", several.join("|")),
    }
}

proptest! {
    #[test]
    fn agrees_with_the_rules_said_plainly(
        kind in 0..4_usize,
        listed in proptest::option::of(proptest::sample::subsequence(ALL.to_vec(), 0..=6)),
        connection in proptest::option::of(proptest::sample::select(ALL.to_vec())),
        organization in proptest::option::of(proptest::sample::select(vec!["acme", "globex"])),
        email in proptest::option::of(proptest::sample::subsequence(ALL.to_vec(), 0..=4)),
        off in proptest::sample::subsequence(ALL.to_vec(), 0..=3),
        remembered in proptest::option::of(proptest::sample::select(ALL.to_vec())),
        otherwise in proptest::sample::subsequence(ALL.to_vec(), 0..=3),
    ) {
        let client = match kind {
            0 => first_party(None),
            1 => first_party(Some("acme")),
            2 => third_party("acme"),
            _ => third_party("globex"),
        };
        let connections = listed.map(|l| l.into_iter().map(name).collect());
        let client = Client { connections, ..client };
        let build = |n: &str| {
            let enabled = !off.contains(&n);
            Arc::new(Connection { enabled, ..(*named(n)).clone() })
        };
        let candidate = |n: &str| Candidate { connection: build(n), organization_enabled: true };
        let ask = |o: &str| Asked::Found(Asking {
            organization: Arc::new(super::super::fixtures::organization(o, &[])),
            connections: ALL.iter().map(|n| build(n)).filter(|c| c.organization == Some(name(o))).collect(),
        });
        let facts = Facts {
            client: Arc::new(client.clone()),
            connection: connection.map_or(Asked::Absent, |n| Asked::Found(candidate(n))),
            organization: organization.map_or(Asked::Absent, ask),
            email: email.as_ref().map_or(EmailFact::Absent, |all| {
                EmailFact::Domain(all.iter().map(|n| candidate(n)).collect())
            }),
            remembered: remembered.map(candidate),
            otherwise: otherwise.iter().map(|n| candidate(n)).collect(),
        };

        prop_assert_eq!(
            in_words(&decide(&facts)),
            naive(&client, connection, organization, email.as_deref(), (&off, remembered, &otherwise))
        );
    }
}
