//! Clients, APIs, grants, users.

use serde_json::{Value, json};

use super::Api;

fn portal() -> Value {
    json!({"client_name": "Acme portal", "first_party": false, "organization": "acme",
           "redirect_uris": ["https://portal.acme.example/cb"],
           "grant_types": ["authorization_code", "refresh_token"],
           "token_endpoint_auth_method": "client_secret_basic"})
}

fn with(mut base: Value, key: &str, value: Value) -> Value {
    base[key] = value;
    base
}

#[actix_web::test]
async fn a_secret_is_in_the_answer_of_the_post_only() {
    let api = Api::start().await;
    api.acme().await;

    let made = api.create("/clients", portal()).await;

    let id = made["client_id"].as_str().unwrap();
    assert!(id.starts_with("tpc_"), "{id}");
    assert_eq!(made["client_secret"].as_str().unwrap().len(), 43);
    let read = api.get(&format!("/clients/{id}")).await;
    let changed = api.patch(&format!("/clients/{id}"), json!({"client_name": "New"})).await;
    for answer in [read.body, changed.body] {
        let text = answer.to_string();
        assert!(!text.contains("secret\"") && !text.contains("sha256"), "{text}");
    }
    api.stop().await;
}

#[actix_web::test]
async fn a_public_client_gets_no_secret_and_may_name_its_own_id() {
    let api = Api::start().await;
    let body = json!({"client_id": "spa", "client_name": "SPA", "first_party": true,
                      "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none"});
    let made = api.create("/clients", body.clone()).await;
    assert_eq!((&made["client_id"], made.get("client_secret")), (&json!("spa"), None));

    let again = api.post("/clients", body).await;
    assert_eq!((again.status, again.fields()), (409, vec!["client_id"]));
    api.stop().await;
}

#[actix_web::test]
async fn each_wrong_field_of_a_client_is_named() {
    let api = Api::start().await;
    api.acme().await;
    for (key, value, field) in [
        ("client_name", json!(null), "client_name"),
        ("organization", json!(null), "organization"),
        ("organization", json!("nobody"), "organization"),
        ("redirect_uris", json!([]), "redirect_uris"),
        ("redirect_uris", json!(["http://portal.acme.example/cb"]), "redirect_uris.0"),
        ("redirect_uris", json!(["https://a.example/cb#f"]), "redirect_uris.0"),
        ("redirect_uris", json!(["javascript:alert(1)"]), "redirect_uris.0"),
        ("grant_types", json!(["implicit"]), "grant_types"),
        ("token_endpoint_auth_method", json!("client_secret_jwt"), "token_endpoint_auth_method"),
        ("token_endpoint_auth_method", json!("private_key_jwt"), "jwks"),
        ("token_endpoint_auth_signing_alg", json!("HS256"), "token_endpoint_auth_signing_alg"),
        ("request_object_signing_alg", json!("none"), "request_object_signing_alg"),
        ("tls_client_auth_subject_dn", json!("app"), "tls_client_auth_subject_dn"),
        ("tls_client_auth_san_ip", json!("a"), "tls_client_auth_san_ip"),
        ("connections", json!(["nothing-like-it"]), "connections.0"),
        ("web_origins", json!(["https://a.example/path"]), "web_origins.0"),
        ("client_id", json!("a b"), "client_id"),
        ("jwks_uri", json!("http://a.example/jwks"), "jwks_uri"),
        ("jwks", json!("{}"), "jwks"),
        ("jwks", json!({"keys": []}), "jwks"),
        ("jwks", json!({"keys": [{"kty": "oct", "k": "AQAB"}]}), "jwks"),
        (
            "tls_client_certificate_bound_access_tokens",
            json!(true),
            "tls_client_certificate_bound_access_tokens",
        ),
    ] {
        let answer = api.post("/clients", with(portal(), key, value)).await;
        assert_eq!((answer.status, answer.fields()), (422, vec![field]), "{key}: {}", answer.body);
    }
    api.stop().await;
}

#[actix_web::test]
async fn what_fixes_a_client_cannot_change() {
    let api = Api::start().await;
    api.acme().await;
    api.create("/organizations", json!({"name": "globex"})).await;
    let made = api.create("/clients", portal()).await;
    let path = format!("/clients/{}", made["client_id"].as_str().unwrap());
    for (field, value) in [
        ("first_party", json!(true)),
        ("organization", json!("globex")),
        ("client_id", json!("other")),
        ("token_endpoint_auth_method", json!("none")),
    ] {
        let answer = api.patch(&path, json!({field: value})).await;
        assert_eq!((answer.status, answer.fields()), (422, vec![field]), "{}", answer.body);
    }
    api.stop().await;
}

#[actix_web::test]
async fn an_api_is_found_by_its_url_encoded_identifier_and_granted_scope_by_scope() {
    let api = Api::start().await;
    api.acme().await;
    let client = api.create("/clients", portal()).await;
    let server = api
        .create(
            "/resource-servers",
            json!({"identifier": "https://api.example", "name": "The API", "scopes": [{"value": "read:data"}],
                   "token_lifetime_seconds": 3600, "signing_alg": "ES256", "default": true}),
        )
        .await;
    assert_eq!(api.get("/resource-servers/https%3A%2F%2Fapi.example").await.body, server);

    let grant = |scopes: Value| {
        json!({"client_id": client["client_id"], "audience": "https://api.example", "scopes": scopes,
               "subject_type": "user"})
    };
    let refused = api.post("/client-grants", grant(json!(["write:data"]))).await;
    assert_eq!((refused.status, refused.fields()), (422, vec!["scopes.0"]));
    api.create("/client-grants", grant(json!(["read:data"]))).await;
    assert_eq!(api.post("/client-grants", grant(json!(["read:data"]))).await.status, 409);

    let service = with(grant(json!([])), "subject_type", json!("client"));
    assert_eq!(api.post("/client-grants", service).await.fields(), ["subject_type"]);
    assert_eq!(api.delete("/resource-servers/https%3A%2F%2Fapi.example").await.status, 409);
    api.stop().await;
}

#[actix_web::test]
async fn an_api_cannot_take_scopes_of_openid_connect_nor_our_own_address() {
    let api = Api::start().await;
    let issuer = api.issuer();
    for (body, field) in [
        (json!({"identifier": "not a url"}), "identifier"),
        (json!({"identifier": issuer}), "identifier"),
        (
            json!({"identifier": "https://a.example", "scopes": [{"value": "openid"}]}),
            "scopes.0.value",
        ),
        (
            json!({"identifier": "https://a.example", "scopes": [{"value": "a b"}]}),
            "scopes.0.value",
        ),
        (
            json!({"identifier": "https://a.example", "token_lifetime_seconds": 59}),
            "token_lifetime_seconds",
        ),
        (json!({"identifier": "https://a.example", "signing_alg": "none"}), "signing_alg"),
    ] {
        let answer = api.post("/resource-servers", body).await;
        assert_eq!((answer.status, answer.fields()), (422, vec![field]), "{}", answer.body);
    }
    api.stop().await;
}

#[actix_web::test]
async fn a_user_can_be_made_blocked_and_deleted() {
    let api = Api::start().await;
    let made = api.create("/users", json!({"claims": {"name": "Ann"}})).await;
    let path = format!("/users/{}", made["id"].as_str().unwrap());

    let blocked = api.patch(&path, json!({"blocked": true})).await;
    assert_eq!((blocked.status, &blocked.body["blocked"]), (200, &json!(true)));
    assert_eq!(blocked.body["claims"]["name"], "Ann");
    let unknown = json!({"identities": [{"connection": "none", "issuer": "i", "subject": "s"}]});
    assert_eq!(api.patch(&path, unknown).await.fields(), ["identities.0.connection"]);
    assert_eq!(api.delete(&path).await.status, 204);
    api.stop().await;
}

#[actix_web::test]
async fn a_user_has_known_claims_only() {
    let api = Api::start().await;
    let wrong = api.post("/users", json!({"claims": {"name": "Ann", "nmae": "Ann"}})).await;
    assert_eq!((wrong.status, wrong.fields()), (422, vec!["claims.nmae"]));
    let typed = api.post("/users", json!({"claims": {"name": 1}})).await;
    assert_eq!((typed.status, typed.fields()), (422, vec!["claims"]));
    let empty = json!({"claims": {"name": null, "groups": []}});
    assert_eq!(api.post("/users", empty).await.status, 201);
    api.stop().await;
}

#[actix_web::test]
async fn a_body_that_is_too_large_is_a_problem_document() {
    let api = Api::start().await;
    let body = "x".repeat(2 * 1024 * 1024 + 1);

    let refused =
        super::send(api.request(reqwest::Method::POST, "/metadata/inspect").body(body)).await;

    assert_eq!(refused.status, 413);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    api.stop().await;
}

#[actix_web::test]
async fn a_grant_is_a_clients_own_or_the_default_of_third_party_clients() {
    let api = Api::start().await;
    api.acme().await;
    let server = json!({"identifier": "https://api.example", "scopes": [{"value": "read:data"}],
                        "allowed_subject_types": ["user"]});
    let server = api.create("/resource-servers", server).await;
    assert_eq!(server["allowed_subject_types"], json!(["user"]));
    let grant = json!({"default_for": "third_party_clients", "audience": "https://api.example", "scopes": ["read:data"]});

    let made = api.create("/client-grants", grant.clone()).await;

    assert_eq!((&made["client_id"], &made["default_for"]), (&Value::Null, &grant["default_for"]));
    assert_eq!(api.post("/client-grants", grant.clone()).await.status, 409);
    let path = format!("/client-grants/{}", made["id"].as_str().unwrap());
    let own = api.create("/clients", portal()).await["client_id"].clone();
    for (patch, field) in [
        (json!({"default_for": null, "client_id": own}), "default_for"),
        (json!({"client_id": own}), "default_for"),
        (json!({"subject_type": "client"}), "subject_type"),
        (json!({"default_for": "everybody"}), "default_for"),
        (json!({"default_for": null}), "client_id"),
    ] {
        let answer = api.patch(&path, patch.clone()).await;
        assert_eq!((answer.status, answer.fields()), (422, vec![field]), "{patch} {}", answer.body);
    }
    let nobodys = api
        .patch("/resource-servers/https%3A%2F%2Fapi.example", json!({"allowed_subject_types": []}))
        .await;
    assert_eq!((nobodys.status, nobodys.fields()), (422, vec!["allowed_subject_types"]));
    let kept = api.delete("/resource-servers/https%3A%2F%2Fapi.example").await;
    assert_eq!(kept.status, 409);
    api.stop().await;
}

#[actix_web::test]
async fn an_organization_maps_groups_to_roles() {
    let api = Api::start().await;
    api.acme().await;
    let mappings = json!([{"group": "staff", "role": "reader", "connection": null},
                          {"group": "staff", "role": "reader", "connection": "google"}]);

    let changed = api.patch("/organizations/acme", json!({"role_mappings": mappings})).await;

    assert_eq!((changed.status, &changed.body["role_mappings"]), (200, &mappings));
    for (bad, field) in [
        (json!([{"group": "staff"}]), "role_mappings.0.role"),
        (json!([{"group": "", "role": "reader"}]), "role_mappings.0.group"),
        (json!([{"group": "a\nb", "role": "reader"}]), "role_mappings.0.group"),
        (
            json!([{"group": "staff", "role": "r", "connection": "No"}]),
            "role_mappings.0.connection",
        ),
        (
            json!([{"group": "a", "role": "r"}, {"group": "a", "role": "r"}]),
            "role_mappings.1.group",
        ),
    ] {
        let answer = api.patch("/organizations/acme", json!({"role_mappings": bad})).await;
        assert_eq!((answer.status, answer.fields()), (422, vec![field]), "{}", answer.body);
    }
    api.stop().await;
}
