use super::*;

proptest::proptest! {
    #[test]
    fn never_panics_on_bytes(bytes: Vec<u8>) {
        let _ = check(&bytes, &Limits::RESPONSE);
    }

    #[test]
    fn never_panics_on_pieces_of_markup_and_cuts_them_alike(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40),
    ) {
        let text = pieces.concat();
        if let Ok(checked) = check(text.as_bytes(), &Limits::RESPONSE) {
            // What the gate lets through, the reader behind it reads to its end.
            proptest::prop_assert!(crate::xml_tree::Element::read(checked).is_ok(), "{}", text);
        }
    }

    #[test]
    fn a_good_document_with_one_byte_changed_never_panics(at in 0..GOOD.len(), byte: u8) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(checked) = check(&bytes, &Limits::RESPONSE) {
            proptest::prop_assert!(crate::xml_tree::Element::read(checked).is_ok(), "{}", checked);
        }
    }
}

const PIECES: &[&str] = &[
    "<a>",
    "</a>",
    "<a/>",
    "<b c='d'>",
    "</b>",
    "<p:a xmlns:p='urn:p'>",
    "</p:a>",
    "<a",
    " b='",
    "'",
    "\"",
    ">",
    "/>",
    "<!--",
    "-->",
    "--",
    "<![CDATA[",
    "]]>",
    "]",
    "&amp;",
    "&#x41;",
    "&",
    ";",
    "<?xml version='1.0'?>",
    "<?",
    "?>",
    "<!DOCTYPE",
    "\u{feff}",
    " ",
    "\n",
    "é",
    "xmlns='urn:q'",
    "xml:lang='en'",
    "=",
    ":",
    "text",
];
