use super::{base64_value, decode_field};
use crate::saml::Rejection;

#[test]
fn takes_line_breaks_and_refuses_other_alphabets_and_missing_padding() {
    assert_eq!(base64_value("YW\r\n Jj").as_deref(), Some(b"abc".as_slice()));
    for bad in ["YWJj=", "YWI", "YW_j", "YWJ", "YW==YW==", "YWJ\u{e4}", "YWF="] {
        assert_eq!(base64_value(bad), None, "{bad}");
    }
}

#[test]
fn refuses_a_field_that_is_not_base64() {
    assert_eq!(decode_field("<samlp:Response/>", 100), Err(Rejection::Base64));
}

#[test]
fn the_limit_is_on_the_decoded_bytes() {
    let field = |bytes: usize| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(vec![b'x'; bytes])
    };

    assert_eq!(decode_field(&field(100), 100).unwrap().len(), 100);
    assert_eq!(decode_field(&field(101), 100), Err(Rejection::ResponseTooLarge { limit: 100 }));
    assert_eq!(
        decode_field(&" ".repeat(200), 100),
        Err(Rejection::ResponseTooLarge { limit: 100 })
    );
}
