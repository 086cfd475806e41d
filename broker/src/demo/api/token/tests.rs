use chrono::TimeZone as _;
use homerealm_certs::{JwsAlgorithm, SignatureAlgorithm, SigningKey, UnverifiedJws, sign_compact};
use serde_json::json;

use super::*;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2030, 1, 1, 0, 0, 0).unwrap()
}

fn good() -> Value {
    json!({
        "iss": "https://login.example.com", "aud": "https://api.example", "sub": "usr_1", "client_id": "tpc_1",
        "exp": now().timestamp() + 1, "scope": "openid read:trips", "org_name": "acme",
    })
}

fn judge(typ: &str, claims: &Value) -> Result<Caller, TokenRefused> {
    let key = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let token = UnverifiedJws::parse(&sign_compact(&key, typ, claims).unwrap()).unwrap();
    let verified =
        token.verify(key.verification_key(), &[SignatureAlgorithm::EcdsaP256Sha256]).unwrap();
    let expected = Expected {
        issuer: "https://login.example.com",
        audience: "https://api.example",
        scope: "read:trips",
        now: now(),
    };
    check(&verified, &expected)
}

fn changed(name: &str, value: Value) -> Result<Caller, TokenRefused> {
    let mut claims = good();
    claims[name] = value;
    judge("at+jwt", &claims)
}

#[test]
fn takes_an_access_token_for_itself() {
    let caller = judge("at+jwt", &good()).unwrap();

    assert_eq!((caller.subject.as_str(), caller.client_id.as_str()), ("usr_1", "tpc_1"));
    assert_eq!(caller.organization.as_deref(), Some("acme"));
    assert!(judge("application/at+jwt", &good()).is_ok());
    assert!(changed("aud", json!(["https://other.example", "https://api.example"])).is_ok());
}

#[test]
fn refuses_a_token_for_another_audience() {
    for audience in [json!("https://other.example"), json!([]), json!(7), Value::Null] {
        let refused = changed("aud", audience).unwrap_err();
        assert!(matches!(refused, TokenRefused::Audience { .. }), "{refused}");
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    }
}

#[test]
fn refuses_an_id_token() {
    let refused = judge("JWT", &good()).unwrap_err();
    assert!(matches!(refused, TokenRefused::Type(typ) if typ == "jwt"));
}

#[test]
fn refuses_a_token_of_another_issuer() {
    let refused = changed("iss", json!("https://login.example.com/")).unwrap_err();
    assert!(matches!(refused, TokenRefused::Issuer { .. }));
}

#[test]
fn refuses_a_token_from_its_last_second_on() {
    assert!(changed("exp", json!(now().timestamp() + 1)).is_ok());
    assert!(matches!(changed("exp", json!(now().timestamp())), Err(TokenRefused::Expired)));
}

#[test]
fn refuses_a_token_without_the_scope() {
    let refused = changed("scope", json!("openid read:trips2")).unwrap_err();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(refused.error(), Some("insufficient_scope"));
}

#[test]
fn refuses_a_token_that_lacks_what_every_access_token_has() {
    for name in ["iss", "exp", "scope", "sub", "client_id"] {
        let refused = changed(name, Value::Null).unwrap_err();
        assert!(matches!(refused, TokenRefused::Malformed(missing) if missing == name), "{name}");
    }
}
