use super::super::names::Namespace;
use super::{Element, NodeRef, Tree, TreeError, gated_tree};
use crate::saml::Rejection;

fn tree(text: &str) -> Tree {
    Tree::parse(text).unwrap()
}

fn texts(element: Element<'_>) -> Vec<String> {
    let text_of = |node| match node {
        NodeRef::Text(text) => text.to_owned(),
        NodeRef::Comment(text) => format!("comment {text}"),
        NodeRef::Element(element) => format!("element {}", element.qualified_name()),
    };
    element.children().map(text_of).collect()
}

#[test]
fn finds_elements_by_namespace_whatever_the_prefix() {
    let tree = tree(
        r#"<a:Response xmlns:a="urn:oasis:names:tc:SAML:2.0:protocol"><Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/></a:Response>"#,
    );

    let issuer = tree.root().child_elements().next().unwrap();

    assert!(tree.root().is(Namespace::SAMLP, "Response"));
    assert!(issuer.is(Namespace::SAML, "Issuer"));
    assert!(issuer.parent() == Some(tree.root()));
    assert!(tree.root().parent().is_none());
}

#[test]
fn a_prefix_means_what_the_nearest_declaration_says_and_the_outer_one_returns_after_it() {
    let tree = tree(r#"<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"/><p:c/></p:a>"#);

    let namespaces: Vec<_> =
        tree.root().subtree().map(|element| tree.namespace_text(element.namespace())).collect();

    assert_eq!(namespaces, ["urn:1", "urn:2", "urn:1"]);
}

#[test]
fn an_attribute_without_prefix_is_in_no_namespace() {
    let tree = tree(r#"<a xmlns="urn:1" xmlns:p="urn:1" x="1" p:y="2"/>"#);

    let found: Vec<_> = tree
        .root()
        .attributes()
        .map(|a| (tree.namespace_text(a.namespace()), a.local_name()))
        .collect();

    assert_eq!(found, [("", "x"), ("urn:1", "y")]);
    assert_eq!(tree.root().attribute("y"), None);
}

#[test]
fn text_cdata_and_references_are_one_text_node() {
    let tree = tree("<a>one &amp; <![CDATA[<two>]]>&#x33;<b/>&lt;</a>");

    assert_eq!(texts(tree.root()), ["one & <two>3", "element b", "<"]);
}

#[test]
fn a_comment_splits_text_so_that_it_is_not_the_only_content() {
    let tree = tree("<a>admin<!-- x -->.evil</a>");

    assert_eq!(texts(tree.root()), ["admin", "comment  x ", ".evil"]);
    assert_eq!(tree.root().only_text(), None);
}

#[test]
fn an_empty_cdata_section_makes_no_text_node() {
    let tree = tree("<a><![CDATA[]]></a>");

    assert!(texts(tree.root()).is_empty());
    assert_eq!(tree.root().only_text(), Some(""));
}

#[test]
fn line_ends_become_line_feeds_and_referenced_carriage_returns_stay() {
    let tree = tree("<a>1\r\n2\r3\n4&#13;5<![CDATA[\r\n]]>\r</a>");

    assert_eq!(texts(tree.root()), ["1\n2\n3\n4\r5\n\n"]);
}

#[test]
fn literal_white_space_in_attributes_becomes_spaces_and_referenced_white_space_stays() {
    let tree = tree("<a x='1\t2\n3\r\n4\r5&#9;6&#xA;7&#xD;8&lt;&quot;'/>");

    assert_eq!(tree.root().attribute("x"), Some("1 2 3 4 5\t6\n7\r8<\""));
}

#[test]
fn refuses_relative_namespace_names() {
    let refused = Tree::parse(r#"<a xmlns:x="1"/>"#);

    assert_eq!(refused.unwrap_err(), TreeError::RelativeNamespace("1".to_owned()));
}

#[test]
fn refuses_more_names_than_any_real_document_has() {
    let declarations =
        |count: usize| (0..count).map(|i| format!("<b xmlns:p{i}='urn:x'/>")).collect::<String>();

    assert!(Tree::parse(&format!("<a>{}</a>", declarations(254))).is_ok());
    assert_eq!(
        Tree::parse(&format!("<a>{}</a>", declarations(255))).unwrap_err(),
        TreeError::TooManyNames
    );
}

#[test]
fn refuses_what_a_gate_would_have_refused_without_a_panic() {
    for text in [
        "",
        "<a>",
        "</a>",
        "<a/><b/>",
        "<p:a/>",
        "x<a/>",
        "<a>&x;</a>",
        "<a x='&#0;'/>",
        "<a xmlns:p=''/>",
        "<!DOCTYPE a><a/>",
    ] {
        assert!(matches!(Tree::parse(text), Err(TreeError::Malformed(_))), "{text}");
    }
}

#[test]
fn a_document_that_the_gate_refuses_has_no_tree() {
    assert_eq!(
        gated_tree(b"<!DOCTYPE a><a/>", 100).unwrap_err(),
        Rejection::Xml { reason: "xml_doctype" }
    );
    assert_eq!(gated_tree(b"<a/>", 3).unwrap_err(), Rejection::ResponseTooLarge { limit: 3 });
    assert_eq!(
        gated_tree(br#"<a xmlns="x"/>"#, 100).unwrap_err(),
        Rejection::Xml { reason: "xml_namespace" }
    );
}

#[test]
fn what_the_tree_refuses_itself_has_a_rejection() {
    let relative = TreeError::RelativeNamespace("x".to_owned());

    assert_eq!(
        Rejection::from(relative),
        Rejection::NamespaceRelative { received: "x".to_owned() }
    );
    assert_eq!(
        Rejection::from(TreeError::TooManyNames),
        Rejection::Xml { reason: "xml_too_many_names" }
    );
}
