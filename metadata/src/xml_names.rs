//! Namespaces and identifiers that SAML metadata is written with.

/// SAML Metadata §1.1.
pub(crate) const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
/// XML Signature §1.3.
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML Signature 1.1, where `ECKeyValue` lives.
pub(crate) const DSIG11: &str = "http://www.w3.org/2009/xmldsig11#";
/// What `protocolSupportEnumeration` lists for SAML 2.0 (SAML Metadata §2.4.1).
pub(crate) const SAML2_PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// What the SAML 2.0 bindings begin with (SAML Bindings §3).
pub(crate) const SAML2_BINDINGS: &str = "urn:oasis:names:tc:SAML:2.0:bindings:";
