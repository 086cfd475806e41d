//! What the ACS was posted: read once, when it is first needed. Where RelayState leads to the pending login that is after the
//! login was found; else to find it.

use super::decode::decode_field;
use super::names::Namespace;
use super::rejection::Rejection;
use super::tree::{Tree, gated_tree};

/// A `SAMLResponse` form field. **Nothing in it is trusted.**
pub struct SamlResponse {
    field: String,
    read: Option<Read>,
}

struct Read {
    /// The limit that it was held to.
    max_bytes: usize,
    tree: Result<Tree, Rejection>,
}

impl SamlResponse {
    /// As it came: base64 of a document.
    pub const fn new(field: String) -> Self {
        Self { field, read: None }
    }

    /// Response/@InResponseTo: **a look-up key and nothing more**. Whether the response answers that login is decided from
    /// its signed part, by `complete`. `max_bytes` is the connection's limit of a decoded response.
    pub fn unverified_in_response_to(&mut self, max_bytes: usize) -> Option<&str> {
        let root = self.tree(max_bytes).as_ref().ok()?.root();
        let response = Some(root).filter(|root| root.is(Namespace::SAMLP, "Response"))?;
        response.attribute("InResponseTo")
    }

    /// Decoded, gated and parsed; what [`Self::unverified_in_response_to`] has read is not read again.
    ///
    /// # Errors
    /// Size, base64, or the gate.
    pub(super) fn into_tree(mut self, max_bytes: usize) -> Result<Tree, Rejection> {
        self.tree(max_bytes);
        self.read.map_or(Err(Rejection::Base64), |read| read.tree)
    }

    fn tree(&mut self, max_bytes: usize) -> &Result<Tree, Rejection> {
        let read = self.read.take().filter(|read| read.max_bytes == max_bytes);
        let read = read.unwrap_or_else(|| {
            let tree = decode_field(&self.field, max_bytes)
                .and_then(|document| gated_tree(&document, max_bytes));
            Read { max_bytes, tree }
        });
        &self.read.insert(read).tree
    }
}

impl std::fmt::Debug for SamlResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SamlResponse({} characters)", self.field.len())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const RESPONSE: &str =
        r#"<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" InResponseTo="_req"/>"#;

    fn posted(document: &str) -> SamlResponse {
        SamlResponse::new(STANDARD.encode(document))
    }

    fn of(document: &str) -> Option<String> {
        posted(document).unverified_in_response_to(1000).map(str::to_owned)
    }

    #[test]
    fn finds_the_request_that_a_response_claims_to_answer() {
        assert_eq!(of(RESPONSE).as_deref(), Some("_req"));
    }

    #[test]
    fn finds_nothing_in_anything_else() {
        for document in [
            "",
            "x",
            r#"<Response InResponseTo="_req"/>"#,
            r#"<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"/>"#,
            r#"<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" p:InResponseTo="_req"/>"#,
            r#"<!DOCTYPE x><p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" InResponseTo="_req"/>"#,
        ] {
            assert_eq!(of(document), None, "{document}");
        }
        let mut no_base64 = SamlResponse::new("not base64!".to_owned());
        assert_eq!(no_base64.unverified_in_response_to(1000), None);
        assert!(matches!(no_base64.into_tree(1000), Err(Rejection::Base64)));
    }

    #[test]
    fn what_was_read_to_find_the_login_is_not_read_again() {
        let mut response = posted(RESPONSE);
        assert!(response.unverified_in_response_to(1000).is_some());

        response.field.clear();

        assert!(response.into_tree(1000).is_ok());
    }

    #[test]
    fn each_reading_is_held_to_its_own_limit() {
        let mut response = posted(RESPONSE);
        assert!(response.unverified_in_response_to(1000).is_some());
        assert!(response.unverified_in_response_to(10).is_none());

        let refused = response.into_tree(20);

        assert!(matches!(refused, Err(Rejection::ResponseTooLarge { limit: 20 })));
    }
}
