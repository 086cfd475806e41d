//! Namespaces and prefixes as small numbers, and the algorithm identifiers that the profile knows.

/// A namespace name, interned once per document. The ones that rules speak of have fixed numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Namespace(pub(super) u16);

impl Namespace {
    /// No namespace at all.
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const XML: Self = Self(1);
    pub(crate) const SAML: Self = Self(2);
    pub(crate) const SAMLP: Self = Self(3);
    pub(crate) const DS: Self = Self(4);
    pub(crate) const DS11: Self = Self(5);
    pub(crate) const XENC: Self = Self(6);
    pub(crate) const XENC11: Self = Self(7);
    pub(crate) const EXC_C14N: Self = Self(8);

    /// XML Signature and XML Encryption, whose own identifier attribute is `Id`.
    pub(crate) const fn is_signature_or_encryption(self) -> bool {
        matches!(self, Self::DS | Self::DS11 | Self::XENC | Self::XENC11)
    }
}

/// The names behind the fixed numbers of [`Namespace`], in their order.
pub(super) const WELL_KNOWN: [&str; 9] = [
    "",
    "http://www.w3.org/XML/1998/namespace",
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "urn:oasis:names:tc:SAML:2.0:protocol",
    "http://www.w3.org/2000/09/xmldsig#",
    "http://www.w3.org/2009/xmldsig11#",
    "http://www.w3.org/2001/04/xmlenc#",
    "http://www.w3.org/2009/xmlenc11#",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
];

/// A namespace prefix, interned once per document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Prefix(pub(super) u16);

impl Prefix {
    /// No prefix: the default namespace for elements, no namespace for attributes.
    pub(crate) const DEFAULT: Self = Self(0);
    /// `xml`, bound by definition (Namespaces in XML 1.0 §3).
    pub(crate) const XML: Self = Self(1);

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// `http://www.w3.org/2000/09/xmldsig#enveloped-signature`
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
