use chrono::DateTime;
use serde_json::json;

use super::*;
use crate::assertion::ReplayKey;

fn token(claims: Value) -> VerifiedIdToken {
    let Value::Object(claims) = claims else { panic!("an object") };
    let at = DateTime::from_timestamp(1_900_000_000, 0).unwrap();
    VerifiedIdToken {
        claims: Claims::new(claims),
        issuer: "https://op.example".to_owned(),
        issued_at: at,
        auth_time: None,
        replay: ReplayKey { value: "r".to_owned(), until: at },
    }
}

fn userinfo(claims: Value) -> Option<Map<String, Value>> {
    if let Value::Object(claims) = claims { Some(claims) } else { None }
}

#[test]
fn takes_over_what_is_about_the_user_and_leaves_out_what_is_about_the_token() {
    let claims = json!({
        "sub": "u", "iss": "x", "aud": "x", "nonce": "x", "exp": 1, "acr": "mfa", "amr": ["pwd", "otp"], "sid": "s-1",
        "email": "alice@acme.example", "groups": ["eng", "admins"], "address": { "country": "DE" }, "phone": null
    });

    let parts = assertion(&token(claims), None, false).unwrap().into_parts();

    let names: Vec<&str> = parts.attributes.keys().map(String::as_str).collect();
    assert_eq!(names, ["address", "email", "groups"]);
    assert_eq!(parts.attributes["groups"], [json!("eng"), json!("admins")]);
    assert_eq!(parts.attributes["address"], [json!({ "country": "DE" })]);
    assert_eq!((parts.acr.as_deref(), parts.session_index.as_deref()), (Some("mfa"), Some("s-1")));
    assert_eq!(parts.amr, ["pwd", "otp"]);
    assert_eq!(
        (parts.subject.account_key().as_str(), parts.subject.mutable_email_like),
        ("u", false)
    );
}

#[test]
fn the_id_token_wins_over_userinfo() {
    let claims = json!({ "sub": "u", "name": "Alice" });
    let more = json!({ "sub": "u", "name": "Mallory", "locale": "de", "acr": "mfa", "amr": ["otp"], "sid": "x" });

    let parts = assertion(&token(claims), userinfo(more), false).unwrap().into_parts();

    assert_eq!(parts.attributes["name"], [json!("Alice")]);
    assert_eq!(parts.attributes["locale"], [json!("de")]);
    assert_eq!((parts.acr, parts.session_index, parts.amr.len()), (None, None, 0));
}

#[test]
fn whether_an_email_is_verified_is_said_by_who_gave_the_email() {
    let verified = |claims: Value, more: Value| {
        let parts = assertion(&token(claims), userinfo(more), false).unwrap().into_parts();
        (parts.attributes.get("email").map(|e| e[0].clone()), parts.upstream_email_verified)
    };
    let other = json!({ "sub": "u", "email": "b@x.example", "email_verified": true });

    assert_eq!(
        verified(json!({ "sub": "u", "email": "a@x.example" }), other.clone()),
        (Some(json!("a@x.example")), None)
    );
    assert_eq!(
        verified(json!({ "sub": "u", "email_verified": false }), other),
        (Some(json!("b@x.example")), Some(true))
    );
    let unsure = json!({ "sub": "u", "email": "b@x.example" });
    assert_eq!(
        verified(json!({ "sub": "u", "email_verified": true }), unsure),
        (Some(json!("b@x.example")), None)
    );
    assert_eq!(verified(json!({ "sub": "u" }), json!({ "sub": "u" })), (None, None));
}

#[test]
fn reads_email_verified_as_boolean_or_text_and_as_nothing_else() {
    let read = |value: Value| {
        let claims = json!({ "sub": "u", "email": "a@x.example", "email_verified": value });
        assertion(&token(claims), None, false).unwrap().upstream_email_verified()
    };

    assert_eq!(read(json!(true)), Some(true));
    assert_eq!(read(json!("True")), Some(true));
    assert_eq!(read(json!("false")), Some(false));
    assert_eq!(read(json!(1)), None);
    assert_eq!(read(json!("yes")), None);
}

#[test]
fn entra_users_are_named_by_tenant_and_object_and_their_email_is_not_trusted() {
    let verified = |edov: Value| {
        let claims = json!({
            "sub": "pairwise", "tid": "t-1", "oid": "o-1", "email": "ceo@acme.example", "email_verified": true, "xms_edov": edov
        });
        let parts = assertion(&token(claims), None, true).unwrap().into_parts();
        assert_eq!(parts.subject.account_key(), "t-1:o-1");
        parts.upstream_email_verified
    };

    for yes in [json!(true), json!("true"), json!("1"), json!(1)] {
        assert_eq!(verified(yes), Some(true));
    }
    for no in [json!(false), json!("false"), json!(0), json!(null), json!(["true"]), json!("yes")] {
        assert_eq!(verified(no), Some(false));
    }
}

#[test]
fn an_email_with_invisible_characters_is_refused() {
    for email in ["ali\u{200b}ce@acme.example", "alice@acme.example\u{a0}", "alice@acme.example\n"]
    {
        let refused =
            assertion(&token(json!({ "sub": "u", "email": email })), None, false).unwrap_err();
        assert!(matches!(refused, Rejection::ClaimMalformed { claim: "email", .. }));
    }
}

#[test]
fn an_email_shaped_subject_is_marked() {
    let assertion = assertion(&token(json!({ "sub": "alice@acme.example" })), None, false).unwrap();

    assert!(assertion.subject().mutable_email_like);
}

#[test]
fn refuses_amr_that_is_no_list_of_texts() {
    let refused = assertion(&token(json!({ "sub": "u", "amr": [1] })), None, false).unwrap_err();

    assert_eq!(
        refused,
        Rejection::ClaimMalformed { claim: "amr", expected: "an array of strings" }
    );
}

#[test]
fn promised_claims_are_those_of_the_scopes() {
    let lacks = |claims: Value, scopes: &[&str]| {
        let scopes: Vec<String> = scopes.iter().copied().map(str::to_owned).collect();
        lacks_promised_claims(&token(claims).claims, &scopes)
    };

    assert!(!lacks(json!({}), &["openid"]));
    assert!(lacks(json!({}), &["openid", "email"]));
    assert!(lacks(json!({ "email": "a" }), &["email", "profile"]));
    assert!(!lacks(json!({ "email": "a", "given_name": "A" }), &["email", "profile"]));
}
