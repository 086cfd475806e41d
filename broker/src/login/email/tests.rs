use serde_json::json;

use super::super::fixtures::{oidc, organization, pattern, saml};
use super::*;

/// Rule 19 as a table: who holds the domain, what the IdP said → what we say.
struct Case {
    connection: Connection,
    holds: bool,
    upstream: Option<bool>,
    attributes: &'static [(&'static str, Value)],
    address: &'static str,
}

fn run(case: &Case) -> Result<Option<JudgedEmail>, EmailRefusal> {
    let mut attributes: BTreeMap<String, Vec<Value>> =
        case.attributes.iter().map(|(n, v)| ((*n).to_owned(), vec![v.clone()])).collect();
    attributes.entry("email".to_owned()).or_insert_with(|| vec![json!(case.address)]);
    let acme = organization("acme", &[("acme.example", case.holds)]);
    let owner = case.connection.organization.as_ref().map(|_| &acme);
    let upstream = Upstream { verified: case.upstream, attributes: &attributes };
    judge(&case.connection, owner, &[case.address.to_owned()], upstream)
}

fn verified(case: &Case) -> bool {
    run(case).unwrap().unwrap().verified
}

fn good(connection: Connection) -> Case {
    Case { connection, holds: true, upstream: None, attributes: &[], address: "alice@acme.example" }
}

fn vendor(vendor: Vendor, connection: Connection) -> Connection {
    Connection { vendor, ..connection }
}

fn shared(connection: Connection) -> Connection {
    Connection { organization: None, domains: Vec::new(), ..connection }
}

#[test]
fn saml_is_verified_where_the_organization_holds_the_domain_and_the_idp_does_not_say_no() {
    assert!(verified(&good(saml())));
    assert!(verified(&Case { upstream: Some(true), ..good(saml()) }));
    assert!(!verified(&Case { upstream: Some(false), ..good(saml()) }));
    assert!(!verified(&Case { holds: false, ..good(saml()) }));
    assert!(!verified(&Case { holds: false, upstream: Some(true), ..good(saml()) }));
}

#[test]
fn oidc_must_also_say_yes_itself() {
    assert!(verified(&Case { upstream: Some(true), ..good(oidc()) }));
    assert!(!verified(&good(oidc())));
    assert!(!verified(&Case { upstream: Some(false), ..good(oidc()) }));
    assert!(!verified(&Case { upstream: Some(true), holds: false, ..good(oidc()) }));
}

/// A table may read the address from a claim that users type themselves.
#[test]
fn an_op_speaks_of_its_own_email_claim_only() {
    let other: &'static [(&'static str, Value)] =
        Box::leak(vec![("email", json!("mallory@acme.example"))].into_boxed_slice());
    let said = || Case { upstream: Some(true), ..good(oidc()) };

    assert!(verified(&said()));
    assert!(!verified(&Case { attributes: other, ..said() }));
    let googles = Case { address: "alice@gmail.com", ..said() };
    let googles = Case { connection: shared(vendor(Vendor::Google, oidc())), ..googles };
    assert!(!verified(&Case { attributes: other, ..googles }));
}

#[test]
fn entra_counts_only_by_its_domain_owner_verified_claim() {
    let entra = || good(vendor(Vendor::Entra, oidc()));
    const YES: &[(&str, Value)] = &[("xms_edov", Value::Bool(true))];
    const NO: &[(&str, Value)] = &[("xms_edov", Value::Bool(false))];

    assert!(!verified(&Case { upstream: Some(true), ..entra() }));
    assert!(verified(&Case { attributes: YES, ..entra() }));
    assert!(!verified(&Case { attributes: NO, ..entra() }));
    assert!(!verified(&Case { attributes: YES, upstream: Some(false), ..entra() }));
    assert!(!verified(&Case { attributes: YES, holds: false, ..entra() }));
    for (value, yes) in [
        (json!(1), true),
        (json!("1"), true),
        (json!("true"), true),
        (json!(0), false),
        (json!("yes"), false),
        (json!(null), false),
    ] {
        let attributes = BTreeMap::from([("xms_edov".to_owned(), vec![value])]);
        assert_eq!(says_yes(&attributes, "xms_edov"), yes, "{attributes:?}");
    }
}

#[test]
fn google_speaks_for_its_own_mail_and_for_the_hosted_domain() {
    let google = || Case { upstream: Some(true), ..good(shared(vendor(Vendor::Google, oidc()))) };
    let hosted: &'static [(&'static str, Value)] =
        Box::leak(vec![("hd", json!("acme.example"))].into_boxed_slice());

    assert!(verified(&Case { address: "alice@gmail.com", ..google() }));
    assert!(verified(&Case { attributes: hosted, ..google() }));
    assert!(!verified(&google()));
    assert!(!verified(&Case { attributes: hosted, upstream: None, ..google() }));
    assert!(!verified(&Case { address: "alice@gmail.com", upstream: Some(false), ..google() }));
    assert!(!verified(&Case { attributes: hosted, address: "alice@sub.acme.example", ..google() }));
    let imitated = good(shared(oidc()));
    assert!(!verified(&Case { address: "alice@gmail.com", upstream: Some(true), ..imitated }));
}

#[test]
fn a_shared_connection_verifies_no_domain_by_itself() {
    assert!(!verified(&Case { upstream: Some(true), ..good(shared(oidc())) }));
    assert!(!verified(&good(shared(saml()))));
}

#[test]
fn a_foreign_domain_refuses_or_leaves_the_address_out() {
    let foreign = || Case { address: "alice@globex.example", ..good(saml()) };
    let mut lenient = saml();
    if let ConnectionOptions::Saml(options) = &mut lenient.options {
        options.foreign_domains = ForeignDomains::OmitEmail;
    }

    assert!(matches!(run(&foreign()), Err(EmailRefusal::Foreign { .. })));
    assert_eq!(run(&Case { connection: lenient, ..foreign() }), Ok(None));
    for close in
        ["alice@sub.acme.example", "alice@notacme.example", "alice@acme.example.evil.example"]
    {
        let refused = run(&Case { address: close, ..good(saml()) });
        assert!(matches!(refused, Err(EmailRefusal::Foreign { .. })), "{close}");
    }
}

#[test]
fn wildcards_and_the_organizations_domains_count_as_the_connections() {
    let wildcard = Connection { domains: vec![pattern("*.acme.example")], ..saml() };
    let none = Connection { domains: Vec::new(), ..saml() };

    let below = Case { address: "a@eu.acme.example", ..good(wildcard.clone()) };
    assert!(!verified(&below));
    assert!(matches!(run(&good(wildcard)), Err(EmailRefusal::Foreign { .. })));
    assert!(verified(&good(none.clone())));
    let foreign = run(&Case { address: "a@globex.example", ..good(none.clone()) });
    assert!(matches!(foreign, Err(EmailRefusal::Foreign { .. })));
    let unproven = Case { address: "a@globex.example", holds: false, ..good(none) };
    assert!(!verified(&unproven));
}

#[test]
fn of_several_the_first_within_the_verified_domains_is_taken() {
    let acme = organization("acme", &[("acme.example", true)]);
    let attributes = BTreeMap::new();
    let upstream = Upstream { verified: None, attributes: &attributes };
    let take = |all: &[&str]| {
        let all: Vec<String> = all.iter().map(|a| (*a).to_owned()).collect();
        judge(&shared(saml()), Some(&acme), &all, upstream)
            .map(|e| e.map(|e| e.address.to_string()))
    };

    let second = take(&["a@other.example", "b@acme.example", "c@acme.example"]);
    assert_eq!(second, Ok(Some("b@acme.example".to_owned())));
    assert_eq!(take(&["alice", "not an address"]), Ok(None));
    assert_eq!(take(&[]), Ok(None));
}

#[test]
fn invisible_characters_in_an_address_are_refused() {
    for bad in [
        "alice\u{200b}@acme.example",
        "alice@acme.example ",
        "ali\u{a0}ce@acme.example",
        "a\0@acme.example",
    ] {
        let mut case = good(saml());
        case.address = Box::leak(bad.to_owned().into_boxed_str());
        assert_eq!(run(&case), Err(EmailRefusal::Invisible), "{bad:?}");
    }
}
