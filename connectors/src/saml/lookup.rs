//! Finds the pending login of a response that came without RelayState.

use super::decode::decode_field;
use super::names::Namespace;
use super::tree::gated_tree;

/// Larger responses have to bring RelayState.
const MAX_BYTES: usize = 1024 * 1024;

/// Response/@InResponseTo of a `SAMLResponse` form field: **a look-up key and nothing more**. Whether the response
/// answers that login is decided from its signed part, by `complete`.
pub fn unverified_in_response_to(response_base64: &str) -> Option<String> {
    let document = decode_field(response_base64, MAX_BYTES).ok()?;
    let tree = gated_tree(&document, MAX_BYTES).ok()?;
    let root = tree.root();
    if !root.is(Namespace::SAMLP, "Response") {
        return None;
    }
    root.attribute("InResponseTo").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn of(document: &str) -> Option<String> {
        unverified_in_response_to(&STANDARD.encode(document))
    }

    #[test]
    fn finds_the_request_that_a_response_claims_to_answer() {
        let response =
            r#"<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" InResponseTo="_req"/>"#;

        assert_eq!(of(response).as_deref(), Some("_req"));
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
        assert_eq!(unverified_in_response_to("not base64!"), None);
    }
}
