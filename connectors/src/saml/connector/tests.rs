//! The whole way, with responses that are signed and encrypted for the test.

mod decryption;
mod pending;
mod requests;
mod status;

use std::collections::BTreeSet;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homerealm_certs::SequenceRandom;
use url::Url;

use super::*;
use crate::check::{Check, Outcome};
use crate::connector::{Begun, OnceGuard};
use crate::error::StoreUnavailable;
use crate::saml::SamlResponse;
use crate::saml::testing::{
    AES_256_CBC, AES_256_GCM, edited, encrypted_plainly, response, sign, sp_key, template,
};

const IDP: &str = "https://idp.example.com/saml";
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const REQUEST_DENIED: &str = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied";
const AUTHN_FAILED: &str = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed";

/// Remembers what it was asked; answers nothing while it is broken.
#[derive(Default)]
struct Memory {
    markers: Mutex<BTreeSet<String>>,
    broken: bool,
    exhausted: bool,
}

impl Memory {
    fn markers(&self) -> Vec<String> {
        self.markers.lock().unwrap().iter().cloned().collect()
    }
}

#[async_trait]
impl OnceGuard for Memory {
    async fn first_use(&self, key: &str, until: DateTime<Utc>) -> Result<bool, StoreUnavailable> {
        if self.broken {
            return Err(StoreUnavailable);
        }
        assert_eq!(until, now() + TimeDelta::hours(24));
        Ok(self.markers.lock().unwrap().insert(key.to_owned()))
    }

    fn allows_decryption(&self) -> bool {
        !self.exhausted
    }
}

fn now() -> DateTime<Utc> {
    "2026-01-01T00:01:00Z".parse().unwrap()
}

fn idp(attributes: &str, endpoints: &str) -> Arc<SamlIdpMetadata> {
    let certificate =
        STANDARD.encode(include_bytes!("../../../../tests/vectors/saml/keys/idp.der"));
    let metadata = format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{IDP}"><IDPSSODescriptor {attributes} protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>{endpoints}</IDPSSODescriptor></EntityDescriptor>"#
    );
    Arc::new(SamlIdpMetadata::read(metadata.as_bytes(), None, now()).unwrap())
}

fn sso(binding: &str) -> String {
    format!(
        r#"<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" Location="https://idp.example.com/{binding}"/>"#
    )
}

fn settings() -> SamlSettings {
    SamlSettings {
        connection: "con_1".to_owned(),
        idp: idp("", &format!("{}{}", sso("HTTP-POST"), sso("HTTP-Redirect"))),
        sp_entity_id: EntityId::try_from("https://broker.example.net/sp").unwrap(),
        sign_requests: None,
        sp_key: Some(sp_key()),
        decrypt: true,
        name_id_format: None,
        clock_skew: TimeDelta::seconds(60),
        allow_sha1: false,
        allow_inclusive_c14n: false,
        subject_attribute: None,
        vendor_entra: false,
        idp_initiated: false,
        max_response_bytes: 256 * 1024,
    }
}

/// What a test may change about the pending login; `complete` borrows from it.
struct Login {
    expected: Option<Expected>,
    guard: Memory,
    max_age: Option<i64>,
    checks: Checks,
}

fn login() -> Login {
    let expected = Expected::Saml {
        request_id: "_req1".to_owned(),
        force_login: false,
        sent_at: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    Login {
        expected: Some(expected),
        guard: Memory::default(),
        max_age: None,
        checks: Checks::default(),
    }
}

impl Login {
    async fn complete(
        &mut self,
        settings: SamlSettings,
        document: &str,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        let answer =
            UpstreamAnswer::Saml { response: SamlResponse::new(STANDARD.encode(document)) };
        self.complete_with(settings, answer).await
    }

    async fn complete_with(
        &mut self,
        settings: SamlSettings,
        answer: UpstreamAnswer,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        let completion = Completion {
            expected: self.expected.as_ref(),
            callback: &Url::parse("https://broker.example.net/saml/acs").unwrap(),
            max_age: self.max_age,
            guard: &self.guard,
            epoch: "2025-06-01T00:00:00Z".parse().unwrap(),
            now: now(),
            checks: &mut self.checks,
        };
        SamlConnector::new(settings).complete(completion, answer).await
    }

    fn last_check(&self) -> &Check {
        self.checks.as_slice().last().unwrap()
    }
}

/// Not signed yet; the signature's template is in it.
fn assertion() -> String {
    format!(
        r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" IssueInstant="2026-01-01T00:00:00Z" Version="2.0"><saml:Issuer>{IDP}</saml:Issuer>{}<saml:Subject><saml:NameID Format="{PERSISTENT}">G-4711</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="_req1" NotOnOrAfter="2026-01-01T00:05:00Z" Recipient="https://broker.example.net/saml/acs"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions><saml:AudienceRestriction><saml:Audience>https://broker.example.net/sp</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="2026-01-01T00:00:30Z" SessionIndex="_s1" SessionNotOnOrAfter="2026-01-01T08:00:00Z"><saml:AuthnContext><saml:AuthnContextClassRef>urn:pwd</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="mail"><saml:AttributeValue>alice@acme.example</saml:AttributeValue></saml:Attribute><saml:Attribute Name="email_verified"><saml:AttributeValue>false</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>"#,
        template("_a1")
    )
}

fn good() -> String {
    sign(&response("", &assertion()))
}

fn encrypted(algorithm: &str) -> String {
    response("", &encrypted_plainly(&sign(&assertion()), algorithm))
}

/// A Response without an assertion that says these status codes, one in the other.
fn status_only(first: &str, second: &str) -> String {
    let inner = if second.is_empty() {
        String::new()
    } else {
        format!(r#"<samlp:StatusCode Value="{second}"/>"#)
    };
    let outer = format!(
        r#"<samlp:StatusCode Value="{first}">{inner}</samlp:StatusCode><samlp:StatusMessage>said no</samlp:StatusMessage>"#
    );
    edited(
        &response("", ""),
        r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>"#,
        &outer,
    )
}

const RESPONDER: &str = "urn:oasis:names:tc:SAML:2.0:status:Responder";

fn rejected(outcome: Result<VerifiedAssertion, ConnectorError>) -> Rejection {
    match outcome {
        Err(ConnectorError::Rejected(crate::error::Rejection::Saml(rejection))) => rejection,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_good_response_becomes_a_verified_assertion() {
    let mut login = login();

    let verified = login.complete(settings(), &good()).await.unwrap().into_parts();

    assert_eq!(verified.issuer, IDP);
    assert_eq!(verified.subject.value, "G-4711");
    assert_eq!(verified.subject.format.as_deref(), Some(PERSISTENT));
    assert_eq!(verified.attributes["mail"], ["alice@acme.example"]);
    assert_eq!(verified.auth_time, Some("2026-01-01T00:00:30Z".parse().unwrap()));
    assert_eq!(verified.acr.as_deref(), Some("urn:pwd"));
    assert_eq!(verified.session_index.as_deref(), Some("_s1"));
    assert_eq!(verified.session_not_on_or_after, Some("2026-01-01T08:00:00Z".parse().unwrap()));
    let until = "2026-01-01T00:06:00Z".parse().unwrap();
    assert_eq!(verified.replay, ReplayKey { value: "_a1".to_owned(), until });
    assert_eq!(verified.upstream_email_verified, Some(false));
}

#[tokio::test]
async fn every_check_of_a_good_response_passes_and_none_names_the_user() {
    let mut login = login();

    login.complete(settings(), &good()).await.unwrap();

    let checks = login.checks.into_vec();
    let ends = (checks[0].code.as_str(), checks.last().unwrap().code.as_str());
    assert_eq!(ends, ("saml_document", "saml_subject"));
    assert!(checks.iter().all(|check| check.outcome != Outcome::Failed));
    let trace = serde_json::to_string(&checks).unwrap();
    assert!(!trace.contains("G-4711") && !trace.contains("alice"), "{trace}");
}

#[tokio::test]
async fn a_refusal_is_the_last_check_with_expected_received_and_fix() {
    let mut login = login();
    let elsewhere = sign(&edited(
        &response("", &assertion()),
        ">https://broker.example.net/sp<",
        ">https://other.example<",
    ));

    let refused = rejected(login.complete(settings(), &elsewhere).await);

    assert_eq!(refused.code(), "saml_audience_mismatch");
    let check = login.last_check();
    assert_eq!(check.outcome, Outcome::Failed);
    assert_eq!(check.code, "saml_audience_mismatch");
    assert_eq!(check.expected.as_deref(), Some("https://broker.example.net/sp"));
    assert_eq!(check.received.as_deref(), Some("https://other.example"));
    assert!(check.fix.as_deref().unwrap().contains("https://broker.example.net/sp"));
}

#[tokio::test]
async fn a_changed_assertion_is_refused_by_its_digest() {
    let changed = edited(&good(), "G-4711", "G-4712");

    let refused = rejected(login().complete(settings(), &changed).await);

    assert_eq!(refused, Rejection::DigestMismatch { element: "Assertion" });
}

#[tokio::test]
async fn what_an_unsigned_response_says_cannot_admit() {
    let elsewhere = edited(
        &good(),
        "Destination=\"https://broker.example.net/saml/acs\"",
        "Destination=\"https://x.example\"",
    );

    let refused = rejected(login().complete(settings(), &elsewhere).await);

    assert_eq!(refused.code(), "saml_destination_mismatch");
}

#[tokio::test]
async fn the_subject_follows_the_settings() {
    let transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
    let document = sign(&edited(&response("", &assertion()), PERSISTENT, transient));
    let by_mail = SamlSettings { subject_attribute: Some("mail".to_owned()), ..settings() };
    let by_entra = SamlSettings { vendor_entra: true, ..settings() };

    let refused = rejected(login().complete(settings(), &document).await);
    let accepted = login().complete(by_mail, &document).await.unwrap();
    let without_claims = rejected(login().complete(by_entra, &document).await);

    assert_eq!(refused, Rejection::SubjectTransient { received: Some(transient.to_owned()) });
    assert_eq!(accepted.subject().value, "alice@acme.example");
    assert!(accepted.subject().mutable_email_like);
    assert_eq!(without_claims.code(), "saml_subject_attribute_missing");
}

#[tokio::test]
async fn more_skew_than_five_minutes_is_not_granted() {
    let ended = edited(
        &assertion(),
        "NotOnOrAfter=\"2026-01-01T00:05:00Z\"",
        "NotOnOrAfter=\"2025-12-31T23:56:00Z\"",
    );
    let document = sign(&response("", &ended));
    let skewed = |seconds| SamlSettings { clock_skew: TimeDelta::seconds(seconds), ..settings() };

    let refused = rejected(login().complete(skewed(100_000), &document).await);
    let negative = login().complete(skewed(-100_000), &good()).await;

    assert_eq!(refused.code(), "saml_confirmation_expired");
    assert!(negative.is_ok());
}

#[tokio::test]
async fn valid_documents_of_other_makers_pass() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/saml/valid/");
    for name in [
        "v01_xmlsec1_assertion_rsa_6k.xml",
        "v02_xmlsec1_both_rsa_60k.xml",
        "v04_xmlsec1_enc_gcm_oaep_6k.xml",
        "v06_java_assertion_rsa_6k.xml",
        "v10_entra_default_ns.xml",
        "v15_enc_cbc256_oaep.xml",
        "v17_response_signed_over_encrypted.xml",
        "v18_pretty_special_chars.xml",
        "v22_comment_in_attribute_signed.xml",
    ] {
        let document = std::fs::read_to_string(format!("{corpus}{name}")).unwrap();

        let verified = login().complete(settings(), &document).await;

        assert_eq!(
            verified.map(|v| v.subject().value.clone()),
            Ok("user@a.com".to_owned()),
            "{name}"
        );
    }
}
