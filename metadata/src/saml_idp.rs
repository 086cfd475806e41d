//! What a SAML IdP says about itself: `EntityDescriptor` with an `IDPSSODescriptor` (SAML Metadata §2).
//!
//! Read is what a relying party needs, and leniently where that is safe: metadata of large vendors
//! is not valid by the schema. Refused is what cannot be read, has no SAML 2.0 IdP role, no way to
//! send a browser there, or no usable signing key. Everything doubtful else is a warning; the
//! caller decides about [`SamlIdpMetadata::is_expired`] and [`SamlIdpMetadata::http_locations`].
//!
//! A signature inside the document is not looked at. Trust in metadata comes from how it got here:
//! an administrator uploads it, or it is fetched over https from a configured address.

mod endpoints;
mod keys;

use std::io::BufRead;

use chrono::{DateTime, NaiveDateTime, Utc};
use homerealm_certs::{Certificate, TrustedKeys};
use serde::Serialize;

use crate::MetadataRefusal;
use crate::aggregate::{Entity, find_idp};
use crate::entity_id::EntityId;
use crate::gate::trim;
use crate::refusal::cut;
use crate::xml_names::{MD, SAML2_PROTOCOL};
use crate::xml_tree::Element;

pub use endpoints::{Binding, Endpoint};
pub use keys::{KeyUse, MetadataCertificate};

#[cfg(test)]
pub(crate) mod tests;

/// The metadata of one IdP. It has at least one SSO location that we speak and one trusted key.
///
/// As JSON it is the answer of `homerealm metadata inspect`; the keys themselves are not part of that.
#[derive(Clone, Debug, Serialize)]
pub struct SamlIdpMetadata {
    /// The IdP's name, which its assertions must bear as Issuer.
    pub entity_id: EntityId,
    /// Where AuthnRequests go.
    pub sso: Vec<Endpoint>,
    /// Where LogoutRequests go.
    pub slo: Vec<Endpoint>,
    /// The certificates that could be read, each once; those with unusable keys say so.
    pub certificates: Vec<MetadataCertificate>,
    /// The NameID formats that the IdP says it can send.
    pub name_id_formats: Vec<String>,
    /// Whether the IdP wants AuthnRequests to be signed.
    pub want_authn_requests_signed: bool,
    /// The earliest `validUntil` that applies.
    pub valid_until: Option<DateTime<Utc>>,
    /// What a person should look at, one sentence each.
    pub warnings: Vec<String>,
    #[serde(skip)]
    trusted_keys: TrustedKeys,
    #[serde(skip)]
    signing_certificates: Vec<Certificate>,
}

impl SamlIdpMetadata {
    /// Reads metadata from memory; see [`Self::read_from`].
    ///
    /// # Errors
    /// [`MetadataRefusal`], one variant a reason.
    pub fn read(
        xml: &[u8],
        choose: Option<&EntityId>,
        now: DateTime<Utc>,
    ) -> Result<Self, MetadataRefusal> {
        Self::read_from(xml, choose, now)
    }

    /// Reads the only IdP of a document, or the one of the chosen entity id. The document is an
    /// `EntityDescriptor` or an `EntitiesDescriptor` of any size up to
    /// [`MAX_DOCUMENT_BYTES`](crate::aggregate::MAX_DOCUMENT_BYTES); memory is needed for one
    /// entity. `now` decides about warnings only.
    ///
    /// # Errors
    /// [`MetadataRefusal`], one variant a reason.
    pub fn read_from(
        input: impl BufRead,
        choose: Option<&EntityId>,
        now: DateTime<Utc>,
    ) -> Result<Self, MetadataRefusal> {
        let entity = find_idp(input, choose)?;
        let mut metadata = Self::from_entity(&entity)?;
        metadata.warn(now);
        Ok(metadata)
    }

    fn from_entity(entity: &Entity) -> Result<Self, MetadataRefusal> {
        let root = Element::read(&entity.xml)?;
        let entity_id = EntityId::try_from(entity.entity_id.as_str())
            .map_err(MetadataRefusal::EntityIdInvalid)?;
        let roles: Vec<&Element> =
            root.children(MD, "IDPSSODescriptor").filter(|role| is_saml2_role(role)).collect();
        let mut valid_until = entity.valid_until;
        for element in roles.iter().copied().chain([&root]) {
            let own = element.attribute("validUntil").map(read_time).transpose()?;
            valid_until = earlier(valid_until, own);
        }
        let keys = keys::read(&roles)?;
        let sso = endpoints::read_sso(&roles)?;
        let wants =
            |role: &&Element| role.attribute("WantAuthnRequestsSigned").is_some_and(is_true);
        Ok(Self {
            entity_id,
            sso,
            slo: endpoints::read_slo(&roles)?,
            certificates: keys.certificates,
            name_id_formats: name_id_formats(&roles),
            want_authn_requests_signed: roles.iter().any(wants),
            valid_until,
            warnings: keys.warnings,
            trusted_keys: keys.trusted_keys,
            signing_certificates: keys.signing_certificates,
        })
    }

    fn warn(&mut self, now: DateTime<Utc>) {
        if let Some(until) = self.valid_until.filter(|_| self.is_expired(now)) {
            self.warnings.push(format!("the metadata expired on {until}"));
        }
        for certificate in
            self.certificates.iter().filter(|c| c.dropped.is_none() && c.not_after < now)
        {
            let MetadataCertificate { sha256, not_after, .. } = certificate;
            self.warnings.push(format!(
                "the certificate {sha256} expired on {not_after}; its key stays trusted, keys are pinned"
            ));
        }
        let plain: Vec<String> = self.http_locations().into_iter().map(cut).collect();
        for location in plain {
            self.warnings.push(format!("the location {location} is http, not https"));
        }
    }

    /// The keys that may have signed what this IdP sends.
    #[must_use]
    pub const fn trusted_keys(&self) -> &TrustedKeys {
        &self.trusted_keys
    }

    /// The certificates of [`Self::trusted_keys`]; keys that came without one have none here.
    #[must_use]
    pub fn signing_certificates(&self) -> &[Certificate] {
        &self.signing_certificates
    }

    /// The first SSO location of a binding.
    #[must_use]
    pub fn sso_location(&self, binding: &Binding) -> Option<&str> {
        self.sso.iter().find(|endpoint| endpoint.binding == *binding).map(|e| e.url.as_str())
    }

    /// Whether `validUntil` is reached (SAML Metadata §2.3.1).
    #[must_use]
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.valid_until.is_some_and(|until| now >= until)
    }

    /// All locations that are http, SSO first, each once.
    #[must_use]
    pub fn http_locations(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for endpoint in self.sso.iter().chain(&self.slo) {
            for url in [Some(&endpoint.url), endpoint.response_url.as_ref()].into_iter().flatten() {
                if endpoints::is_http(url) && !found.contains(&url.as_str()) {
                    found.push(url.as_str());
                }
            }
        }
        found
    }

    /// The answer of `homerealm metadata inspect` and of the management API.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        // Strings, lists and times only: there is nothing in it that JSON could not say.
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn is_saml2_role(role: &Element) -> bool {
    role.attribute("protocolSupportEnumeration").is_some_and(supports_saml2)
}

/// SAML Metadata §2.4.1: a list of protocol URIs.
pub(crate) fn supports_saml2(protocols: &str) -> bool {
    protocols.split_ascii_whitespace().any(|protocol| protocol == SAML2_PROTOCOL)
}

/// XML Schema `boolean`.
fn is_true(text: &str) -> bool {
    matches!(trim(text), "true" | "1")
}

/// XML Schema `dateTime`. SAML Core §1.3.3 wants UTC, so a time without a zone is UTC.
pub(crate) fn read_time(text: &str) -> Result<DateTime<Utc>, MetadataRefusal> {
    let trimmed = trim(text);
    let zoned = DateTime::parse_from_rfc3339(trimmed).map(|time| time.to_utc());
    let naive = || NaiveDateTime::parse_from_str(trimmed, "%Y-%m-%dT%H:%M:%S%.f");
    zoned
        .or_else(|_| naive().map(|time| time.and_utc()))
        .map_err(|_| MetadataRefusal::ValidUntilUnreadable { value: cut(text) })
}

/// The earlier of two times; none is never.
pub(crate) fn earlier(
    one: Option<DateTime<Utc>>,
    other: Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    one.into_iter().chain(other).min()
}

fn name_id_formats(roles: &[&Element]) -> Vec<String> {
    let mut formats = Vec::new();
    for element in roles.iter().flat_map(|role| role.children(MD, "NameIDFormat")) {
        let format = trim(element.text()).to_owned();
        if !format.is_empty() && !formats.contains(&format) {
            formats.push(format);
        }
    }
    formats
}
