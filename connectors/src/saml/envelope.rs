//! What stands on the Response, around the assertion.

/// The Response without its assertion.
///
/// Where `is_signed` is false nobody vouches for it: its values can refuse a login, never admit one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Envelope {
    pub id: String,
    pub version: String,
    /// As sent; read by the profile's checks (SAML Core §1.3.3).
    pub issue_instant: String,
    pub destination: Option<String>,
    pub in_response_to: Option<String>,
    /// Text of Issuer, where there is one. The verifier has refused anything but text in it.
    pub issuer: Option<String>,
    pub issuer_format: Option<String>,
    pub status: Status,
    /// Read from bytes that a signature of the Response covers.
    pub is_signed: bool,
}

/// `samlp:Status` (SAML Core §3.2.2.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// The top-level code first, then the nested ones; empty where there is no StatusCode.
    pub codes: Vec<String>,
    pub message: Option<String>,
}

impl Status {
    pub const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

    /// SAML Core §3.2.2.2: the top-level code alone decides.
    pub fn is_success(&self) -> bool {
        self.codes.first().is_some_and(|code| code == Self::SUCCESS)
    }
}
