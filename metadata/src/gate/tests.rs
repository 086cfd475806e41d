use super::*;

const GOOD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- before --><a:root xmlns:a="urn:a" xmlns="urn:b" a:x='1' x="2 &lt; &#x33;" xml:lang="en">
 text &amp; <![CDATA[ <raw> & ]]> ]] > <child/><a:é  y = "it's > this" /><!-- a - b --></a:root >
"#;

fn judge(text: &str) -> Result<&str, GateError> {
    check(text.as_bytes(), &Limits::RESPONSE)
}

const fn ill_formed(reason: &'static str) -> Result<&'static str, GateError> {
    Err(GateError::NotWellFormed { reason })
}

const fn bad_namespace(reason: &'static str) -> Result<&'static str, GateError> {
    Err(GateError::Namespace { reason })
}

#[test]
fn lets_a_good_document_through_unchanged() {
    assert_eq!(judge(GOOD), Ok(GOOD));
}

#[test]
fn strips_one_byte_order_mark_and_no_second() {
    assert_eq!(judge("\u{feff}<a/>"), Ok("<a/>"));
    assert_eq!(judge("\u{feff}\u{feff}<a/>"), Err(GateError::OutsideRoot));
}

#[test]
fn takes_the_last_byte_and_refuses_one_more() {
    let limits = Limits { max_bytes: 4, ..Limits::RESPONSE };
    assert!(check(b"<a/>", &limits).is_ok());
    assert_eq!(check(b"<a/> ", &limits), Err(GateError::TooLarge { limit: 4 }));
}

#[test]
fn refuses_what_is_not_utf_8_or_says_so() {
    for bad in [
        &b"<a>\xff</a>"[..],
        b"<a>\xed\xa0\x80</a>",
        b"<a>\xc0\x80</a>",
        b"\xff\xfe<\0a\0/\0>\0",
        b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        b"<?xml version='1.0' encoding='UTF-7'?><a/>",
    ] {
        assert_eq!(check(bad, &Limits::RESPONSE), Err(GateError::Encoding), "{bad:?}");
    }
}

#[test]
fn refuses_characters_outside_xml_1_0() {
    for bad in [
        "\0",
        "\u{1}",
        "\u{b}",
        "\u{1f}",
        "\u{fffe}",
        "\u{ffff}",
        "&#0;",
        "&#x1;",
        "&#xD800;",
        "&#xFFFE;",
        "&#x110000;",
    ] {
        assert_eq!(judge(&format!("<a>{bad}</a>")), Err(GateError::Character), "{bad:?}");
        assert_eq!(judge(&format!("<a b='{bad}'/>")), Err(GateError::Character), "{bad:?}");
    }
    for good in [
        "\t\r\n",
        "\u{7f}",
        "\u{85}",
        "\u{fffd}",
        "\u{feff}",
        "\u{10ffff}",
        "&#9;",
        "&#x10FFFF;",
        "&#13;",
    ] {
        assert!(judge(&format!("<a>{good}</a>")).is_ok(), "{good:?}");
    }
}

#[test]
fn knows_the_five_predefined_entities_and_no_other() {
    assert!(judge("<a b='&lt;&gt;&amp;&quot;&apos;'>&lt;&gt;&amp;&quot;&apos;</a>").is_ok());
    for bad in [
        "&nbsp;",
        "&",
        "& ",
        "&amp",
        "&;",
        "&#;",
        "&#x;",
        "&#xg;",
        "&#+1;",
        "&#X41;",
        "&LT;",
        "&a.b;",
        "&#00000000000000065;",
    ] {
        assert_eq!(judge(&format!("<a>{bad}</a>")), Err(GateError::Reference), "{bad}");
        assert_eq!(judge(&format!("<a b='{bad}'/>")), Err(GateError::Reference), "{bad}");
    }
}

#[test]
fn refuses_document_types_wherever_they_stand() {
    for bad in [
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!doctype a><a/>",
        "<a><!DOCTYPE b></a>",
        "<!ENTITY b 'c'><a/>",
        "<a/><!DOCTYPE a>",
        "<a><![INCLUDE[x]]></a>",
    ] {
        assert_eq!(judge(bad), Err(GateError::Doctype), "{bad}");
    }
}

#[test]
fn refuses_processing_instructions() {
    for bad in [
        "<?php?><a/>",
        "<a><?x y?></a>",
        "<a/><?x?>",
        "<?xml-stylesheet href='a'?><a/>",
        "<??><a/>",
        "<?XML version='1.0'?><a/>",
    ] {
        assert_eq!(judge(bad), Err(GateError::ProcessingInstruction), "{bad}");
    }
}

#[test]
fn reads_the_xml_declaration_strictly() {
    for good in [
        "version='1.0'",
        "version=\"1.0\" encoding='utf-8'",
        "version='1.0' standalone='yes'",
        "version='1.0' encoding='UTF-8' standalone='no' ",
    ] {
        assert!(judge(&format!("<?xml {good}?><a/>")).is_ok(), "{good}");
    }
    for bad in [
        "",
        "version='1.1'",
        "encoding='UTF-8'",
        "encoding='UTF-8' version='1.0'",
        "version='1.0' version='1.0'",
        "version='1.0' standalone='maybe'",
        "version='1.0' x='y'",
        "version='1.0'encoding='UTF-8'",
        "version=1.0",
        "standalone='yes' version='1.0'",
    ] {
        assert_eq!(judge(&format!("<?xml {bad}?><a/>")), Err(GateError::Declaration), "{bad}");
    }
}

#[test]
fn an_xml_declaration_stands_at_the_very_start() {
    let late = ill_formed("an XML declaration not at the start");
    for bad in [
        " <?xml version='1.0'?><a/>",
        "<a><?xml version='1.0'?></a>",
        "<!----><?xml version='1.0'?><a/>",
        "<?xml version='1.0'?><?xml version='1.0'?><a/>",
    ] {
        assert_eq!(judge(bad), late, "{bad}");
    }
}

#[test]
fn refuses_what_ends_too_early() {
    for bad in [
        "",
        " ",
        "<",
        "<a",
        "<a>",
        "<a>b",
        "<a><b></b>",
        "<a b='",
        "<a b='>'",
        "<!-- a",
        "<a><![CDATA[ ]]",
        "<!--->",
        "<a></a",
        "<?xml",
        "<!",
        "<a><![CDA",
    ] {
        assert_eq!(judge(bad), Err(GateError::Incomplete), "{bad}");
    }
}

#[test]
fn refuses_anything_but_white_space_and_comments_around_one_root() {
    assert!(judge("\n<!--a--><a/>\n<!--b-->\t").is_ok());
    for bad in [
        "x<a/>",
        "<a/>x",
        "<a/><b/>",
        "<a></a></a>",
        "</a>",
        "<a/>&#32;",
        "<![CDATA[]]><a/>",
        "<a/><![CDATA[ ]]>",
        "\u{a0}<a/>",
        "<a/>\u{feff}",
    ] {
        assert_eq!(judge(bad), Err(GateError::OutsideRoot), "{bad}");
    }
}

#[test]
fn refuses_tags_that_do_not_match() {
    for bad in [
        "<a></b>",
        "<a><b></a></b>",
        "<a></A>",
        "<a></ a>",
        "<a xmlns:b='urn:u'><b:c></c></a>",
        "<a></a b='c'>",
    ] {
        assert_eq!(judge(bad), ill_formed("tags that do not match"), "{bad}");
    }
}

#[test]
fn refuses_an_opening_bracket_inside_a_tag() {
    for bad in ["<a b='<'/>", "<a b=\"x<y\"></a>", "<a <b/></a>", "<a\n<b/>"] {
        assert_eq!(judge(bad), ill_formed("a `<` inside a tag"), "{bad}");
    }
}

#[test]
fn refuses_the_end_of_a_cdata_section_in_text() {
    for bad in ["<a>]]></a>", "<a>x]]]></a>", "<a>&amp;]]></a>"] {
        assert_eq!(judge(bad), ill_formed("a `]]>` in text"), "{bad}");
    }
    assert!(judge("<a b=']]>'>]] ></a>").is_ok());
}

#[test]
fn refuses_two_hyphens_in_a_comment() {
    for bad in ["<a><!-- a -- b --></a>", "<a><!-- a ---></a>", "<a><!----->x</a>"] {
        assert_eq!(judge(bad), ill_formed("a `--` inside a comment"), "{bad}");
    }
}

#[test]
fn refuses_malformed_attributes() {
    for bad in [
        "<a b/>",
        "<a b=c/>",
        "<a b='1'c='2'/>",
        "<a b='1' 'c'/>",
        "<a b=/>",
        "<a = 'b'/>x",
        "<a b='1',c='2'/>",
    ] {
        assert!(matches!(judge(bad), Err(GateError::NotWellFormed { .. })), "{bad}");
    }
}

#[test]
fn refuses_names_that_are_none() {
    for bad in [
        "<1a/>",
        "<-a/>",
        "<.a/>",
        "< a/>",
        "<a$/>",
        "<a/ >x</a/ >",
        "<\u{d7}/>",
        "<a\u{37e}/>",
        "<:a/>",
        "<a:/>",
        "<a:b:c/>",
        "<a 1b=''/>",
        "<a :b=''/>",
        "<a xmlns:=''/>",
        "<a xmlns:b:c='u'/>",
        "</><a/>",
    ] {
        assert!(
            matches!(judge(bad), Err(GateError::NotWellFormed { .. } | GateError::OutsideRoot)),
            "{bad}"
        );
    }
    for good in ["<_a/>", "<a-.1\u{b7}/>", "<日本語 属性='値'/>", "<a\u{300}/>"] {
        assert!(judge(good).is_ok(), "{good}");
    }
}

#[test]
fn refuses_an_attribute_twice() {
    for bad in [
        "<a b='1' b='2'/>",
        "<a xmlns:p='urn:u' p:b='1' c='' p:b='2'/>",
        "<a xmlns='urn:u' xmlns='urn:u'/>",
        "<a xmlns:p='urn:u' xmlns:p='urn:v'/>",
    ] {
        assert_eq!(judge(bad), ill_formed("an attribute twice"), "{bad}");
    }
}

#[test]
fn refuses_an_attribute_twice_by_its_namespace() {
    for bad in [
        "<a xmlns:p='urn:u' xmlns:q='urn:u' p:b='1' q:b='2'/>",
        "<a xmlns:p='urn:u'><b xmlns:q='urn:u' q:b='' c='' p:b=''/></a>",
    ] {
        assert_eq!(judge(bad), bad_namespace("an attribute twice"), "{bad}");
    }
    for good in [
        "<a xmlns='urn:u' xmlns:p='urn:u' p:b='1' b='2'/>",
        "<a xmlns:p='urn:u' xmlns:q='urn:v' p:b='' q:b=''/>",
    ] {
        assert!(judge(good).is_ok(), "{good}");
    }
}

#[test]
fn refuses_prefixes_that_are_not_declared_here() {
    for bad in [
        "<p:a/>",
        "<a p:b=''/>",
        "<a><b xmlns:p='urn:u'/><p:c/></a>",
        "<a><b xmlns:p='urn:u'></b><c p:d=''/></a>",
    ] {
        assert_eq!(judge(bad), bad_namespace("a prefix that is not declared"), "{bad}");
    }
    assert!(judge("<p:a p:b='' xmlns:p='urn:u'/>").is_ok());
}

#[test]
fn refuses_to_rebind_xml_and_xmlns() {
    for (bad, reason) in [
        ("<a xmlns:xmlns='urn:u'/>", "the prefix `xmlns` declared"),
        ("<a xmlns:xml='urn:u'/>", "the prefix `xml` rebound"),
        ("<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "the prefix `xml` rebound"),
        ("<a xmlns='http://www.w3.org/XML/1998/namespace'/>", "the prefix `xml` rebound"),
        (
            "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
            "the namespace of `xmlns` bound to a prefix",
        ),
        (
            "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
            "the namespace of `xmlns` bound to a prefix",
        ),
        ("<a xmlns:p=''/>", "a prefix undeclared"),
        ("<xmlns:a/>", "an element with the prefix `xmlns`"),
    ] {
        assert_eq!(judge(bad), bad_namespace(reason), "{bad}");
    }
    assert!(judge("<a xmlns='urn:u'><b xmlns=''/></a>").is_ok());
    assert!(judge("<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='en'/>").is_ok());
}

#[test]
fn refuses_namespace_names_that_readers_could_read_differently() {
    for bad in
        ["<a xmlns='&#117;'/>", "<a xmlns:p='u&amp;v'/>", "<a xmlns=' u'/>", "<a xmlns='u\n'/>"]
    {
        assert_eq!(judge(bad), bad_namespace("a namespace name with white space or references"));
    }
}

#[test]
fn refuses_relative_namespace_names() {
    for bad in [
        "<a xmlns='b'/>",
        "<a xmlns:p='../b'/>",
        "<a xmlns:p='1:b'/>",
        "<a xmlns:p='b/c:d'/>",
        "<a xmlns=':b'/>",
    ] {
        assert_eq!(
            judge(bad),
            bad_namespace("a namespace name that is a relative reference"),
            "{bad}"
        );
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(judge(&nested(48)).is_ok());
    assert_eq!(judge(&nested(49)), Err(GateError::TooDeep { limit: 48 }));
}

#[test]
fn elements_are_bounded() {
    let many = |children: usize| format!("<a>{}</a>", "<b/>".repeat(children));
    assert!(judge(&many(19_999)).is_ok());
    assert_eq!(judge(&many(20_000)), Err(GateError::TooManyElements { limit: 20_000 }));
}

#[test]
fn attributes_and_declarations_of_one_element_are_bounded_together() {
    let many = |count: usize| {
        let attributes: String =
            (0..count).map(|n| format!(" x{n}='' xmlns:p{n}='urn:u'")).collect();
        format!("<a{attributes}/>")
    };
    assert!(judge(&many(32)).is_ok());
    assert_eq!(judge(&many(33)), Err(GateError::TooManyAttributes { limit: 64 }));
}

#[test]
fn namespace_declarations_in_scope_are_bounded() {
    let level =
        |n: usize| -> String { (0..64).map(|i| format!(" xmlns:p{n}_{i}='urn:u'")).collect() };
    let nested = |extra: &str| {
        format!("<a{}><b{}><c{extra}/></b><d xmlns='urn:u'/></a>", level(0), level(1))
    };
    assert!(judge(&nested("")).is_ok());
    assert_eq!(judge(&nested(" xmlns='urn:u'")), Err(GateError::TooManyNamespaces));
}

#[test]
fn a_prefix_means_the_outer_namespace_again_after_its_element() {
    let text = "<a xmlns:p='urn:u' xmlns:q='urn:v'><b xmlns:q='urn:u'/><c p:x='' q:x=''/></a>";
    assert!(judge(text).is_ok());
}

#[test]
fn finds_a_byte_at_every_place() {
    for length in 0..100 {
        let mut hay = vec![b'a'; length];
        assert_eq!(text::find_byte(&hay, b'<'), None);
        for at in 0..length {
            hay[at] = b'<';
            assert_eq!(text::find_byte(&hay, b'<'), Some(at));
            hay[at] = b'a';
        }
    }
}

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
