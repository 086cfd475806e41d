//! One response of the corpus as the ACS sees it: base64 in, a verified and fully checked assertion out.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use homerealm_connectors::check::Checks;
use homerealm_connectors::connector::{
    Completion, Connector as _, Expected, OnceGuard, UpstreamAnswer,
};
use homerealm_connectors::error::StoreUnavailable;
use homerealm_connectors::saml::{SamlConnector, SamlResponse, SamlSettings};
use homerealm_metadata::entity_id::EntityId;
use homerealm_metadata::saml_idp::SamlIdpMetadata;
use url::Url;

/// A pending login at the corpus' IdP and the response that answers it.
pub struct SamlLogin {
    connector: SamlConnector,
    response: String,
    expected: Expected,
    acs: Url,
    now: DateTime<Utc>,
}

impl SamlLogin {
    /// With the corpus' IdP certificate (DER) and one of its responses, judged at `now`.
    ///
    /// # Errors
    /// The certificate or the names are not usable.
    pub fn new(
        certificate: &[u8],
        response: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let idp = SamlIdpMetadata::read(metadata(certificate).as_bytes(), None, now)?;
        let connector = SamlConnector::new(SamlSettings {
            connection: "con_1".to_owned(),
            idp: Arc::new(idp),
            sp_entity_id: EntityId::try_from("https://broker.example.net/sp".to_owned())?,
            sign_requests: None,
            sp_key: None,
            decrypt: false,
            name_id_format: None,
            clock_skew: TimeDelta::seconds(60),
            allow_sha1: false,
            allow_inclusive_c14n: false,
            subject_attribute: None,
            vendor_entra: false,
            idp_initiated: false,
            max_response_bytes: 256 * 1024,
        });
        let expected =
            Expected::Saml { request_id: "_req1".to_owned(), force_login: false, sent_at: now };
        let acs = Url::parse("https://broker.example.net/saml/acs")?;
        Ok(Self { connector, response: STANDARD.encode(response), expected, acs, now })
    }

    /// Everything that the ACS does with the response but for the store: true where it was accepted.
    pub fn complete(&self) -> bool {
        let mut checks = Checks::default();
        let completion = Completion {
            expected: Some(&self.expected),
            callback: &self.acs,
            max_age: None,
            guard: &Unused,
            epoch: self.now - TimeDelta::days(1),
            now: self.now,
            checks: &mut checks,
        };
        let response = SamlResponse::new(self.response.clone());
        let answer = UpstreamAnswer::Saml { response };
        let done = pin!(self.connector.complete(completion, answer));
        // nothing in it waits: the store's part is not here
        match { done }.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result.is_ok(),
            Poll::Pending => false,
        }
    }
}

impl std::fmt::Debug for SamlLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SamlLogin").field("bytes", &self.response.len()).finish_non_exhaustive()
    }
}

/// Plain assertions need no marker before they are verified.
struct Unused;

#[async_trait]
impl OnceGuard for Unused {
    async fn first_use(&self, _key: &str, _until: DateTime<Utc>) -> Result<bool, StoreUnavailable> {
        Ok(true)
    }

    fn allows_decryption(&self) -> bool {
        true
    }
}

fn metadata(certificate: &[u8]) -> String {
    format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/></IDPSSODescriptor></EntityDescriptor>"#,
        STANDARD.encode(certificate)
    )
}
