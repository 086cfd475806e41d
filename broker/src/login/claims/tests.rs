use std::collections::BTreeMap;

use serde_json::json;

use super::super::fixtures::{mail, oidc, organization, saml, statement};
use super::*;
use crate::catalog::Vendor;

fn acme() -> Organization {
    organization("acme", &[("acme.example", true)])
}

fn normalized(connection: &Connection, parts: &AssertionParts) -> Normalized {
    normalize(connection, Some(&acme()), parts).unwrap()
}

fn claims(vendor: Vendor, base: Connection, attributes: &[(&str, Value)]) -> Value {
    let connection = Connection { vendor, ..base };
    serde_json::to_value(normalized(&connection, &statement(attributes)).claims).unwrap()
}

const WS: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";

#[test]
fn each_vendors_saml_attributes_become_the_same_claims() {
    let ws = |n: &str| format!("{WS}/{n}");
    let (mail, given, family, upn, ws_name) =
        (ws("emailaddress"), ws("givenname"), ws("surname"), ws("upn"), ws("name"));
    let (m, g, f) = (json!("alice@acme.example"), json!("Alice"), json!("Example"));
    let (n, u, gr) = (json!("Alice Example"), json!("alice"), json!(["staff", "admins"]));
    let entra_groups = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups";
    let entra_name = "http://schemas.microsoft.com/identity/claims/displayname";
    let styles: [(Vendor, Vec<(&str, &Value)>); 7] = [
        (
            Vendor::Entra,
            vec![
                (&mail, &m),
                (&given, &g),
                (&family, &f),
                (entra_name, &n),
                (&ws_name, &u),
                (entra_groups, &gr),
            ],
        ),
        (
            Vendor::Adfs,
            vec![
                (&mail, &m),
                (&given, &g),
                (&family, &f),
                (&upn, &u),
                ("http://schemas.xmlsoap.org/claims/CommonName", &n),
                ("http://schemas.xmlsoap.org/claims/Group", &gr),
            ],
        ),
        (
            Vendor::Auth0,
            vec![
                (&mail, &m),
                (&given, &g),
                (&family, &f),
                (&ws_name, &n),
                ("http://schemas.auth0.com/username", &u),
                ("http://schemas.auth0.com/groups", &gr),
            ],
        ),
        (
            Vendor::Okta,
            vec![
                ("email", &m),
                ("firstName", &g),
                ("lastName", &f),
                ("displayName", &n),
                ("login", &u),
                ("groups", &gr),
            ],
        ),
        (
            Vendor::Google,
            vec![
                ("email", &m),
                ("firstName", &g),
                ("lastName", &f),
                ("name", &n),
                ("username", &u),
                ("groups", &gr),
            ],
        ),
        (
            Vendor::Keycloak,
            vec![
                ("urn:oid:1.2.840.113549.1.9.1", &m),
                ("urn:oid:2.5.4.42", &g),
                ("urn:oid:2.5.4.4", &f),
                ("name", &n),
                ("username", &u),
                ("member", &gr),
            ],
        ),
        (
            Vendor::Shibboleth,
            vec![
                ("urn:oid:0.9.2342.19200300.100.1.3", &m),
                ("urn:oid:2.5.4.42", &g),
                ("urn:oid:2.5.4.4", &f),
                ("urn:oid:2.16.840.1.113730.3.1.241", &n),
                ("urn:oid:0.9.2342.19200300.100.1.1", &u),
                ("urn:oid:1.3.6.1.4.1.5923.1.5.1.1", &gr),
            ],
        ),
    ];
    let expected = json!({
        "name": "Alice Example", "given_name": "Alice", "family_name": "Example",
        "preferred_username": "alice", "email": "alice@acme.example", "email_verified": true,
        "groups": ["admins", "staff"],
    });
    for (vendor, attributes) in styles {
        let attributes: Vec<_> = attributes.into_iter().map(|(k, v)| (k, v.clone())).collect();
        assert_eq!(claims(vendor, saml(), &attributes), expected, "{vendor:?}");
        let generic = claims(Vendor::Generic, saml(), &attributes);
        assert_eq!(generic["email"], expected["email"], "generic on {vendor:?}");
        assert_eq!(generic["family_name"], expected["family_name"], "generic on {vendor:?}");
    }
}

#[test]
fn oidc_claims_keep_their_names_and_nothing_else_passes() {
    let sent = [
        ("email", json!("alice@acme.example")),
        ("name", json!("Alice")),
        ("picture", json!("https://cdn.example/a.png")),
        ("profile", json!("javascript:alert(1)")),
        ("locale", json!("de")),
        ("groups", json!(["a", ["b"], 3, "a"])),
        ("roles", json!(["admin"])),
        ("scope", json!("everything")),
        ("org_id", json!("org_other")),
        ("email_verified", json!(true)),
        ("given_name", json!({"first": "A"})),
        ("nickname", json!("a\u{7}b")),
    ];
    for vendor in [Vendor::Generic, Vendor::Auth0, Vendor::Okta, Vendor::Google, Vendor::Keycloak] {
        assert_eq!(
            claims(vendor, oidc(), &sent),
            json!({
                "name": "Alice", "picture": "https://cdn.example/a.png", "locale": "de",
                "email": "alice@acme.example", "email_verified": false, "groups": ["a", "b"],
            }),
            "{vendor:?}"
        );
    }
    let adfs = claims(Vendor::Adfs, oidc(), &[("upn", json!("a@acme")), ("group", json!("g"))]);
    assert_eq!(adfs, json!({"preferred_username": "a@acme", "groups": ["g"]}));
}

#[test]
fn a_connections_own_list_replaces_the_presets_and_the_first_hit_wins() {
    let mut connection = saml();
    connection.claims.insert("name".to_owned(), vec!["nick".to_owned(), "full".to_owned()]);
    let parts = statement(&[("displayName", json!("preset")), ("full", json!("own"))]);

    assert_eq!(normalized(&connection, &parts).claims.name.as_deref(), Some("own"));
    connection.claims.insert("name".to_owned(), Vec::new());
    assert_eq!(normalized(&connection, &parts).claims.name, None);
}

#[test]
fn a_name_id_becomes_an_address_only_where_the_connection_says_so() {
    let mut parts = statement(&[]);
    parts.subject.value = "alice@acme.example".to_owned();
    parts.subject.format =
        Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress".to_owned());
    let mut connection = saml();

    assert_eq!(normalized(&connection, &parts).claims.email, None);
    connection.claims.insert("email".to_owned(), vec!["NameID".to_owned()]);
    let email = normalized(&connection, &parts).claims.email;
    assert_eq!(email.as_deref(), Some("alice@acme.example"));
}

#[test]
fn what_an_idp_calls_roles_is_none_of_ours() {
    let mut connection = saml();
    connection.claims.insert("roles".to_owned(), vec!["roles".to_owned()]);
    let parts = statement(&[("groups", json!(["staff"])), ("roles", json!("root"))]);

    assert!(normalized(&connection, &parts).claims.roles.is_empty());
}

#[test]
fn acr_and_amr_pass_by_the_table_only() {
    let mut parts = mail("alice@acme.example");
    parts.acr = Some("urn:mfa".to_owned());
    parts.amr = vec!["otp".to_owned(), "pwd".to_owned()];
    let mut connection = saml();

    let silent = normalized(&connection, &parts);
    assert_eq!((silent.acr, silent.amr.len()), (None, 0));
    connection.acr_values.insert("urn:mfa".to_owned(), "aal2".to_owned());
    connection.acr_values.insert("otp".to_owned(), "mfa".to_owned());
    let mapped = normalized(&connection, &parts);
    assert_eq!(mapped.acr.as_deref(), Some("aal2"));
    assert_eq!(mapped.amr, ["mfa"]);
}

#[test]
fn a_required_acr_that_is_not_met_is_an_error() {
    let mut connection = oidc();
    if let ConnectionOptions::Oidc(options) = &mut connection.options {
        options.acr_values = vec!["mfa".to_owned()];
    }
    let mut parts = mail("alice@acme.example");

    for other in [None, Some("pwd".to_owned())] {
        parts.acr = other;
        let refused = normalize(&connection, Some(&acme()), &parts);
        assert!(matches!(refused, Err(ClaimRefusal::AcrNotMet { .. })), "{refused:?}");
    }
    parts.acr = Some("mfa".to_owned());
    assert!(normalize(&connection, Some(&acme()), &parts).is_ok());
}

#[test]
fn a_subject_that_does_not_show_is_refused() {
    for bad in ["", "a\u{200b}b", " a", "a\n"] {
        let mut parts = mail("alice@acme.example");
        parts.subject.value = bad.to_owned();
        let refused = normalize(&saml(), Some(&acme()), &parts);
        assert_eq!(refused, Err(ClaimRefusal::InvisibleSubject), "{bad:?}");
    }
}

#[test]
fn an_address_with_control_characters_is_refused_not_dropped() {
    let refused = normalize(&saml(), Some(&acme()), &mail("alice\t@acme.example"));

    assert_eq!(refused, Err(ClaimRefusal::Email(EmailRefusal::Invisible)));
}

#[test]
fn groups_that_the_idp_left_out_are_not_taken_for_none() {
    let names = |claim: &str| json!({ claim: "src1" });
    let link = "http://schemas.microsoft.com/claims/groups.link";
    let entra = |base| Connection { vendor: Vendor::Entra, ..base };
    let judged = |connection: &Connection, attribute: (&str, Value)| {
        normalize(connection, Some(&acme()), &statement(&[attribute])).map(drop)
    };
    let refused = Err(ClaimRefusal::GroupsElsewhere);

    assert_eq!(judged(&entra(oidc()), ("_claim_names", names("groups"))), refused);
    assert_eq!(judged(&entra(oidc()), ("hasgroups", json!(true))), refused);
    assert_eq!(judged(&entra(oidc()), ("hasgroups", json!("true"))), refused);
    assert_eq!(judged(&entra(saml()), (link, json!("https://graph.example"))), refused);

    assert_eq!(judged(&entra(oidc()), ("_claim_names", names("address"))), Ok(()));
    assert_eq!(judged(&entra(oidc()), ("hasgroups", json!(false))), Ok(()));
    assert_eq!(judged(&entra(saml()), ("groups", json!([]))), Ok(()));
}

#[test]
fn a_connection_that_takes_groups_from_elsewhere_or_nowhere_does_not_miss_them() {
    for own in [vec![], vec!["roles".to_owned()]] {
        let claims = BTreeMap::from([("groups".to_owned(), own)]);
        let connection = Connection { vendor: Vendor::Entra, claims, ..oidc() };
        let parts = statement(&[("hasgroups", json!(true)), ("roles", json!(["staff"]))]);

        assert!(normalize(&connection, Some(&acme()), &parts).is_ok());
    }
}
