//! Canonical documents, one part changed each.

use super::*;

const GOOD: &str = r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" IssueInstant="2030-01-31T12:00:00Z" Version="2.0">
  <saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">https://idp.acme.example/saml</saml:Issuer>
  <saml:Subject>
    <saml:NameID Format="urn:f" NameQualifier="q" SPNameQualifier="sp">R&amp;D&#xD;&lt;x&gt;</saml:NameID>
    <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
      <saml:SubjectConfirmationData Address="192.0.2.1" InResponseTo="_req" NotBefore="2030-01-31T12:00:01Z" NotOnOrAfter="2030-01-31T12:05:00Z" Recipient="https://sp/acs?a=1&amp;b=2"></saml:SubjectConfirmationData>
    </saml:SubjectConfirmation>
  </saml:Subject>
  <saml:Conditions NotBefore="2030-01-31T12:00:00Z" NotOnOrAfter="2030-01-31T12:06:00Z">
    <saml:AudienceRestriction><saml:Audience>one</saml:Audience><saml:Audience>two</saml:Audience></saml:AudienceRestriction>
    <saml:AudienceRestriction><saml:Audience>three</saml:Audience></saml:AudienceRestriction>
    <saml:OneTimeUse></saml:OneTimeUse><saml:ProxyRestriction Count="1"><saml:Audience>x</saml:Audience></saml:ProxyRestriction>
  </saml:Conditions>
  <saml:Advice><saml:AssertionIDRef>_old</saml:AssertionIDRef></saml:Advice>
  <saml:AuthnStatement AuthnInstant="2030-01-31T11:00:00Z" SessionIndex="_s" SessionNotOnOrAfter="2030-01-31T20:00:00Z">
    <saml:SubjectLocality Address="192.0.2.1"></saml:SubjectLocality>
    <saml:AuthnContext><saml:AuthnContextClassRef>urn:pwd</saml:AuthnContextClassRef><saml:AuthenticatingAuthority>a</saml:AuthenticatingAuthority></saml:AuthnContext>
  </saml:AuthnStatement>
  <saml:AttributeStatement>
    <saml:Attribute FriendlyName="mail" Name="urn:oid:0.9"><saml:AttributeValue>a@b</saml:AttributeValue><saml:AttributeValue></saml:AttributeValue></saml:Attribute>
    <saml:Attribute Name="nil"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"></saml:AttributeValue></saml:Attribute>
    <saml:Attribute Name="tree"><saml:AttributeValue> <saml:NameID>n</saml:NameID> </saml:AttributeValue></saml:Attribute>
    <saml:Attribute Name="none"></saml:Attribute>
  </saml:AttributeStatement>
</saml:Assertion>"#;

fn read(document: &str) -> Read<Assertion> {
    Assertion::read(document.as_bytes())
}

/// The good document with one text replaced; the text must be there.
fn changed(from: &str, to: &str) -> Read<Assertion> {
    assert!(GOOD.contains(from), "{from}");
    read(&GOOD.replacen(from, to, 1))
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn reads_every_part() {
    let text = |value: &str| AttributeValue::Text(value.to_owned());
    let attribute = |name: &str, values| Attribute { name: name.to_owned(), values };
    let owned = |value: &str| Some(value.to_owned());

    let assertion = read(GOOD).unwrap();

    assert_eq!(assertion.id, "_a1");
    assert_eq!(assertion.version, "2.0");
    assert_eq!(assertion.issue_instant, instant("2030-01-31T12:00:00Z"));
    let format = owned("urn:oasis:names:tc:SAML:2.0:nameid-format:entity");
    assert_eq!(
        assertion.issuer,
        Issuer { value: "https://idp.acme.example/saml".to_owned(), format }
    );
    let subject = assertion.subject.unwrap();
    assert_eq!(
        subject.name_id,
        Some(NameId {
            value: "R&D\r<x>".to_owned(),
            format: owned("urn:f"),
            name_qualifier: owned("q"),
            sp_name_qualifier: owned("sp"),
        })
    );
    assert_eq!(
        subject.confirmations,
        [Confirmation {
            method: "urn:oasis:names:tc:SAML:2.0:cm:bearer".to_owned(),
            names_a_presenter: false,
            recipient: owned("https://sp/acs?a=1&b=2"),
            in_response_to: owned("_req"),
            not_before: Some(instant("2030-01-31T12:00:01Z")),
            not_on_or_after: Some(instant("2030-01-31T12:05:00Z")),
        }]
    );
    assert_eq!(
        assertion.conditions,
        Some(Conditions {
            not_before: Some(instant("2030-01-31T12:00:00Z")),
            not_on_or_after: Some(instant("2030-01-31T12:06:00Z")),
            audiences: vec![vec!["one".to_owned(), "two".to_owned()], vec!["three".to_owned()]],
            unknown: Vec::new(),
        })
    );
    assert_eq!(
        assertion.authn,
        [AuthnStatement {
            instant: instant("2030-01-31T11:00:00Z"),
            session_index: owned("_s"),
            session_not_on_or_after: Some(instant("2030-01-31T20:00:00Z")),
            class_ref: owned("urn:pwd"),
        }]
    );
    assert_eq!(
        assertion.attributes,
        [
            attribute("urn:oid:0.9", vec![text("a@b"), text("")]),
            attribute("nil", vec![AttributeValue::Null]),
            attribute("tree", vec![AttributeValue::Structured]),
            attribute("none", vec![]),
        ]
    );
}

#[test]
fn reads_an_assertion_in_the_default_namespace() {
    let document = GOOD.replace("saml:", "").replace("xmlns:saml", "xmlns").replace(":saml=", "=");

    assert_eq!(read(&document), read(GOOD));
}

#[test]
fn the_signature_of_the_assertion_is_passed_over() {
    let signature = "</saml:Issuer><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>x</ds:SignedInfo></ds:Signature>";

    assert_eq!(changed("</saml:Issuer>", signature), read(GOOD));
}

#[test]
fn refuses_anything_but_text_in_a_value_that_identifies() {
    for (field, before, after) in [
        ("NameID", "D&#xD;", "D<!-- -->&#xD;"),
        ("NameID", "D&#xD;", "D<b>x</b>&#xD;"),
        ("Issuer", "acme.example/saml<", "acme.example<!---->/saml<"),
        ("Issuer", "acme.example/saml<", "acme.example<saml:Issuer>x</saml:Issuer>/saml<"),
        ("Audience", ">one<", ">on<!--x-->e<"),
        ("AuthnContextClassRef", "urn:pwd", "urn<x></x>"),
        ("AttributeValue", ">a@b<", ">a@b<!--x-->.evil<"),
        ("AttributeValue", ">a@b<", ">a@b<x></x><"),
    ] {
        assert_eq!(changed(before, after), Err(Rejection::MixedContent { field }), "{after}");
    }
}

#[test]
fn a_comment_between_elements_changes_nothing() {
    assert_eq!(changed("<saml:Conditions", "<!-- c --><saml:Conditions"), read(GOOD));
}

#[test]
fn a_cdata_section_is_text_like_any_other() {
    assert_eq!(changed("R&amp;D&#xD;&lt;x&gt;", "R<![CDATA[&D]]>&#xD;<![CDATA[<x>]]>"), read(GOOD));
}

#[test]
fn refuses_parts_that_are_repeated() {
    let second = |element: &str| {
        let start = GOOD.find(&format!("<saml:{element}")).unwrap();
        let close = format!("</saml:{element}>");
        let end = GOOD[start..].find(&close).unwrap() + start + close.len();
        read(&GOOD.replacen(&GOOD[start..end], &GOOD[start..end].repeat(2), 1))
    };
    for (element, what) in [
        ("Issuer", "several Issuers"),
        ("Subject>", "several Subjects"),
        ("Conditions", "several Conditions"),
        ("NameID", "several NameIDs"),
        ("SubjectConfirmationData", "several SubjectConfirmationData"),
        ("AuthnContextClassRef", "several AuthnContextClassRefs"),
    ] {
        let element = element.trim_end_matches('>');
        assert_eq!(second(element), Err(Rejection::Malformed { what }), "{element}");
    }
}

#[test]
fn refuses_parts_that_are_missing() {
    for (from, to, what) in [
        (" ID=\"_a1\"", "", "Assertion without ID"),
        (" Version=\"2.0\"", "", "Assertion without Version"),
        (" IssueInstant=\"2030-01-31T12:00:00Z\"", "", "Assertion without IssueInstant"),
        (" AuthnInstant=\"2030-01-31T11:00:00Z\"", "", "AuthnStatement without AuthnInstant"),
        (
            " Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"",
            "",
            "SubjectConfirmation without Method",
        ),
        (" Name=\"nil\"", "", "Attribute without Name"),
    ] {
        assert_eq!(changed(from, to), Err(Rejection::Malformed { what }));
    }
    let without_issuer = changed(
        "saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">https://idp.acme.example/saml</saml:Issuer>",
        "saml:Advice></saml:Advice>",
    );
    assert_eq!(without_issuer, Err(Rejection::Malformed { what: "Assertion without Issuer" }));
}

#[test]
fn refuses_parts_that_are_unknown_or_of_another_namespace() {
    for (from, to, what) in [
        (
            "<saml:Advice>",
            "<saml:Surprise></saml:Surprise><saml:Advice>",
            "unknown element in Assertion",
        ),
        (
            "<saml:Advice>",
            "<Subject xmlns=\"urn:x\"></Subject><saml:Advice>",
            "unknown element in Assertion",
        ),
        ("<saml:NameID ", "<saml:BaseID></saml:BaseID><saml:NameID ", "unknown element in Subject"),
        (
            "<saml:NameID ",
            "<NameID xmlns=\"urn:x\"></NameID><saml:NameID ",
            "unknown element in Subject",
        ),
        (
            "<saml:Audience>one",
            "<saml:X></saml:X><saml:Audience>one",
            "unknown element in AudienceRestriction",
        ),
        (
            "<saml:SubjectLocality",
            "<saml:X></saml:X><saml:SubjectLocality",
            "unknown element in AuthnStatement",
        ),
        (
            "<saml:Attribute Name=\"nil\"",
            "<saml:X></saml:X><saml:Attribute Name=\"nil\"",
            "unknown element in AttributeStatement",
        ),
        (
            "<saml:AttributeValue>a@b",
            "<saml:X></saml:X><saml:AttributeValue>a@b",
            "unknown element in Attribute",
        ),
        (
            "<saml:SubjectConfirmationData ",
            "<saml:X></saml:X><saml:SubjectConfirmationData ",
            "unknown element in SubjectConfirmation",
        ),
    ] {
        assert_eq!(changed(from, to), Err(Rejection::Malformed { what }), "{to}");
    }
}

#[test]
fn refuses_text_between_elements() {
    for (from, what) in [
        ("<saml:Advice>", "text in Assertion"),
        ("<saml:NameID ", "text in Subject"),
        ("<saml:SubjectConfirmationData ", "text in SubjectConfirmation"),
        ("<saml:OneTimeUse>", "text in Conditions"),
        ("<saml:Audience>one", "text in AudienceRestriction"),
        ("<saml:SubjectLocality", "text in AuthnStatement"),
        ("<saml:AuthnContextClassRef>", "text in AuthnContext"),
        ("<saml:Attribute Name=\"nil\"", "text in AttributeStatement"),
        ("<saml:AttributeValue>a@b", "text in Attribute"),
    ] {
        assert_eq!(changed(from, &format!("x{from}")), Err(Rejection::Malformed { what }));
    }
}

#[test]
fn collects_conditions_that_are_not_known() {
    let xsi = "<saml:Condition xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"x\"><y></y></saml:Condition>";
    let foreign = "<OneTimeUse xmlns=\"urn:x\"></OneTimeUse>";

    let assertion =
        changed("<saml:OneTimeUse>", &format!("{xsi}{foreign}<saml:OneTimeUse>")).unwrap();

    assert_eq!(assertion.conditions.unwrap().unknown, ["Condition", "OneTimeUse"]);
}

#[test]
fn a_confirmation_that_names_its_presenter_is_not_bearer() {
    let named = "<saml:NameID>somebody</saml:NameID><saml:SubjectConfirmationData ";

    let assertion = changed("<saml:SubjectConfirmationData ", named).unwrap();

    assert!(!assertion.subject.unwrap().confirmations[0].is_bearer());
}

#[test]
fn encrypted_parts_have_their_own_refusals() {
    let subject = changed("<saml:NameID ", "<saml:EncryptedID></saml:EncryptedID><saml:NameID ");
    let attribute = changed(
        "<saml:Attribute Name=\"nil\"",
        "<saml:EncryptedAttribute></saml:EncryptedAttribute><saml:Attribute Name=\"nil\"",
    );

    assert_eq!(subject, Err(Rejection::SubjectEncrypted));
    assert_eq!(attribute, Err(Rejection::AttributeEncrypted));
}

#[test]
fn refuses_times_that_cannot_be_read_wherever_they_stand() {
    for (field, good) in [
        ("IssueInstant", "IssueInstant=\"2030-01-31T12:00:00Z\""),
        ("NotBefore", "NotBefore=\"2030-01-31T12:00:01Z\""),
        ("NotOnOrAfter", "NotOnOrAfter=\"2030-01-31T12:05:00Z\""),
        ("NotBefore", "NotBefore=\"2030-01-31T12:00:00Z\""),
        ("NotOnOrAfter", "NotOnOrAfter=\"2030-01-31T12:06:00Z\""),
        ("AuthnInstant", "AuthnInstant=\"2030-01-31T11:00:00Z\""),
        ("SessionNotOnOrAfter", "SessionNotOnOrAfter=\"2030-01-31T20:00:00Z\""),
    ] {
        let received = "2030-01-31T12:00:00".to_owned();

        let refused = changed(good, &format!("{field}=\"{received}\""));

        assert_eq!(refused, Err(Rejection::TimeUnreadable { field, received }));
    }
}

#[test]
fn refuses_a_root_that_is_not_an_assertion() {
    let refused = Err(Rejection::Malformed { what: "the signed part is not an Assertion" });

    assert_eq!(read("<x xmlns=\"urn:x\"></x>"), refused);
    assert_eq!(
        read("<Assertion xmlns=\"urn:oasis:names:tc:SAML:1.0:assertion\"></Assertion>"),
        refused
    );
}

#[test]
fn refuses_bytes_that_are_not_one_whole_element() {
    let cut = &GOOD[..GOOD.len() - 5];
    let doubled = format!("{GOOD}{GOOD}");
    for document in ["", "x", cut, &doubled, "<a:b></a:b>"] {
        let refused = read(document);

        assert_eq!(
            refused,
            Err(Rejection::Malformed { what: "Assertion: not well-formed" }),
            "{document}"
        );
    }
    assert!(Assertion::read(b"\xff").is_err());
}

proptest::proptest! {
    #[test]
    fn any_change_of_a_byte_is_read_or_refused(at in 0..GOOD.len(), byte: u8, cut: bool) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }

        // whatever it is, the rules after it see a typed assertion or none
        let _ = Assertion::read(&bytes);
    }

    #[test]
    fn the_value_of_a_name_id_survives_escaping(value in "[^\\p{Cc}\u{fffe}\u{ffff}]{1,40}") {
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");

        let assertion = changed("R&amp;D&#xD;&lt;x&gt;", &escaped).unwrap();

        assert_eq!(assertion.subject.unwrap().name_id.unwrap().value, value);
    }
}
