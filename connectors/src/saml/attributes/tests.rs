//! Subject and attribute rules, each from the one good assertion.

use super::*;
use crate::saml::assertion::SamlSubject;
use crate::saml::assertion::fixture::{attribute, good, name_id};

const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const OBJECT: &str = "00000000-0000-0000-66f3-3332eca7ea81";

fn named(name_id: Option<NameId>) -> Result<Subject, Rejection> {
    let named = SamlSubject { name_id, ..good().subject.unwrap() };
    subject(&Assertion { subject: Some(named), ..good() }, SubjectRule::NameId)
}

fn with_attributes(attributes: Vec<Attribute>) -> Assertion {
    Assertion { attributes, ..good() }
}

#[test]
fn a_name_id_is_taken_verbatim_with_format_and_qualifiers() {
    let sent = NameId { sp_name_qualifier: Some("sp".to_owned()), ..name_id() };

    let subject = named(Some(sent.clone())).unwrap();

    assert_eq!(subject.value, sent.value);
    assert_eq!(subject.format, sent.format);
    assert_eq!(subject.name_qualifier, sent.name_qualifier);
    assert_eq!(subject.sp_name_qualifier, sent.sp_name_qualifier);
    assert!(!subject.mutable_email_like);
}

#[test]
fn no_format_and_the_unspecified_format_are_the_same_account() {
    let absent = named(Some(NameId { format: None, ..name_id() })).unwrap();
    let unspecified =
        named(Some(NameId { format: Some(UNSPECIFIED.to_owned()), ..name_id() })).unwrap();

    assert_eq!(absent.account_key(), unspecified.account_key());
}

#[test]
fn refuses_a_transient_name_id() {
    let transient = NameId { format: Some(TRANSIENT.to_owned()), ..name_id() };

    assert_eq!(
        named(Some(transient)),
        Err(Rejection::SubjectTransient { received: Some(TRANSIENT.to_owned()) })
    );
}

#[test]
fn refuses_a_missing_or_empty_name_id() {
    let empty = NameId { value: String::new(), ..name_id() };

    assert_eq!(named(None), Err(Rejection::SubjectTransient { received: None }));
    assert_eq!(named(Some(empty)), Err(Rejection::SubjectTransient { received: None }));
    let nobody = Assertion { subject: None, ..good() };
    assert_eq!(
        subject(&nobody, SubjectRule::NameId),
        Err(Rejection::SubjectTransient { received: None })
    );
}

#[test]
fn marks_a_name_id_that_looks_like_an_e_mail_address() {
    for (format, value, marked) in [
        (UNSPECIFIED, "alice@acme.example", true),
        (EMAIL_ADDRESS, "alice", true),
        (UNSPECIFIED, "alice", false),
        (UNSPECIFIED, "a@b@c", false),
        (UNSPECIFIED, "CN=Alice Example, E=alice@acme.example", false),
    ] {
        let sent = NameId { format: Some(format.to_owned()), value: value.to_owned(), ..name_id() };

        assert_eq!(named(Some(sent)).unwrap().mutable_email_like, marked, "{value}");
    }
}

#[test]
fn refuses_invisible_characters_in_the_subject() {
    for value in
        ["alice\u{200b}", "\u{a0}alice", "al\u{ad}ice", "alice\n", " alice", "al\u{202e}ice"]
    {
        let by_name = named(Some(NameId { value: value.to_owned(), ..name_id() }));
        let by_attribute = subject(
            &with_attributes(vec![attribute("uid", &[value])]),
            SubjectRule::Attribute("uid"),
        );

        assert_eq!(by_name, Err(Rejection::InvisibleCharacters { field: "NameID" }));
        assert_eq!(
            by_attribute,
            Err(Rejection::InvisibleCharacters { field: "the subject attribute" })
        );
    }
}

#[test]
fn refuses_a_subject_of_absurd_length() {
    let of_length = |n: usize| named(Some(NameId { value: "ö".repeat(n), ..name_id() }));

    assert!(of_length(1024).is_ok());
    assert_eq!(
        of_length(1025),
        Err(Rejection::Malformed { what: "subject of more than 1024 characters" })
    );
}

#[test]
fn a_configured_attribute_names_the_subject_in_place_of_a_transient_name_id() {
    let transient = NameId { format: Some(TRANSIENT.to_owned()), ..name_id() };
    let named = SamlSubject { name_id: Some(transient), ..good().subject.unwrap() };
    let assertion =
        Assertion { subject: Some(named), ..with_attributes(vec![attribute("uid", &["alice"])]) };

    let subject = subject(&assertion, SubjectRule::Attribute("uid")).unwrap();

    assert_eq!(subject.value, "alice");
    assert_eq!(subject.account_key(), r#"["attribute:uid",null,null,"alice"]"#);
}

#[test]
fn refuses_a_subject_attribute_that_is_missing_or_empty() {
    let null = Attribute { name: "uid".to_owned(), values: vec![AttributeValue::Null] };
    for attributes in
        [vec![], vec![attribute("uid", &[])], vec![attribute("uid", &[""])], vec![null]]
    {
        let refused = subject(&with_attributes(attributes), SubjectRule::Attribute("uid"));

        assert_eq!(refused, Err(Rejection::SubjectAttributeMissing { name: "uid".to_owned() }));
    }
}

#[test]
fn refuses_several_values_of_the_subject_attribute_however_they_are_sent() {
    for attributes in [
        vec![attribute("uid", &["alice", "admin"])],
        vec![attribute("uid", &["alice"]), attribute("uid", &["admin"])],
        vec![attribute("uid", &["alice"]), attribute("uid", &["alice"])],
    ] {
        let refused = subject(&with_attributes(attributes), SubjectRule::Attribute("uid"));

        assert_eq!(refused, Err(Rejection::SubjectSeveralValues { name: "uid".to_owned() }));
    }
}

#[test]
fn refuses_a_subject_attribute_made_of_elements() {
    let structured = Attribute { name: "uid".to_owned(), values: vec![AttributeValue::Structured] };

    let refused = subject(&with_attributes(vec![structured]), SubjectRule::Attribute("uid"));

    assert_eq!(refused, Err(Rejection::MixedContent { field: "the subject attribute" }));
}

#[test]
fn in_entra_the_subject_is_tenant_and_object_and_never_the_name_id() {
    let assertion = with_attributes(vec![
        attribute(ENTRA_TENANT, &[TENANT]),
        attribute(ENTRA_OBJECT, &[OBJECT]),
    ]);

    let subject = subject(&assertion, SubjectRule::Entra).unwrap();

    assert_eq!(subject.account_key(), format!("{TENANT}:{OBJECT}"));
}

#[test]
fn in_entra_both_attributes_are_required_and_are_guids() {
    let of = |tenant: &[&str], object: &[&str]| {
        subject(
            &with_attributes(vec![
                attribute(ENTRA_TENANT, tenant),
                attribute(ENTRA_OBJECT, object),
            ]),
            SubjectRule::Entra,
        )
    };

    assert_eq!(
        of(&[], &[OBJECT]),
        Err(Rejection::SubjectAttributeMissing { name: ENTRA_TENANT.to_owned() })
    );
    assert_eq!(
        of(&[TENANT], &[]),
        Err(Rejection::SubjectAttributeMissing { name: ENTRA_OBJECT.to_owned() })
    );
    assert_eq!(
        of(&[TENANT], &[OBJECT, OBJECT]),
        Err(Rejection::SubjectSeveralValues { name: ENTRA_OBJECT.to_owned() })
    );
    for bad in [
        "alice",
        "00000000-0000-0000-66f3-3332eca7ea8",
        "00000000-0000-0000-66f3-3332eca7ea8:",
        "--0000000-0000-0000-66f3-3332eca7ea81",
    ] {
        assert_eq!(
            of(&[TENANT], &[bad]),
            Err(Rejection::SubjectAttributeUnreadable { name: ENTRA_OBJECT }),
            "{bad}"
        );
    }
}

#[test]
fn attributes_of_one_name_are_merged_in_order() {
    let attributes = merged(vec![
        attribute("Role", &["a"]),
        attribute("mail", &["m"]),
        attribute("Role", &["b", "c"]),
    ]);

    let attributes = attributes.unwrap();
    assert_eq!(attributes["Role"], ["a", "b", "c"]);
    assert_eq!(attributes["mail"], ["m"]);
}

#[test]
fn null_and_structured_values_make_no_claim() {
    let values = vec![
        AttributeValue::Null,
        AttributeValue::Structured,
        AttributeValue::Text("x".to_owned()),
    ];

    let attributes = merged(vec![Attribute { name: "a".to_owned(), values }]).unwrap();

    assert_eq!(attributes["a"], ["x"]);
}

#[test]
fn refuses_an_e_mail_address_with_invisible_characters_under_any_name() {
    for value in [
        "alice@acme.example\u{a0}",
        "ali\u{200b}ce@acme.example",
        "alice@acme.example\n",
        " alice@acme.example",
    ] {
        let refused = merged(vec![attribute("anything", &[value])]);

        assert_eq!(
            refused,
            Err(Rejection::InvisibleCharacters { field: "an e-mail address" }),
            "{value:?}"
        );
    }
}

#[test]
fn other_attributes_may_hold_any_text() {
    for value in ["Zoë\r\t\u{2028}<x>&", "line\nline", "write to alice@acme.example\nor call", ""]
    {
        assert_eq!(merged(vec![attribute("a", &[value])]).unwrap()["a"], [value]);
    }
}

#[test]
fn what_the_idp_says_about_the_e_mail_is_read_and_no_outweighs_yes() {
    let says = |attributes| email_verified(&merged(attributes).unwrap());
    let auth0 = "http://schemas.auth0.com/email_verified";

    assert_eq!(says(vec![]), None);
    assert_eq!(says(vec![attribute("email_verified", &["perhaps"])]), None);
    assert_eq!(says(vec![attribute(auth0, &["true"])]), Some(true));
    assert_eq!(says(vec![attribute(auth0, &["False"])]), Some(false));
    assert_eq!(
        says(vec![attribute(auth0, &["true"]), attribute("email_verified", &["false"])]),
        Some(false)
    );
}

#[test]
fn authentication_methods_come_from_microsofts_attribute() {
    let attributes = merged(vec![attribute(AUTHN_METHODS, &["pwd", "mfa"])]).unwrap();

    assert_eq!(authn_methods(&attributes), ["pwd", "mfa"]);
}
