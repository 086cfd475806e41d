//! What the sample IdP reads of an AuthnRequest (SAML Core §3.4.1) by HTTP-Redirect (Bindings §3.4.4.1).

use std::io::Read as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::DeflateDecoder;
use homerealm_metadata::gate::{self, Limits};
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Unsigned, so none of it is trusted but as a key into what was registered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct AuthnRequest {
    pub(super) id: String,
    pub(super) issuer: String,
    pub(super) acs: Option<String>,
}

/// Bytes of the inflated request.
const LARGEST: u64 = 64 * 1024;

impl AuthnRequest {
    /// Base64 of raw DEFLATE.
    pub(super) fn from_redirect(parameter: &str) -> Option<Self> {
        let compressed = STANDARD.decode(parameter).ok()?;
        let mut xml = Vec::new();
        DeflateDecoder::new(compressed.as_slice()).take(LARGEST + 1).read_to_end(&mut xml).ok()?;
        let xml = (xml.len() as u64 <= LARGEST).then_some(xml)?;
        Self::read(gate::check(&xml, &Limits::RESPONSE).ok()?)
    }

    fn read(xml: &str) -> Option<Self> {
        let mut reader = Reader::from_str(xml);
        let mut found: Option<Self> = None;
        let mut in_issuer = false;
        loop {
            match (reader.read_event().ok()?, &mut found) {
                (Event::Start(tag) | Event::Empty(tag), None) => found = Some(Self::root(&tag)?),
                (Event::Start(tag), Some(_)) => in_issuer = is(&tag, "Issuer"),
                (Event::Text(text), Some(request)) if in_issuer => {
                    request.issuer.push_str(&text.xml10_content());
                }
                (Event::GeneralRef(name), Some(request)) if in_issuer => {
                    request.issuer.push_str(resolve_predefined_entity(&name)?);
                }
                (Event::End(_), _) => in_issuer = false,
                (Event::Eof, _) => return found,
                (
                    Event::CData(_)
                    | Event::Comment(_)
                    | Event::Decl(_)
                    | Event::DocType(_)
                    | Event::Empty(_)
                    | Event::GeneralRef(_)
                    | Event::PI(_)
                    | Event::Text(_),
                    _,
                ) => {}
            }
        }
    }

    fn root(tag: &BytesStart<'_>) -> Option<Self> {
        let id = attribute(tag, "ID").filter(|_| is(tag, "AuthnRequest"))?;
        let acs = attribute(tag, "AssertionConsumerServiceURL");
        Some(Self { id, issuer: String::new(), acs })
    }
}

fn is(tag: &BytesStart<'_>, local_name: &str) -> bool {
    let name = tag.local_name();
    let name: &str = name.as_ref();
    name == local_name
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().filter_map(Result::ok).find(|attribute| {
        let key: &str = attribute.key.as_ref();
        key == name
    });
    Some(found?.normalized_value(XmlVersion::Explicit1_0).ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    fn sent(xml: &str) -> Option<AuthnRequest> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(xml.as_bytes()).unwrap();
        AuthnRequest::from_redirect(&STANDARD.encode(encoder.finish().unwrap()))
    }

    const GOOD: &str = r#"<p:AuthnRequest xmlns:p="urn:p" ID="_1" AssertionConsumerServiceURL="https://sp.example/acs"><s:Issuer xmlns:s="urn:s">https://sp.example/?a&amp;b</s:Issuer></p:AuthnRequest>"#;

    #[test]
    fn a_request_is_read() {
        let expected = AuthnRequest {
            id: "_1".to_owned(),
            issuer: "https://sp.example/?a&b".to_owned(),
            acs: Some("https://sp.example/acs".to_owned()),
        };
        assert_eq!(sent(GOOD), Some(expected));
    }

    #[test]
    fn what_is_no_request_is_not() {
        assert_eq!(sent(&GOOD.replace("AuthnRequest", "LogoutRequest")), None);
        assert_eq!(sent(&GOOD.replace(" ID=", " id=")), None);
        assert_eq!(sent(&format!("<!DOCTYPE x>{GOOD}")), None);
        assert_eq!(sent(&format!("{GOOD}<!--{}-->", "x".repeat(70_000))), None);
        assert_eq!(AuthnRequest::from_redirect("not base64"), None);
    }
}
