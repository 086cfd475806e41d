//! From the form field to bytes.

#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::rejection::Rejection;

/// Decodes the `SAMLResponse` field of the HTTP-POST binding (SAML Bindings §3.5.4): base64 with optional line breaks.
///
/// Nothing is ever inflated here; the size is checked before anything is copied.
pub(super) fn decode_field(field: &str, max_bytes: usize) -> Result<Vec<u8>, Rejection> {
    let longest = max_bytes.div_ceil(3) * 4;
    // Line breaks: two characters in every 64 or more, as MIME and PEM have them.
    if field.len() > longest + longest / 32 {
        return Err(Rejection::ResponseTooLarge { limit: max_bytes });
    }
    let bytes = base64_value(field).ok_or(Rejection::Base64)?;
    if bytes.len() > max_bytes {
        return Err(Rejection::ResponseTooLarge { limit: max_bytes });
    }
    Ok(bytes)
}

/// `xs:base64Binary`: the standard alphabet, padded, white space anywhere. Most IdPs send none, so that is tried first.
pub(super) fn base64_value(text: &str) -> Option<Vec<u8>> {
    if let Ok(bytes) = STANDARD.decode(text) {
        return Some(bytes);
    }
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).ok()
}
