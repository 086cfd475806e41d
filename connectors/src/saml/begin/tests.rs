//! What was emitted, read back: by URL, inflate, public key and our own canonicalization.

use std::io::Read as _;

use chrono::{DateTime, Utc};
use flate2::read::DeflateDecoder;
use homerealm_certs::{SequenceRandom, SignatureAlgorithm};

use super::*;
use crate::saml::c14n::{Method, canonicalize};

const HANDLE: &str = "AAECAwQFBgcICQoLDA0ODw";
const REDIRECT: &str = "https://idp.acme.example/sso";
const POST: &str = "https://idp.acme.example/sso/post";

fn now() -> DateTime<Utc> {
    "2030-01-31T12:00:00.987Z".parse().unwrap()
}

fn key() -> SpKey {
    SpKey::generate("homerealm acme", now(), 365).unwrap()
}

fn sender<'a>() -> Sender<'a> {
    Sender {
        redirect: Some(REDIRECT),
        post: Some(POST),
        issuer: "https://login.example.com/saml/acme/metadata",
        signing: Signing::Off,
        name_id_format: None,
        takes_login_hint: false,
    }
}

/// What a login asks for; `begin` borrows from it.
struct Asked {
    handle: &'static str,
    login_hint: Option<&'static str>,
    force_login: bool,
    select_account: bool,
    acr_values: Vec<String>,
}

impl Asked {
    fn nothing() -> Self {
        Self {
            handle: HANDLE,
            login_hint: None,
            force_login: false,
            select_account: false,
            acr_values: Vec::new(),
        }
    }

    fn from(&self, sender: &Sender<'_>) -> Result<Beginning, Rejection> {
        let callback = Url::parse("https://login.example.com/saml/acme/acs").unwrap();
        let request = BeginRequest {
            callback: &callback,
            transaction: self.handle,
            login_hint: self.login_hint,
            force_login: self.force_login,
            select_account: self.select_account,
            acr_values: &self.acr_values,
            ui_locales: None,
            random: &SequenceRandom::new(1),
            now: now(),
        };
        begin(sender, &request)
    }
}

fn redirected(beginning: Beginning) -> Url {
    let Begun::Redirect { url } = beginning.begun else { panic!("not a redirect") };
    url
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn inflated(url: &Url) -> String {
    let deflated = STANDARD.decode(parameter(url, "SAMLRequest").unwrap()).unwrap();
    let mut xml = String::new();
    DeflateDecoder::new(&deflated[..]).read_to_string(&mut xml).unwrap();
    xml
}

fn posted(beginning: Beginning) -> (Url, String) {
    let Begun::Form { action, fields } = beginning.begun else { panic!("not a form") };
    assert_eq!(fields[0].0, "SAMLRequest");
    assert_eq!(fields[1], ("RelayState".to_owned(), HANDLE.to_owned()));
    assert_eq!(fields.len(), 2);
    (action, String::from_utf8(STANDARD.decode(&fields[0].1).unwrap()).unwrap())
}

#[test]
fn a_plain_request_goes_by_redirect_and_says_no_more_than_it_must() {
    let url = redirected(Asked::nothing().from(&sender()).unwrap());

    assert!(url.as_str().starts_with("https://idp.acme.example/sso?SAMLRequest="));
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["SAMLRequest", "RelayState"]);
    assert_eq!(parameter(&url, "RelayState").as_deref(), Some(HANDLE));
    assert_eq!(
        inflated(&url),
        r#"<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" AssertionConsumerServiceURL="https://login.example.com/saml/acme/acs" Destination="https://idp.acme.example/sso" ID="_AAECAwQFBgcICQoLDA0ODw" IssueInstant="2030-01-31T12:00:00Z" ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Version="2.0"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://login.example.com/saml/acme/metadata</saml:Issuer></samlp:AuthnRequest>"#
    );
}

#[test]
fn what_is_remembered_is_what_was_sent() {
    let asked = Asked { force_login: true, ..Asked::nothing() };

    let expected = asked.from(&sender()).unwrap().expected;

    let request_id = format!("_{HANDLE}");
    assert_eq!(expected, Expected::Saml { request_id, force_login: true, sent_at: now() });
}

#[test]
fn to_choose_an_account_is_to_sign_in_anew_but_no_proof_of_it_is_expected() {
    let asked = Asked { select_account: true, ..Asked::nothing() };

    let beginning = asked.from(&sender()).unwrap();

    assert!(matches!(beginning.expected, Expected::Saml { force_login: false, .. }));
    assert!(inflated(&redirected(beginning)).contains(r#" ForceAuthn="true" "#));
}

#[test]
fn a_demanding_request_names_format_contexts_and_a_fresh_login() {
    let asked = Asked {
        force_login: true,
        acr_values: vec!["urn:mfa".to_owned(), "https://refeds.org/profile/mfa".to_owned()],
        ..Asked::nothing()
    };
    let format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

    let url = redirected(asked.from(&Sender { name_id_format: Some(format), ..sender() }).unwrap());

    let xml = inflated(&url);
    assert!(xml.contains(r#" ForceAuthn="true" "#));
    assert!(xml.contains(r#"<samlp:NameIDPolicy AllowCreate="true" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"></samlp:NameIDPolicy><samlp:RequestedAuthnContext Comparison="exact">"#));
    assert!(xml.contains(">urn:mfa</saml:AuthnContextClassRef>"));
    assert!(xml.contains(">https://refeds.org/profile/mfa</saml:AuthnContextClassRef>"));
}

#[test]
fn the_own_query_of_the_idp_stays_in_front_and_its_fragment_goes() {
    let sender = Sender {
        redirect: Some("https://idp.acme.example/sso?idpid=C0%2fab&x=%7e#top"),
        ..sender()
    };

    let url = redirected(Asked::nothing().from(&sender).unwrap());

    assert!(
        url.as_str().starts_with("https://idp.acme.example/sso?idpid=C0%2fab&x=%7e&SAMLRequest=")
    );
    assert_eq!(url.fragment(), None);
}

#[test]
fn the_redirect_signature_holds_over_the_octets_that_are_sent() {
    let key = key();

    let url = redirected(
        Asked::nothing().from(&Sender { signing: Signing::By(&key), ..sender() }).unwrap(),
    );

    let (octets, signature) = url.query().unwrap().split_once("&Signature=").unwrap();
    assert!(!signature.contains('&'));
    assert!(
        octets.ends_with("&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23rsa-sha256")
    );
    let signature = STANDARD.decode(parameter(&url, "Signature").unwrap()).unwrap();
    let verified = key.verification_key().verify(
        SignatureAlgorithm::RsaPkcs1Sha256,
        octets.as_bytes(),
        &signature,
    );
    assert_eq!(verified, Ok(()));
    assert!(!inflated(&url).contains("Signature"));
}

#[test]
fn an_idp_without_the_redirect_binding_gets_a_form() {
    let asked = Asked::nothing();

    let (action, xml) = posted(asked.from(&Sender { redirect: None, ..sender() }).unwrap());

    assert_eq!(action.as_str(), POST);
    assert!(xml.contains(&format!("Destination=\"{POST}\"")));
    assert!(!xml.contains("Signature"));
}

#[test]
fn the_posted_signature_stands_after_issuer_and_holds() {
    let key = key();
    let sender = Sender { redirect: None, signing: Signing::By(&key), ..sender() };

    let (_, xml) = posted(Asked::nothing().from(&sender).unwrap());

    let (before, rest) = xml.split_once("<ds:Signature xmlns").unwrap();
    let (_, after) = rest.split_once("</ds:Signature>").unwrap();
    assert!(before.ends_with("</saml:Issuer>"));
    let digest = STANDARD.encode(aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        format!("{before}{after}").as_bytes(),
    ));
    assert_eq!(between(&xml, "<ds:DigestValue>", "</ds:DigestValue>"), digest);
    let inner = between(&xml, "<ds:SignedInfo>", "</ds:SignedInfo>");
    let octets = format!(
        r#"<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{inner}</ds:SignedInfo>"#
    );
    let signature =
        STANDARD.decode(between(&xml, "<ds:SignatureValue>", "</ds:SignatureValue>")).unwrap();
    let verified = key.verification_key().verify(
        SignatureAlgorithm::RsaPkcs1Sha256,
        octets.as_bytes(),
        &signature,
    );
    assert_eq!(verified, Ok(()));
    assert!(inner.contains(&format!("URI=\"#_{HANDLE}\"")));
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

#[test]
fn every_request_is_its_own_canonical_form() {
    let key = key();
    let asked = Asked {
        force_login: true,
        acr_values: vec!["a<b>&\"c\"\r\n\t".to_owned()],
        ..Asked::nothing()
    };
    let sender = Sender {
        redirect: None,
        post: Some("https://idp.acme.example/sso?a=1&b='2'"),
        issuer: "urn:acme:<sp>&\"'",
        signing: Signing::By(&key),
        name_id_format: Some("urn:<f>&\"'\r\n\t"),
        ..sender()
    };

    let (_, xml) = posted(asked.from(&sender).unwrap());

    assert_eq!(canonicalize(xml.as_bytes(), &Method::EXCLUSIVE, 100_000).unwrap(), xml);
}

#[test]
fn characters_that_xml_does_not_know_are_replaced() {
    let asked = Asked { acr_values: vec!["a\0b\u{1f}c".to_owned()], ..Asked::nothing() };

    let xml = inflated(&redirected(asked.from(&sender()).unwrap()));

    assert!(xml.contains(">a\u{fffd}b\u{fffd}c<"));
}

#[test]
fn only_an_idp_that_takes_a_login_hint_is_told_the_address() {
    let asked = Asked { login_hint: Some("alice+test@acme.example"), ..Asked::nothing() };

    let told = redirected(asked.from(&Sender { takes_login_hint: true, ..sender() }).unwrap());
    let untold = redirected(asked.from(&sender()).unwrap());

    assert_eq!(parameter(&told, "login_hint").as_deref(), Some("alice+test@acme.example"));
    assert_eq!(parameter(&told, "RelayState").as_deref(), Some(HANDLE));
    assert!(!untold.as_str().contains("alice") && !inflated(&untold).contains("alice"));
}

#[test]
fn a_handle_must_be_long_enough_and_fit_to_be_a_name() {
    let longest: &'static str =
        "x23456789012345678901234567890123456789012345678901234567890123456789012345678901";
    for (handle, fits) in [
        (&longest[..80], true),
        (longest, false),
        (&longest[..22], true),
        (&longest[..21], false),
        ("", false),
        ("AAECAwQFBgcICQoLDA0OD/", false),
        ("AAECAwQFBgcICQoLDA0 OD", false),
        ("ÄAECAwQFBgcICQoLDA0ODw", false),
    ] {
        let begun = Asked { handle, ..Asked::nothing() }.from(&sender());

        assert_eq!(begun.is_ok(), fits, "{handle}");
        assert!(fits || begun == Err(Rejection::RequestHandle));
    }
}

#[test]
fn refuses_to_send_unsigned_what_has_to_be_signed() {
    let begun = Asked::nothing().from(&Sender { signing: Signing::KeyMissing, ..sender() });

    assert_eq!(begun, Err(Rejection::RequestKeyMissing));
}

#[test]
fn refuses_where_the_idp_has_no_endpoint_for_us() {
    let begun = Asked::nothing().from(&Sender { redirect: None, post: None, ..sender() });

    assert_eq!(begun, Err(Rejection::SsoEndpointMissing));
}

#[test]
fn refuses_an_endpoint_that_is_no_url() {
    let begun = Asked::nothing().from(&Sender { redirect: Some("/sso"), ..sender() });

    assert_eq!(begun, Err(Rejection::SsoEndpointMissing));
}
