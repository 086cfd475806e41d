use super::{Method, Mode, canonical_form, canonicalize, canonicalize_element};
use crate::saml::Rejection;
use crate::saml::tree::{Element, Tree};

const MAX: usize = 1 << 20;

fn exclusive(document: &str) -> String {
    canonicalize(document.as_bytes(), &Method::EXCLUSIVE, MAX).unwrap()
}

fn of_child(document: &str, method: &Method, local: &str) -> String {
    let tree = Tree::parse(document).unwrap();
    canonical_form(find(&tree, local), method, None).unwrap()
}

fn find<'t>(tree: &'t Tree, local: &str) -> Element<'t> {
    tree.root().subtree().find(|element| element.local_name() == local).unwrap()
}

fn with_list(prefixes: &[&str]) -> Method {
    let prefix_list = prefixes.iter().map(|&p| p.to_owned()).collect();
    Method { mode: Mode::Exclusive { prefix_list }, with_comments: false }
}

const INCLUSIVE: Method = Method { mode: Mode::Inclusive, with_comments: false };

#[test]
fn writes_start_and_end_tags_double_quotes_and_sorted_attributes() {
    assert_eq!(
        exclusive("<?xml version='1.0'?>\n<!-- out --><a  z='1'\n y=\"2\" ><b /></a>\n"),
        r#"<a y="2" z="1"><b></b></a>"#
    );
}

#[test]
fn sorts_attributes_by_namespace_name_then_local_name() {
    // From C14N 1.0 §3.3: unprefixed first, then by namespace name, not by prefix.
    let document = r#"<e xmlns:b="http://www.ietf.org" xmlns:a="http://www.w3.org" a:attr="out" b:attr="sorted" attr2="all" attr="I'm"/>"#;

    assert_eq!(
        exclusive(document),
        r#"<e xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e>"#
    );
}

#[test]
fn escapes_text_and_attributes_as_the_specification_says() {
    assert_eq!(
        exclusive(
            "<a x='&lt;&gt;&amp;&quot;&apos;&#9;&#10;&#13;\t'>&lt;&gt;&amp;\"'&#9;\r\n&#13;<![CDATA[<&]]></a>"
        ),
        "<a x=\"&lt;>&amp;&quot;'&#x9;&#xA;&#xD; \">&lt;&gt;&amp;\"'\t\n&#xD;&lt;&amp;</a>"
    );
}

#[test]
fn leaves_out_declarations_that_nothing_uses() {
    assert_eq!(
        exclusive(r#"<p:a xmlns:p="urn:p" xmlns:q="urn:q" xmlns="urn:d"><q:b/><c/></p:a>"#),
        r#"<p:a xmlns:p="urn:p"><q:b xmlns:q="urn:q"></q:b><c xmlns="urn:d"></c></p:a>"#
    );
}

#[test]
fn does_not_repeat_what_an_output_ancestor_declares() {
    assert_eq!(
        exclusive(
            r#"<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:1"/><p:c xmlns:p="urn:2"><p:d/></p:c><p:e/></p:a>"#
        ),
        r#"<p:a xmlns:p="urn:1"><p:b></p:b><p:c xmlns:p="urn:2"><p:d></p:d></p:c><p:e></p:e></p:a>"#
    );
}

#[test]
fn a_prefix_in_an_attribute_is_used_and_one_in_its_value_is_not() {
    let document = r#"<a xmlns:xs="urn:xs" xmlns:xsi="urn:xsi" xsi:type="xs:string"/>"#;

    assert_eq!(exclusive(document), r#"<a xmlns:xsi="urn:xsi" xsi:type="xs:string"></a>"#);
    assert_eq!(
        canonicalize(document.as_bytes(), &with_list(&["xs", "unknown"]), MAX).unwrap(),
        r#"<a xmlns:xs="urn:xs" xmlns:xsi="urn:xsi" xsi:type="xs:string"></a>"#
    );
}

#[test]
fn undeclares_the_default_namespace_only_below_one_that_was_written() {
    assert_eq!(
        exclusive(r#"<a xmlns="urn:d"><b xmlns=""><c/></b></a>"#),
        r#"<a xmlns="urn:d"><b xmlns=""><c></c></b></a>"#
    );
    assert_eq!(
        exclusive(r#"<p:a xmlns="urn:d" xmlns:p="urn:p"><b xmlns=""/></p:a>"#),
        r#"<p:a xmlns:p="urn:p"><b></b></p:a>"#
    );
}

#[test]
fn the_prefix_list_brings_declarations_from_outside_the_apex() {
    let document = r#"<r xmlns="urn:d" xmlns:p="urn:p"><q:a xmlns:q="urn:q"><q:b xmlns="" xmlns:p="urn:p2"/></q:a></r>"#;

    assert_eq!(
        of_child(document, &Method::EXCLUSIVE, "a"),
        r#"<q:a xmlns:q="urn:q"><q:b></q:b></q:a>"#
    );
    assert_eq!(
        of_child(document, &with_list(&["#default", "p"]), "a"),
        r#"<q:a xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q"><q:b xmlns="" xmlns:p="urn:p2"></q:b></q:a>"#
    );
}

#[test]
fn the_inclusive_form_has_all_in_scope_and_the_xml_attributes_of_ancestors() {
    let document = r#"<r xmlns="urn:d" xmlns:p="urn:p" xml:lang="en" xml:space="preserve"><m xml:lang="de"><a x="1"><b xmlns:p="urn:p"/></a></m></r>"#;

    assert_eq!(
        of_child(document, &INCLUSIVE, "a"),
        r#"<a xmlns="urn:d" xmlns:p="urn:p" x="1" xml:lang="de" xml:space="preserve"><b></b></a>"#
    );
    assert_eq!(
        of_child(document, &Method::EXCLUSIVE, "a"),
        r#"<a xmlns="urn:d" x="1"><b></b></a>"#
    );
}

#[test]
fn never_declares_the_xml_prefix() {
    let document = r#"<a xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="en"/>"#;

    for method in [Method::EXCLUSIVE, with_list(&["xml"]), INCLUSIVE] {
        let canonical = canonicalize(document.as_bytes(), &method, MAX).unwrap();
        assert_eq!(canonical, r#"<a xml:lang="en"></a>"#);
    }
}

#[test]
fn keeps_comments_only_when_asked() {
    let document = "<a>1<!-- x\r\ny -->2</a>";
    let with_comments = Method { with_comments: true, ..Method::EXCLUSIVE };

    assert_eq!(exclusive(document), "<a>12</a>");
    assert_eq!(
        canonicalize(document.as_bytes(), &with_comments, MAX).unwrap(),
        "<a>1<!-- x\ny -->2</a>"
    );
}

#[test]
fn leaves_out_exactly_the_subtree_it_is_told_to() {
    let tree = Tree::parse(r#"<a><s><s/>1</s>2<s/></a>"#).unwrap();

    let first = tree.root().child_elements().next();
    let canonical = canonical_form(tree.root(), &Method::EXCLUSIVE, first);

    assert_eq!(canonical.as_deref(), Ok("<a>2<s></s></a>"));
}

#[test]
fn is_a_fixed_point_of_itself() {
    let once = exclusive("<a xmlns:p='urn:p' p:x='&#13;&#10;'>\r\n<b xmlns='urn:d'/>&#13;</a>");

    assert_eq!(exclusive(&once), once);
}

#[test]
fn finds_an_element_by_its_id() {
    let document = br#"<r xmlns:p="urn:p"><p:a ID="_1"/></r>"#;

    assert_eq!(
        canonicalize_element(document, "_1", &Method::EXCLUSIVE, MAX).unwrap(),
        r#"<p:a xmlns:p="urn:p" ID="_1"></p:a>"#
    );
    assert_eq!(
        canonicalize_element(document, "_2", &Method::EXCLUSIVE, MAX),
        Err(Rejection::Malformed { what: "no element with this ID" })
    );
}

/// Gate and parser must cut a document at the same places, or one would vouch for what the other does not see.
#[test]
fn odd_markup_is_cut_where_xml_says() {
    let with_comments = Method { with_comments: true, ..Method::EXCLUSIVE };
    for (document, canonical) in [
        ("<a><!--><b/>--></a>", "<a><!--><b/>--></a>"),
        ("<a><!-><b/>--></a>", ""),
        ("<a><!---><b/>--></a>", "<a><!---><b/>--></a>"),
        ("<a><!----></a>", "<a><!----></a>"),
        ("<a><!-- -- --></a>", ""),
        ("<a><!-- x ---></a>", ""),
        ("<a><![CDATA[]]]]></a>", "<a>]]</a>"),
        ("<a><![CDATA[]]>]]&gt;<![CDATA[>]]></a>", "<a>]]&gt;&gt;</a>"),
        ("<a><![CDATA[<!--]]>--<!--]]>--></a>", "<a>&lt;!----<!--]]>--></a>"),
        ("<a><![cdata[x]]></a>", ""),
        ("<a b='>' c=\"'/>\" d='\"'/>", "<a b=\">\" c=\"'/>\" d=\"&quot;\"></a>"),
        ("<a b='/'>x</a\n>", "<a b=\"/\">x</a>"),
        ("<a b='x/'/>", "<a b=\"x/\"></a>"),
        ("<a\tb\r=\n'1'\n/>", "<a b=\"1\"></a>"),
        ("<a b='1'c='2'/>", ""),
        ("<a b=1/>", ""),
        ("<a b/>", ""),
        ("<a / >", ""),
        ("<a b='<'/>", ""),
        ("<a>&#x;</a>", ""),
        ("<a>&#;</a>", ""),
        ("<a>&#+1;</a>", ""),
        ("<a>&#x0041;&#65;</a>", "<a>AA</a>"),
        ("<a>& amp;</a>", ""),
        ("<a>&AMP;</a>", ""),
        ("<a>]]></a>", ""),
        ("<a></b></a>", ""),
        ("<a></ a>", ""),
        ("<?xml version='1.0'?><a/>", "<a></a>"),
        (" <?xml version='1.0'?><a/>", ""),
        ("<a><?xml version='1.0'?></a>", ""),
    ] {
        let written = canonicalize(document.as_bytes(), &with_comments, MAX).unwrap_or_default();
        assert_eq!(written, canonical, "{document}");
    }
}

#[test]
fn a_form_that_outgrows_its_document_many_times_is_refused() {
    let name = "u".repeat(20_000);
    let document = |uses: usize| format!("<a xmlns:z='urn:{name}'>{}</a>", "<z:z/>".repeat(uses));
    let judged = |uses| canonicalize(document(uses).as_bytes(), &Method::EXCLUSIVE, MAX);

    assert!(judged(7).is_ok());
    let limit = 8 * document(100).len();
    assert_eq!(judged(100), Err(Rejection::CanonicalFormTooLarge { limit }));
}
