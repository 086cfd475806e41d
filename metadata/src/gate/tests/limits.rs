use super::*;

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
    let fullest = nested("");
    assert!(crate::xml_tree::Element::read(judge(&fullest).unwrap()).is_ok());
    assert_eq!(judge(&nested(" xmlns='urn:u'")), Err(GateError::TooManyNamespaces));
}
