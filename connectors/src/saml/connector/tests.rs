//! The whole way, with responses that are signed and encrypted for the test.

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
        let answer = UpstreamAnswer::Saml { response_base64: STANDARD.encode(document) };
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
async fn an_encrypted_key_is_decrypted_once() {
    for algorithm in [AES_256_CBC, AES_256_GCM] {
        let (mut login, document) = (login(), encrypted(algorithm));

        let first = login.complete(settings(), &document).await.unwrap().into_parts();
        let second = rejected(login.complete(settings(), &document).await);

        assert_eq!(first.subject.value, "G-4711");
        assert_eq!(second, Rejection::EncryptedKeyReused);
        assert_eq!(login.guard.markers().len(), 1);
        assert!(login.guard.markers()[0].starts_with("enc:con_1:"));
    }
}

#[tokio::test]
async fn nothing_is_decrypted_for_a_login_that_is_not_pending_or_another_one() {
    let document = encrypted(AES_256_CBC);
    let other = edited(&document, "InResponseTo=\"_req1\"", "InResponseTo=\"_req2\"");
    let failed = edited(&document, "status:Success", "status:Responder");
    let mut unknown = Login { expected: None, ..login() };
    let (mut wrong, mut denied) = (login(), login());

    let by_unknown = rejected(unknown.complete(settings(), &document).await);
    let by_wrong = rejected(wrong.complete(settings(), &other).await);
    let by_denied = rejected(denied.complete(settings(), &failed).await);

    assert_eq!(by_unknown, Rejection::PendingLoginMissing);
    assert_eq!(by_wrong.code(), "saml_in_response_to_mismatch");
    assert_eq!(by_denied.code(), "saml_idp_error");
    for login in [unknown, wrong, denied] {
        assert!(login.guard.markers().is_empty());
    }
}

#[tokio::test]
async fn without_the_replay_store_nothing_is_decrypted() {
    let mut login = Login { guard: Memory { broken: true, ..Memory::default() }, ..login() };

    let outcome = login.complete(settings(), &encrypted(AES_256_CBC)).await;

    assert_eq!(outcome, Err(ConnectorError::StoreUnavailable));
}

#[tokio::test]
async fn a_connection_that_does_not_decrypt_says_so_and_leaves_no_marker() {
    for settings in
        [SamlSettings { decrypt: false, ..settings() }, SamlSettings { sp_key: None, ..settings() }]
    {
        let mut login = login();

        let refused = rejected(login.complete(settings, &encrypted(AES_256_GCM)).await);

        assert_eq!(refused, Rejection::DecryptionNotConfigured);
        assert!(login.guard.markers().is_empty());
    }
}

#[tokio::test]
async fn the_users_own_no_is_not_a_fault() {
    let mut login = login();

    let outcome = login.complete(settings(), &status_only(RESPONDER, REQUEST_DENIED)).await;

    let (error, description) = (REQUEST_DENIED.to_owned(), Some("said no".to_owned()));
    assert_eq!(outcome, Err(ConnectorError::Denied { error, description }));
    assert_eq!(login.last_check().code, "saml_idp_error");
}

#[tokio::test]
async fn other_errors_of_the_idp_are_refusals_with_its_codes() {
    for second in [AUTHN_FAILED, ""] {
        let refused = rejected(login().complete(settings(), &status_only(RESPONDER, second)).await);

        let codes =
            [RESPONDER, second].iter().filter(|c| !c.is_empty()).map(|c| (*c).to_owned()).collect();
        assert_eq!(refused, Rejection::IdpError { codes, message: Some("said no".to_owned()) });
    }
}

#[tokio::test]
async fn a_denial_beside_an_assertion_is_a_fault_and_not_a_no() {
    let outer = format!(
        r#"<samlp:StatusCode Value="{RESPONDER}"><samlp:StatusCode Value="{REQUEST_DENIED}"/></samlp:StatusCode>"#
    );
    let document = edited(
        &good(),
        r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>"#,
        &outer,
    );

    let refused = rejected(login().complete(settings(), &document).await);

    assert_eq!(refused.code(), "saml_idp_error");
}

#[tokio::test]
async fn an_error_for_another_login_or_none_does_not_speak_for_this_one() {
    let denied = status_only(RESPONDER, REQUEST_DENIED);
    let other = edited(&denied, "InResponseTo=\"_req1\"", "InResponseTo=\"_req2\"");
    let mut unknown = Login { expected: None, ..login() };

    let by_other = rejected(login().complete(settings(), &other).await);
    let by_unknown = rejected(unknown.complete(settings(), &denied).await);

    assert_eq!(by_other.code(), "saml_in_response_to_mismatch");
    assert_eq!(by_unknown, Rejection::PendingLoginMissing);
}

#[tokio::test]
async fn success_without_an_assertion_is_refused() {
    let refused = rejected(login().complete(settings(), &response("", "")).await);

    assert_eq!(refused, Rejection::AssertionMissing);
}

#[tokio::test]
async fn an_unsolicited_response_is_taken_only_where_the_connection_says_so() {
    let bare = response("", &edited(&assertion(), " InResponseTo=\"_req1\"", ""));
    let document = sign(&edited(&bare, " InResponseTo=\"_req1\"", ""));
    let nobody_asked = || Login { expected: None, ..login() };

    let off = rejected(nobody_asked().complete(settings(), &document).await);
    let on = nobody_asked()
        .complete(SamlSettings { idp_initiated: true, ..settings() }, &document)
        .await;
    let pending = rejected(
        login().complete(SamlSettings { idp_initiated: true, ..settings() }, &document).await,
    );

    assert_eq!(off, Rejection::Unsolicited);
    assert!(on.is_ok(), "{on:?}");
    assert_eq!(pending.code(), "saml_in_response_to_mismatch");
}

#[tokio::test]
async fn a_solicited_response_is_never_taken_as_unsolicited() {
    let hidden = sign(&edited(&response("", &assertion()), " InResponseTo=\"_req1\"", ""));
    let mut nobody_asked = Login { expected: None, ..login() };

    let refused = rejected(
        nobody_asked.complete(SamlSettings { idp_initiated: true, ..settings() }, &hidden).await,
    );

    assert_eq!(refused, Rejection::PendingLoginMissing);
}

#[tokio::test]
async fn answers_and_logins_of_the_other_protocol_are_refused() {
    let oidc_answer = UpstreamAnswer::Oidc { code: "c".to_owned(), iss: None };
    let oidc_login = Expected::Oidc {
        nonce: "n".to_owned(),
        pkce_verifier: "v".to_owned(),
        force_login: false,
        sent_at: now(),
    };
    let mismatch = Err(ConnectorError::Rejected(crate::error::Rejection::ProtocolMismatch));
    let mut of_oidc = Login { expected: Some(oidc_login), ..login() };

    assert_eq!(login().complete_with(settings(), oidc_answer).await, mismatch);
    assert_eq!(of_oidc.complete(settings(), &good()).await, mismatch);
    assert_eq!(of_oidc.last_check().code, "protocol_mismatch");
}

#[tokio::test]
async fn a_forced_login_must_have_happened_since_the_request() {
    let forced = |sent_at: &str| Login {
        expected: Some(Expected::Saml {
            request_id: "_req1".to_owned(),
            force_login: true,
            sent_at: sent_at.parse().unwrap(),
        }),
        ..login()
    };

    let fresh = forced("2026-01-01T00:01:30Z").complete(settings(), &good()).await;
    let stale = rejected(forced("2026-01-01T00:01:31Z").complete(settings(), &good()).await);

    assert!(fresh.is_ok());
    assert_eq!(stale.code(), "saml_authn_too_old");
}

#[test]
fn the_oldest_authentication_follows_from_what_was_asked() {
    let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
    let sent_at = at("2026-01-01T00:00:40Z");
    let pending = |force_login| Some(Pending { request_id: "_req1", force_login, sent_at });

    assert_eq!(oldest_authn(pending(false), None, now()), None);
    assert_eq!(oldest_authn(pending(true), None, now()), Some(sent_at));
    assert_eq!(oldest_authn(pending(true), Some(3600), now()), Some(sent_at));
    assert_eq!(oldest_authn(pending(false), Some(30), now()), Some(at("2026-01-01T00:00:30Z")));
    assert_eq!(oldest_authn(pending(false), Some(0), now()), Some(sent_at));
    assert_eq!(oldest_authn(pending(false), Some(-5), now()), Some(sent_at));
    assert_eq!(oldest_authn(None, Some(0), now()), Some(now()));
    assert_eq!(oldest_authn(pending(false), Some(i64::MAX), now()), Some(DateTime::UNIX_EPOCH));
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

async fn begun(settings: SamlSettings) -> Result<Begun, ConnectorError> {
    let request = BeginRequest {
        callback: &Url::parse("https://broker.example.net/saml/acs").unwrap(),
        transaction: "AAECAwQFBgcICQoLDA0ODw",
        login_hint: Some("alice@acme.example"),
        force_login: false,
        acr_values: &[],
        ui_locales: None,
        random: &SequenceRandom::new(1),
        now: now(),
    };
    SamlConnector::new(settings).begin(request).await.map(|beginning| beginning.begun)
}

async fn redirected(settings: SamlSettings) -> String {
    match begun(settings).await {
        Ok(Begun::Redirect { url }) => url.into(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn requests_go_by_redirect_where_the_idp_offers_both() {
    assert!(
        redirected(settings())
            .await
            .starts_with("https://idp.example.com/HTTP-Redirect?SAMLRequest=")
    );
    let by_post = begun(SamlSettings { idp: idp("", &sso("HTTP-POST")), ..settings() }).await;
    assert!(matches!(by_post, Ok(Begun::Form { .. })));
}

#[tokio::test]
async fn requests_are_signed_as_the_connection_says_else_as_the_idp_wants() {
    let wanting = idp("WantAuthnRequestsSigned=\"true\"", &sso("HTTP-Redirect"));
    for (idp, sign_requests, signed) in [
        (&settings().idp, None, false),
        (&settings().idp, Some(true), true),
        (&wanting, None, true),
        (&wanting, Some(false), false),
    ] {
        let url = redirected(SamlSettings { idp: idp.clone(), sign_requests, ..settings() }).await;

        assert_eq!(url.contains("&Signature="), signed);
    }
    let keyless = begun(SamlSettings { idp: wanting, sp_key: None, ..settings() }).await;
    assert_eq!(keyless, Err(Rejection::RequestKeyMissing.into()));
}

#[tokio::test]
async fn only_entra_is_told_the_login_hint() {
    assert!(
        redirected(SamlSettings { vendor_entra: true, ..settings() })
            .await
            .contains("login_hint=alice%40acme.example")
    );
    assert!(!redirected(settings()).await.contains("alice"));
}
