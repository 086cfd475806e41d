use super::*;

const fn bad_namespace(reason: &'static str) -> Result<&'static str, GateError> {
    Err(GateError::Namespace { reason })
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
fn a_prefix_means_the_outer_namespace_again_after_its_element() {
    let text = "<a xmlns:p='urn:u' xmlns:q='urn:v'><b xmlns:q='urn:u'/><c p:x='' q:x=''/></a>";
    assert!(judge(text).is_ok());
}
