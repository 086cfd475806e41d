use super::*;

mod limits;
mod namespaces;
mod properties;

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
