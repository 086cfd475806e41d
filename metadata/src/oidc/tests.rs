use serde_json::json;

use super::*;

const ISSUER: &str = "https://op.example/";

fn good() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://op.example/authorize",
        "token_endpoint": "https://op.example/token",
        "jwks_uri": "https://keys.op.example/jwks.json",
        "userinfo_endpoint": "https://op.example/userinfo",
        "response_types_supported": ["code", "code id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["HS256", "RS256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn read(document: &Value) -> Result<OidcProviderMetadata, DiscoveryRefusal> {
    OidcProviderMetadata::read(document.to_string().as_bytes(), ISSUER, false)
}

fn with(member: &str, value: Value) -> Value {
    let mut document = good();
    document[member] = value;
    document
}

#[test]
fn reads_a_good_document_with_the_defaults_of_the_specification() {
    let provider = read(&good()).unwrap();

    assert_eq!(provider.issuer, ISSUER);
    assert_eq!(provider.jwks_uri.as_str(), "https://keys.op.example/jwks.json");
    assert_eq!(provider.end_session_endpoint, None);
    assert_eq!(provider.token_endpoint_auth_methods_supported, ["client_secret_basic"]);
    assert_eq!(provider.response_modes_supported, ["query", "fragment"]);
    assert!(provider.code_challenge_methods_supported.is_empty());
    assert!(provider.authorization_response_iss_parameter_supported);
}

#[test]
fn the_issuer_is_compared_character_by_character() {
    for other in [
        "https://op.example",
        "https://OP.example/",
        "https://op.example//",
        "https://evil.example/",
    ] {
        let refusal = read(&with("issuer", json!(other))).unwrap_err();
        assert_eq!(
            refusal,
            DiscoveryRefusal::IssuerMismatch {
                expected: ISSUER.to_owned(),
                received: other.to_owned()
            }
        );
    }
}

#[test]
fn an_issuer_template_is_expected_literally() {
    let template = "https://login.example/{tenantid}/v2.0";
    let document = with("issuer", json!(template)).to_string();
    assert!(OidcProviderMetadata::read(document.as_bytes(), template, false).is_ok());
    let one_tenant = "https://login.example/0000/v2.0";
    let refusal = OidcProviderMetadata::read(document.as_bytes(), one_tenant, false).unwrap_err();
    assert_eq!(refusal.code(), "discovery_issuer_mismatch");
}

#[test]
fn required_members_must_be_there_and_not_null() {
    for member in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "id_token_signing_alg_values_supported",
    ] {
        let mut document = good();
        document.as_object_mut().unwrap().remove(member);
        assert_eq!(read(&document), Err(DiscoveryRefusal::MemberMissing { member }));
        assert_eq!(
            read(&with(member, Value::Null)),
            Err(DiscoveryRefusal::MemberMissing { member })
        );
    }
}

#[test]
fn members_of_the_wrong_type_are_refused() {
    for (member, value) in [
        ("issuer", json!(["https://op.example/"])),
        ("token_endpoint", json!(1)),
        ("userinfo_endpoint", json!({})),
        ("id_token_signing_alg_values_supported", json!("RS256")),
        ("response_types_supported", json!(["code", 1])),
        ("scopes_supported", json!("openid")),
        ("authorization_response_iss_parameter_supported", json!("true")),
    ] {
        assert_eq!(read(&with(member, value)), Err(DiscoveryRefusal::MemberInvalid { member }));
    }
}

#[test]
fn endpoints_are_https() {
    let is_not_https =
        |member| Err(DiscoveryRefusal::EndpointInvalid { member, reason: "is not https" });
    for bad in
        ["http://op.example/t", "file:///etc/passwd", "gopher://op.example/", "javascript:alert(1)"]
    {
        assert_eq!(read(&with("token_endpoint", json!(bad))), is_not_https("token_endpoint"));
        assert_eq!(read(&with("userinfo_endpoint", json!(bad))), is_not_https("userinfo_endpoint"));
    }
}

#[test]
fn http_endpoints_are_taken_only_where_the_caller_allows_them() {
    let document = with("token_endpoint", json!("http://127.0.0.1:9000/t")).to_string();
    assert!(OidcProviderMetadata::read(document.as_bytes(), ISSUER, true).is_ok());
    let file = with("jwks_uri", json!("file:///etc/passwd")).to_string();
    assert!(OidcProviderMetadata::read(file.as_bytes(), ISSUER, true).is_err());
}

#[test]
fn endpoints_have_no_fragment_no_user_information_and_are_absolute() {
    for (bad, reason) in [
        ("https://op.example/jwks#a", "has a fragment"),
        ("https://op.example/jwks#", "has a fragment"),
        ("https://user@op.example/jwks", "has user information"),
        ("https://:secret@op.example/jwks", "has user information"),
        ("/jwks", "is not an absolute URL"),
        ("https://", "is not an absolute URL"),
    ] {
        let refusal = DiscoveryRefusal::EndpointInvalid { member: "jwks_uri", reason };
        assert_eq!(read(&with("jwks_uri", json!(bad))), Err(refusal), "{bad}");
    }
}

#[test]
fn an_asymmetric_algorithm_that_we_support_must_be_offered() {
    for bad in
        [json!([]), json!(["none"]), json!(["HS256", "HS512"]), json!(["rs256"]), json!(["ES256K"])]
    {
        let refusal = read(&with("id_token_signing_alg_values_supported", bad)).unwrap_err();
        assert_eq!(refusal.code(), "discovery_no_supported_algorithm");
    }
    assert!(read(&with("id_token_signing_alg_values_supported", json!(["none", "EdDSA"]))).is_ok());
}

#[test]
fn the_code_flow_must_be_offered() {
    let refusal = read(&with("response_types_supported", json!(["id_token", "code token"])));
    assert_eq!(refusal, Err(DiscoveryRefusal::NoCodeFlow));
}

#[test]
fn the_document_is_one_strict_json_object() {
    let twice = r#"{"issuer": "https://op.example/", "issuer": "https://evil.example/"}"#;
    let read = |text: &[u8]| OidcProviderMetadata::read(text, ISSUER, false);
    assert_eq!(read(twice.as_bytes()), Err(StrictJsonError::DuplicateMember.into()));
    assert_eq!(read(b"[]"), Err(DiscoveryRefusal::NotAnObject));
    assert_eq!(read(b"<html>").unwrap_err().code(), "discovery_not_json");
    assert_eq!(read(b"\"\xff\"").unwrap_err().code(), "discovery_not_json");
}
