//! What the userinfo answer may say.

use super::*;

#[tokio::test]
async fn refuses_a_userinfo_answer_that_names_nobody() {
    let reason = |reason| ConnectorError::from(Rejection::Userinfo { reason });
    let invalid = || {
        let rule = SubjectRule::Attribute("id".to_owned());
        ConnectorError::from(Rejection::Subject { expected: rule.to_string() })
    };
    let missing = || Rejection::SubjectMissing { attribute: "id".to_owned() }.into();
    for (answer, expected) in [
        (Answer::json(&alice()).status(401), reason("the status is not 200")),
        (Answer::text("text/html", "<html>"), reason("the content type is not JSON")),
        (Answer::text("application/json", "{"), reason("not well-formed JSON")),
        (Answer::text("application/json", r#"{"id":1,"id":2}"#), reason("not well-formed JSON")),
        (Answer::json(&json!([alice()])), reason("not a JSON object")),
        (Answer::json(&json!({"login": "alice"})), missing()),
        (Answer::json(&json!({"id": null})), missing()),
        (Answer::json(&json!({"id": ""})), invalid()),
        (Answer::json(&json!({"id": "a b"})), invalid()),
        (Answer::json(&json!({"id": "a\u{200b}"})), invalid()),
        (Answer::json(&json!({"id": "a".repeat(256)})), invalid()),
        (Answer::json(&json!({"id": 1.5})), invalid()),
        (Answer::json(&json!({"id": -1})), invalid()),
        (Answer::json(&json!({"id": true})), invalid()),
        (Answer::json(&json!({"id": [1, 2]})), invalid()),
        (Answer::text("application/json", r#"{"id":18446744073709551616}"#), invalid()),
    ] {
        let mut login = Login::new().await;
        login.server.answer("/user", answer);
        assert_eq!(login.refusal().await, expected);
    }
}

#[tokio::test]
async fn the_subject_can_stand_in_an_inner_object_and_a_number_be_required() {
    let mut inner =
        Login::with(|s| s.subject = SubjectRule::Attribute("data.user.id".to_owned())).await;
    inner.server.answer("/user", Answer::json(&json!({"data": {"user": {"id": "u-1"}}})));
    let mut number = Login::with(|s| s.subject = SubjectRule::Number("id".to_owned())).await;
    number.server.answer("/user", Answer::json(&json!({"id": "583231"})));

    assert_eq!(inner.run().await.unwrap().subject().account_key(), "u-1");
    let expected = "`id`: a whole number".to_owned();
    assert_eq!(number.refusal().await, Rejection::Subject { expected }.into());
    number.server.answer("/user", Answer::json(&json!({"id": 583_231})));
    assert_eq!(number.run().await.unwrap().subject().account_key(), "583231");
}

#[tokio::test]
async fn of_githubs_addresses_only_the_primary_verified_one_counts() {
    let entry = |email: &str, primary: bool, verified: bool| json!({ "email": email, "primary": primary, "verified": verified });
    let own = entry("a@acme.example", true, true);
    for (list, expected) in [
        (json!([entry("b@acme.example", false, true), own]), Some("a@acme.example")),
        (json!([entry("a@acme.example", true, false)]), None),
        (json!([entry("a@acme.example", false, true)]), None),
        (json!([own, entry("b@acme.example", true, true)]), None),
        (json!([{"email": 7, "primary": true, "verified": true}]), None),
        (json!([{"email": "a@acme.example", "primary": "true", "verified": "true"}]), None),
        (json!([]), None),
    ] {
        let mut login = Login::new().await;
        let mut settings = login.connector.settings.clone();
        let emails = format!("{}/user/emails", login.server.issuer());
        settings.emails_endpoint = Some(Url::parse(&emails).unwrap());
        login.connector = OAuth2Connector::new(settings, Arc::clone(&login.connector.outbound));
        login.server.answer("/user/emails", Answer::json(&list));

        let assertion = login.run().await.unwrap();

        let email = assertion.attributes().get("email").map(|values| values[0].clone());
        assert_eq!(email, expected.map(|e| json!(e)), "{list}");
        assert_eq!(assertion.upstream_email_verified(), expected.map(|_| true), "{list}");
        login.server.answer("/user/emails", Answer::json(&json!({})));
        let reason = "not a JSON array";
        assert_eq!(login.refusal().await, Rejection::EmailList { reason }.into());
    }
}
