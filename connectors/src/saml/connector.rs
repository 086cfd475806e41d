//! One connection's SAML connector: from a login to an AuthnRequest, from a response to a verified assertion.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::SpKey;
use homerealm_metadata::entity_id::EntityId;
use homerealm_metadata::saml_idp::{Binding, SamlIdpMetadata};

use super::assertion::Assertion;
use super::attributes::{self, SubjectRule};
use super::begin::{Sender, Signing, begin};
use super::checks::{Answer, Expectation, admissible_until, check, latest_authn};
use super::envelope::Status;
use super::rejection::Rejection;
use super::verify::{Received, VerifiedSaml, VerifyPolicy};
use crate::assertion::{AssertionParts, ReplayKey, Subject, VerifiedAssertion, VerifiedDocument};
use crate::check::Checks;
use crate::connector::{
    BeginRequest, Beginning, Completion, Connector, Expected, UpstreamAnswer, clamped_skew,
};
use crate::error::ConnectorError;

/// What a connection says about its SAML identity provider.
#[derive(Clone, Debug)]
pub struct SamlSettings {
    /// The connection's ID; keeps the markers of connections apart.
    pub connection: String,
    pub idp: Arc<SamlIdpMetadata>,
    /// Our entity ID for this connection: Issuer of requests, Audience of assertions.
    pub sp_entity_id: EntityId,
    /// `None`: as the IdP's metadata wants.
    pub sign_requests: Option<bool>,
    /// Signs requests and decrypts assertions.
    pub sp_key: Option<SpKey>,
    /// Whether encrypted assertions are taken; needs `sp_key`.
    pub decrypt: bool,
    /// Format for NameIDPolicy; `None`: the IdP decides.
    pub name_id_format: Option<String>,
    /// Tolerance for all time checks, 0 to 300 seconds; more counts as 300.
    pub clock_skew: TimeDelta,
    pub allow_sha1: bool,
    pub allow_inclusive_c14n: bool,
    /// The attribute that names the user in place of the NameID.
    pub subject_attribute: Option<String>,
    /// Entra ID: subject from tenant and object identifier, `login_hint` on the request's URL.
    pub vendor_entra: bool,
    /// Whether responses that nobody asked for are taken.
    pub idp_initiated: bool,
    /// Limit of a decoded response, in bytes.
    pub max_response_bytes: usize,
}

/// Speaks SAML 2.0 web browser SSO for one connection (SAML Profiles §4.1).
#[derive(Clone, Debug)]
pub struct SamlConnector {
    settings: SamlSettings,
}

impl SamlConnector {
    pub const fn new(settings: SamlSettings) -> Self {
        Self { settings }
    }
}

#[async_trait]
impl Connector for SamlConnector {
    async fn begin(&self, request: BeginRequest<'_>) -> Result<Beginning, ConnectorError> {
        Ok(begin(&self.sender(), &request)?)
    }

    async fn complete(
        &self,
        mut completion: Completion<'_>,
        answer: UpstreamAnswer,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        let outcome = self.judge(&mut completion, answer).await;
        if let Err(ConnectorError::Rejected(rejection)) = &outcome {
            completion.checks.failed(rejection);
        }
        outcome
    }
}

impl VerifiedDocument for VerifiedSaml {}

/// The pending login, as far as SAML looks at it.
#[derive(Clone, Copy)]
struct Pending<'a> {
    request_id: &'a str,
    force_login: bool,
    sent_at: DateTime<Utc>,
}

impl SamlConnector {
    /// In the order of the verifier: nothing is decrypted before the login is known, nothing is read before it is
    /// verified.
    async fn judge(
        &self,
        completion: &mut Completion<'_>,
        answer: UpstreamAnswer,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        let UpstreamAnswer::Saml { response } = answer else {
            return Err(crate::error::Rejection::ProtocolMismatch.into());
        };
        let pending = pending(completion.expected)?;
        let policy = self.policy();
        let received = Received::read(response, &policy)?;
        completion.checks.passed("saml_document", None, None);
        self.belongs_to(&received, pending)?;
        idp_has_answered(&received, completion.checks)?;
        self.decrypts_once(&received, completion).await?;
        let verified = received.verify(&policy)?;
        completion.checks.passed("saml_signature", Some(self.pinned()), None);
        let parts = self.admit(&verified, pending, completion)?;
        Ok(VerifiedAssertion::new(&verified, parts))
    }

    /// Before any cryptography: a response for no login, or for another one, is not worth a decryption. The same is
    /// checked again on the signed part; here it can only refuse.
    fn belongs_to(
        &self,
        received: &Received,
        pending: Option<Pending<'_>>,
    ) -> Result<(), Rejection> {
        match (pending, received.unverified_in_response_to()) {
            (None, Some(_)) => Err(Rejection::PendingLoginMissing),
            (None, None) if !self.settings.idp_initiated => Err(Rejection::Unsolicited),
            (Some(pending), Some(received)) if received != pending.request_id => {
                Err(Rejection::InResponseToMismatch {
                    expected: pending.request_id.to_owned(),
                    received: Some(received.to_owned()),
                })
            }
            (None | Some(_), _) => Ok(()),
        }
    }

    /// One decryption per EncryptedKey: CBC without a signature around it would answer an attacker's questions about
    /// the plain text, so each key gets one (RSA-OAEP cannot be turned into another key for the same content). How many
    /// keys one login can bring is the broker's to say: each leaves a marker.
    async fn decrypts_once(
        &self,
        received: &Received,
        completion: &mut Completion<'_>,
    ) -> Result<(), ConnectorError> {
        let Some(digest) =
            received.encrypted_key_digest().filter(|_| self.decryption_key().is_some())
        else {
            return Ok(());
        };
        if !completion.guard.allows_decryption() {
            return Err(Rejection::DecryptionsExhausted.into());
        }
        let marker = format!("enc:{}:{}", self.settings.connection, hex::encode(digest));
        if !completion.guard.first_use(&marker, completion.now + ENCRYPTED_KEY_KEPT).await? {
            return Err(Rejection::EncryptedKeyReused.into());
        }
        completion.checks.passed("saml_encrypted_key", Some("a new key".to_owned()), None);
        Ok(())
    }

    fn admit(
        &self,
        verified: &VerifiedSaml,
        pending: Option<Pending<'_>>,
        completion: &mut Completion<'_>,
    ) -> Result<AssertionParts, Rejection> {
        let assertion = Assertion::read(verified.assertion())?;
        let expect = self.expectation(pending, completion);
        let answer = Answer {
            envelope: verified.envelope(),
            assertion: &assertion,
            was_encrypted: verified.was_encrypted(),
        };
        check(&answer, &expect, completion.checks)?;
        let subject = attributes::subject(&assertion, self.subject_rule())?;
        completion.checks.passed(
            "saml_subject",
            Some("a lasting name".to_owned()),
            Some(seen(&subject)),
        );
        parts(assertion, subject, expect.skew)
    }

    fn expectation<'a>(
        &'a self,
        pending: Option<Pending<'a>>,
        completion: &Completion<'a>,
    ) -> Expectation<'a> {
        Expectation {
            issuer: self.settings.idp.entity_id.as_str(),
            audience: self.settings.sp_entity_id.as_str(),
            acs: completion.callback.as_str(),
            request_id: pending.map(|pending| pending.request_id),
            idp_initiated: self.settings.idp_initiated,
            oldest_authn: oldest_authn(pending, completion.max_age, completion.now),
            skew: clamped_skew(self.settings.clock_skew),
            epoch: completion.epoch,
            now: completion.now,
        }
    }

    /// A configured attribute is the admin's explicit choice and goes before the vendor's preset.
    fn subject_rule(&self) -> SubjectRule<'_> {
        match &self.settings.subject_attribute {
            Some(name) => SubjectRule::Attribute(name),
            None if self.settings.vendor_entra => SubjectRule::Entra,
            None => SubjectRule::NameId,
        }
    }

    fn policy(&self) -> VerifyPolicy<'_> {
        VerifyPolicy {
            keys: self.settings.idp.trusted_keys(),
            decryption: self.decryption_key(),
            allow_sha1: self.settings.allow_sha1,
            allow_inclusive_c14n: self.settings.allow_inclusive_c14n,
            max_response_bytes: self.settings.max_response_bytes,
        }
    }

    fn decryption_key(&self) -> Option<&SpKey> {
        self.settings.sp_key.as_ref().filter(|_| self.settings.decrypt)
    }

    fn pinned(&self) -> String {
        format!("a signature by a key of {}", self.settings.idp.entity_id)
    }

    fn sender(&self) -> Sender<'_> {
        let SamlSettings { idp, sp_key, .. } = &self.settings;
        let signing =
            match (self.settings.sign_requests.unwrap_or(idp.want_authn_requests_signed), sp_key) {
                (false, _) => Signing::Off,
                (true, Some(key)) => Signing::By(key),
                (true, None) => Signing::KeyMissing,
            };
        Sender {
            redirect: idp.sso_location(&Binding::HttpRedirect),
            post: idp.sso_location(&Binding::HttpPost),
            issuer: self.settings.sp_entity_id.as_str(),
            signing,
            name_id_format: self.settings.name_id_format.as_deref(),
            takes_login_hint: self.settings.vendor_entra,
        }
    }
}

const ENCRYPTED_KEY_KEPT: TimeDelta = TimeDelta::hours(24);

fn pending(expected: Option<&Expected>) -> Result<Option<Pending<'_>>, ConnectorError> {
    match expected {
        Some(Expected::Saml { request_id, force_login, sent_at }) => {
            Ok(Some(Pending { request_id, force_login: *force_login, sent_at: *sent_at }))
        }
        Some(Expected::OAuth2 { .. } | Expected::Oidc { .. } | Expected::Password { .. }) => {
            Err(crate::error::Rejection::ProtocolMismatch.into())
        }
        None => Ok(None),
    }
}

/// `RequestDenied` is what IdPs send when the user said no (SAML Core §3.2.2.2; Keycloak for a cancelled login and for
/// consent refused). `AuthnFailed` is not taken for one: IdPs send it for faults of theirs and ours as well, which the
/// admin must see.
const USERS_NO: &str = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied";

/// A response without an assertion is legal where the IdP says why (SAML Core §3.2.2.2). Nobody signed that: it ends
/// this attempt, and does no more.
fn idp_has_answered(received: &Received, checks: &mut Checks) -> Result<(), ConnectorError> {
    let Status { codes, message } = received.unverified_status();
    let success = codes.first().is_some_and(|code| code == Status::SUCCESS);
    match (success, received.has_assertion()) {
        (true, true) => Ok(()),
        (true, false) => Err(Rejection::AssertionMissing.into()),
        (false, false) if codes.iter().any(|code| code == USERS_NO) => {
            let rejection = Rejection::IdpError { codes, message: message.clone() };
            checks.failed(&rejection.into());
            Err(ConnectorError::Denied { error: USERS_NO.to_owned(), description: message })
        }
        (false, true | false) => Err(Rejection::IdpError { codes, message }.into()),
    }
}

/// When the user must have authenticated at the earliest: since the request where it demanded that, else within
/// `max_age` seconds, where an authentication for this very request is always young enough (OIDC Core §3.1.2.1).
fn oldest_authn(
    pending: Option<Pending<'_>>,
    max_age: Option<i64>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if let Some(pending) = pending.filter(|pending| pending.force_login) {
        return Some(pending.sent_at);
    }
    let age = TimeDelta::try_seconds(max_age?.max(0));
    let oldest = age.and_then(|age| now.checked_sub_signed(age)).unwrap_or(DateTime::UNIX_EPOCH);
    Some(pending.map_or(oldest, |pending| oldest.min(pending.sent_at)))
}

/// The kind of name, never the name.
fn seen(subject: &Subject) -> String {
    let kind = subject.format.as_deref().unwrap_or("tenant and object identifier");
    if subject.mutable_email_like {
        return format!(
            "{kind}: looks like an e-mail address, which may be given to somebody else one day"
        );
    }
    kind.to_owned()
}

fn parts(
    assertion: Assertion,
    subject: Subject,
    skew: TimeDelta,
) -> Result<AssertionParts, Rejection> {
    let until = admissible_until(&assertion, skew);
    let latest = latest_authn(&assertion).cloned();
    let session_ends =
        assertion.authn.iter().filter_map(|statement| statement.session_not_on_or_after);
    let session_not_on_or_after = session_ends.min();
    let attributes = attributes::merged(assertion.attributes)?;
    Ok(AssertionParts {
        issuer: assertion.issuer.value,
        subject,
        auth_time: latest.as_ref().map(|statement| statement.instant),
        acr: latest.as_ref().and_then(|statement| statement.class_ref.clone()),
        amr: attributes::authn_methods(&attributes),
        session_index: latest.and_then(|statement| statement.session_index),
        session_not_on_or_after,
        replay: ReplayKey { value: assertion.id, until },
        issued_at: assertion.issue_instant,
        upstream_email_verified: attributes::email_verified(&attributes),
        attributes,
    })
}
