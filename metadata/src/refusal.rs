//! Why SAML metadata is not taken.

use crate::entity_id::{EntityId, InvalidEntityId};
use crate::gate::GateError;

/// One reason a variant. The text is one line and names the fix where there is one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MetadataRefusal {
    /// An aggregate has more bytes than are read.
    #[error("the document is larger than {limit} bytes")]
    DocumentTooLarge {
        /// The limit that was passed, in bytes.
        limit: u64,
    },
    /// The entity id is missing or none.
    #[error("the entity id is not usable: {0}")]
    EntityIdInvalid(#[source] InvalidEntityId),
    /// There is no entity of the id that was asked for.
    #[error("there is no entity `{wanted}` in the document")]
    EntityNotFound {
        /// The id that was asked for.
        wanted: EntityId,
    },
    /// The metadata of one entity has too many bytes.
    #[error("the metadata of one entity is larger than {limit} bytes")]
    EntityTooLarge {
        /// The limit that was passed, in bytes.
        limit: usize,
    },
    /// Two IdPs of the same entity id: nobody can tell whose keys are right.
    #[error("the entity `{entity_id}` is there twice")]
    EntityTwice {
        /// The id of both.
        entity_id: EntityId,
    },
    /// A single sign-on or logout location is no URL.
    #[error("the {service} location {location:?} is not an absolute URL")]
    LocationInvalid {
        /// `SSO` or `SLO`.
        service: &'static str,
        /// The location, cut to a length that fits a line.
        location: String,
    },
    /// A location to which no browser should be sent, such as `javascript:` (CWE-79, CWE-601).
    #[error("the {service} location has the scheme `{scheme}`, only https and http are allowed")]
    LocationScheme {
        /// `SSO` or `SLO`.
        service: &'static str,
        /// The scheme.
        scheme: String,
    },
    /// The groups around an entity declare namespaces with too many bytes.
    #[error("the namespace declarations around an entity are larger than {limit} bytes")]
    NamespacesTooLarge {
        /// The limit that was passed, in bytes.
        limit: usize,
    },
    /// No entity has an `IDPSSODescriptor` that supports SAML 2.0.
    #[error("there is no SAML 2.0 IdP in the document")]
    NoIdpRole,
    /// Without a key nothing that the IdP sends could be verified.
    #[error("there is no usable signing key{}", because(.dropped))]
    NoSigningKey {
        /// Why the keys that are there are not usable.
        dropped: Vec<String>,
    },
    /// No single sign-on location for HTTP-Redirect or HTTP-POST.
    #[error("there is no SSO location for HTTP-Redirect or HTTP-POST")]
    NoSsoEndpoint,
    /// The root element is something else.
    #[error("the document is not SAML metadata, its root element is `{root}`")]
    NotMetadata {
        /// The local name of the root element, cut to a length that fits a line.
        root: String,
    },
    /// There are several IdPs and none was chosen.
    #[error(
        "there are {count} IdPs in the document, choose one by its entity id, such as `{first}`"
    )]
    SeveralIdps {
        /// How many.
        count: usize,
        /// The entity id of the first, as an example.
        first: String,
    },
    /// There are more signing keys than a signature should be tried with.
    #[error("there are {count} signing keys, at most {limit} are taken")]
    TooManyKeys {
        /// How many.
        count: usize,
        /// The limit that was passed.
        limit: usize,
    },
    /// The input could not be read to its end.
    #[error("the document cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// A `validUntil` is no time (XML Schema `dateTime`).
    #[error("validUntil {value:?} is not a time")]
    ValidUntilUnreadable {
        /// The text, cut to a length that fits a line.
        value: String,
    },
    /// The gate did not let the document through.
    #[error("the document {0}")]
    Xml(#[from] GateError),
}

impl MetadataRefusal {
    /// A stable name of the reason: `metadata_…`, or `xml_…` from the gate.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DocumentTooLarge { .. } => "metadata_document_too_large",
            Self::EntityIdInvalid(_) => "metadata_entity_id_invalid",
            Self::EntityNotFound { .. } => "metadata_entity_not_found",
            Self::EntityTooLarge { .. } => "metadata_entity_too_large",
            Self::EntityTwice { .. } => "metadata_entity_twice",
            Self::LocationInvalid { .. } => "metadata_location_invalid",
            Self::LocationScheme { .. } => "metadata_location_scheme",
            Self::NamespacesTooLarge { .. } => "metadata_namespaces_too_large",
            Self::NoIdpRole => "metadata_no_idp_role",
            Self::NoSigningKey { .. } => "metadata_no_signing_key",
            Self::NoSsoEndpoint => "metadata_no_sso_endpoint",
            Self::NotMetadata { .. } => "metadata_not_metadata",
            Self::SeveralIdps { .. } => "metadata_several_idps",
            Self::TooManyKeys { .. } => "metadata_too_many_keys",
            Self::Unreadable(_) => "metadata_unreadable",
            Self::ValidUntilUnreadable { .. } => "metadata_valid_until_unreadable",
            Self::Xml(gate) => gate.code(),
        }
    }
}

/// Hostile metadata must not fill a log line.
pub(crate) fn cut(text: &str) -> String {
    const LONGEST: usize = 100;
    if text.chars().nth(LONGEST).is_none() {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

fn because(dropped: &[String]) -> String {
    match dropped {
        [] => String::new(),
        [reason] => format!(": {reason}"),
        [reason, more @ ..] => format!(": {reason} (and {} more)", more.len()),
    }
}
