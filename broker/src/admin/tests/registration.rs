//! Clients that register themselves, and what users allowed.

use serde_json::{Value, json};

use super::{Answer, Api, send};
use crate::catalog::{Client, LoginRecord, RegistrationToken};
use crate::login::fixtures::name;

const ON: &str = "[registration]\nenabled = true\n";

async fn api() -> Api {
    let api = Api::start_with(ON).await;
    api.acme().await;
    api
}

/// An initial access token of Acme's.
async fn token(api: &Api, more: Value) -> String {
    let mut body = json!({"organization": "acme", "uses": 9});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = api.create("/registration-tokens", body).await;
    made["token"].as_str().unwrap().to_owned()
}

fn good() -> Value {
    json!({"client_name": "Acme site", "redirect_uris": ["https://site.acme.example/cb"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "contacts": ["it@acme.example"], "logo_uri": "https://site.acme.example/logo.png"})
}

fn with(changes: &Value) -> Value {
    let mut body = good();
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

async fn call(api: &Api, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = api.anonymous(method, path).bearer_auth(token);
    send(match body {
        Some(body) => super::json(request, body),
        None => request,
    })
    .await
}

async fn register(api: &Api, token: &str, body: &Value) -> Answer {
    call(api, "POST", "/oidc/register", token, Some(body)).await
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_default()
}

fn path(api: &Api, body: &Value) -> String {
    text(body, "registration_client_uri").strip_prefix(&api.issuer()).unwrap().to_owned()
}

/// RFC 7591 §3.2.1.
#[actix_web::test]
async fn a_registered_client_is_the_organizations_third_party() {
    let api = api().await;
    let token = token(&api, json!({})).await;

    let made = register(&api, &token, &good()).await;

    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.headers["cache-control"], "no-store");
    let body = &made.body;
    assert_eq!(body["client_name"], "Acme site");
    assert_eq!(body["response_types"], json!(["code"]));
    assert_eq!(body["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(
        (text(body, "client_secret").len(), &body["client_secret_expires_at"]),
        (43, &json!(0))
    );
    assert_eq!(text(body, "registration_access_token").len(), 43);
    assert!(body["client_id_issued_at"].is_i64());
    assert!(body.get("contacts").is_none() && body.get("first_party").is_none());
    let id = text(body, "client_id");
    assert!(id.starts_with("tpc_"), "{id}");
    let client = api.app().catalog.get::<Client>(id).await.unwrap().unwrap();
    assert!(client.is_third_party());
    assert_eq!(client.organization(), Some(&name("acme")));
    let log = api.get(&format!("/logs?object={id}")).await.body;
    let (actor, _) = token.split_once('.').unwrap();
    assert_eq!(log["items"][0]["actor"], json!({"kind": "registration", "name": actor}));
    let shown = log.to_string();
    assert!(!shown.contains(text(body, "client_secret")) && !shown.contains(&token));
    api.stop().await;
}

/// RFC 7591 §3.2.2.
#[actix_web::test]
async fn what_an_operator_would_be_refused_is_refused_here_and_more() {
    let api = api().await;
    let token = token(&api, json!({})).await;
    let uri = |uri: &str| json!({"redirect_uris": [uri]});
    for (changes, error) in [
        (uri("http://127.0.0.1/cb"), "invalid_redirect_uri"),
        (uri("com.example.app:/cb"), "invalid_redirect_uri"),
        (uri("https://a.example/cb#x"), "invalid_redirect_uri"),
        (uri("javascript:alert(1)"), "invalid_redirect_uri"),
        (json!({"redirect_uris": []}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [7]}), "invalid_redirect_uri"),
        (json!({"post_logout_redirect_uris": ["http://a.example/"]}), "invalid_redirect_uri"),
        (
            json!({"grant_types": ["authorization_code", "client_credentials"]}),
            "invalid_client_metadata",
        ),
        (json!({"grant_types": ["implicit"]}), "invalid_client_metadata"),
        (json!({"response_types": ["code", "token"]}), "invalid_client_metadata"),
        (json!({"response_types": "code"}), "invalid_client_metadata"),
        (json!({"token_endpoint_auth_method": "client_secret_jwt"}), "invalid_client_metadata"),
        (json!({"id_token_signed_response_alg": "none"}), "invalid_client_metadata"),
        (json!({"client_uri": "http://a.example/"}), "invalid_client_metadata"),
        (json!({"client_name": "two\nlines"}), "invalid_client_metadata"),
        (json!({"software_statement": "e30.e30.x"}), "unapproved_software_statement"),
    ] {
        let refused = register(&api, &token, &with(&changes)).await;
        assert_eq!((refused.status, text(&refused.body, "error")), (400, error), "{changes}");
        assert!(!text(&refused.body, "error_description").is_empty(), "{changes}");
    }
    let not_json = api.anonymous(reqwest::Method::POST, "/oidc/register").bearer_auth(&token);
    assert_eq!(send(not_json.body("x")).await.status, 415);
    // what we decide is not the client's to say
    let greedy = json!({"first_party": true, "organization": "globex", "client_id": "mine", "enabled": false,
        "connections": ["x"], "web_origins": ["https://evil.example"]});
    let made = register(&api, &token, &with(&greedy)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let client =
        api.app().catalog.get::<Client>(text(&made.body, "client_id")).await.unwrap().unwrap();
    assert!(client.is_third_party() && client.enabled && client.connections.is_none());
    assert!(client.web_origins.is_empty() && client.client_id != "mine");
    assert_eq!(client.organization(), Some(&name("acme")));
    api.stop().await;
}

#[actix_web::test]
async fn a_client_without_a_name_is_called_by_its_host() {
    let api = api().await;
    let token = token(&api, json!({})).await;

    let made = register(&api, &token, &with(&json!({"client_name": null}))).await;

    assert_eq!(made.body["client_name"], "site.acme.example");
    api.stop().await;
}

#[actix_web::test]
async fn only_a_living_token_of_a_living_organization_registers() {
    let api = api().await;
    let twice = token(&api, json!({"uses": 2})).await;
    let (id, _) = twice.split_once('.').unwrap();
    let none = send(super::json(api.anonymous(reqwest::Method::POST, "/oidc/register"), &good()));
    let none = none.await;
    assert_eq!(
        (none.status, none.headers["www-authenticate"].to_str().unwrap()),
        (401, "Bearer realm=\"homerealm\"")
    );
    for wrong in ["x", id, &format!("{id}.{}", "x".repeat(43)), super::TOKEN] {
        let refused = register(&api, wrong, &good()).await;
        assert_eq!(
            (refused.status, text(&refused.body, "error")),
            (401, "invalid_token"),
            "{wrong}"
        );
        assert!(refused.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
    }

    api.patch("/organizations/acme", json!({"enabled": false})).await;
    assert_eq!(register(&api, &twice, &good()).await.status, 401);
    api.patch("/organizations/acme", json!({"enabled": true})).await;
    // a refused registration costs nothing
    assert_eq!(register(&api, &twice, &with(&json!({"redirect_uris": []}))).await.status, 400);
    assert_eq!(register(&api, &twice, &good()).await.status, 201);
    assert_eq!(register(&api, &twice, &good()).await.status, 201);
    assert_eq!(register(&api, &twice, &good()).await.status, 401);

    let gone = token(&api, json!({})).await;
    let (id, _) = gone.split_once('.').unwrap();
    assert_eq!(api.delete(&format!("/registration-tokens/{id}")).await.status, 204);
    assert_eq!(register(&api, &gone, &good()).await.status, 401);
    api.stop().await;
}

#[actix_web::test]
async fn a_token_expires_at_its_second() {
    let api = api().await;
    let token = token(&api, json!({"expires_in_seconds": 60})).await;
    let (id, _) = token.split_once('.').unwrap();
    let found = api.app().catalog.get::<RegistrationToken>(id).await.unwrap().unwrap();
    assert_eq!(found.expires_at - found.created_at, chrono::TimeDelta::seconds(60));

    let past = RegistrationToken { expires_at: api.app().now(), ..found.object.as_ref().clone() };
    api.app().catalog.update(&past, None).await.unwrap();

    assert_eq!(register(&api, &token, &good()).await.status, 401);
    api.stop().await;
}

#[actix_web::test]
async fn as_many_get_through_as_the_token_has_uses() {
    let api = api().await;
    let token = token(&api, json!({"uses": 3})).await;
    let body = good();

    let all = (0..8).map(|_| register(&api, &token, &body));
    let all = futures_util::future::join_all(all).await;

    let made = all.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 3);
    api.stop().await;
}

/// RFC 7592.
#[actix_web::test]
async fn a_client_manages_its_own_registration_and_no_other() {
    let api = api().await;
    let initial = token(&api, json!({})).await;
    let made = register(&api, &initial, &good()).await.body;
    let other = register(&api, &initial, &good()).await.body;
    let (path, first) = (path(&api, &made), text(&made, "registration_access_token"));
    for wrong in [text(&other, "registration_access_token"), &initial, "x"] {
        let refused = call(&api, "GET", &path, wrong, None).await;
        assert_eq!((refused.status, text(&refused.body, "error")), (401, "invalid_token"));
    }

    let read = call(&api, "GET", &path, first, None).await;
    assert_eq!((read.status, text(&read.body, "registration_access_token")), (200, first));
    assert!(read.body.get("client_secret").is_none());

    let update = |changes: Value| {
        let mut body = with(&json!({"client_id": made["client_id"]}));
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    for (changes, error) in [
        (json!({"client_id": other["client_id"]}), "invalid_client_metadata"),
        (json!({"client_secret": "guessed"}), "invalid_client_metadata"),
        (json!({"registration_access_token": first}), "invalid_client_metadata"),
        (json!({"client_secret_expires_at": 0}), "invalid_client_metadata"),
        (json!({"token_endpoint_auth_method": "none"}), "invalid_client_metadata"),
        (json!({"redirect_uris": ["http://a.example/"]}), "invalid_redirect_uri"),
    ] {
        let refused = call(&api, "PUT", &path, first, Some(&update(changes.clone()))).await;
        assert_eq!((refused.status, text(&refused.body, "error")), (400, error), "{changes}");
    }
    // what an operator set stays, what the client left out goes
    api.patch(
        &format!("/clients/{}", text(&made, "client_id")),
        json!({"web_origins": ["https://a.example"]}),
    )
    .await;
    let body = update(
        json!({"client_name": "New name", "client_secret": made["client_secret"], "grant_types": null}),
    );
    let changed = call(&api, "PUT", &path, first, Some(&body)).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(
        (text(&changed.body, "client_name"), &changed.body["grant_types"]),
        ("New name", &json!(["authorization_code"]))
    );
    let client = api.app().catalog.get::<Client>(text(&made, "client_id")).await.unwrap().unwrap();
    assert_eq!(client.web_origins, ["https://a.example"]);
    // the token is a new one
    let second = text(&changed.body, "registration_access_token");
    assert_eq!(call(&api, "GET", &path, first, None).await.status, 401);
    assert_eq!(call(&api, "GET", &path, second, None).await.status, 200);

    let api_body =
        json!({"identifier": "https://api.example", "name": "API", "scopes": [{"value": "read"}]});
    api.create("/resource-servers", api_body).await;
    let grant = json!({"client_id": made["client_id"], "audience": "https://api.example", "scopes": ["read"]});
    api.create("/client-grants", grant).await;
    assert_eq!(call(&api, "DELETE", &path, second, None).await.status, 204);
    assert_eq!(call(&api, "GET", &path, second, None).await.status, 401);
    assert!(api.get("/client-grants").await.body["items"].as_array().unwrap().is_empty());
    api.stop().await;
}

#[actix_web::test]
async fn a_client_that_was_switched_off_manages_nothing() {
    let api = api().await;
    let initial = token(&api, json!({})).await;
    let made = register(&api, &initial, &good()).await.body;
    let (path, token) = (path(&api, &made), text(&made, "registration_access_token"));

    api.patch(&format!("/clients/{}", text(&made, "client_id")), json!({"enabled": false})).await;

    assert_eq!(call(&api, "GET", &path, token, None).await.status, 401);
    api.stop().await;
}

#[actix_web::test]
async fn switched_off_there_is_no_registration_and_discovery_names_none() {
    let discovery = async |api: &Api| {
        let path = "/.well-known/openid-configuration";
        send(api.anonymous(reqwest::Method::GET, path)).await.body["registration_endpoint"].clone()
    };
    let off = Api::start().await;
    off.acme().await;
    let token = token(&off, json!({})).await;
    assert_eq!(register(&off, &token, &good()).await.status, 404);
    assert_eq!(call(&off, "GET", "/oidc/register/x", "x", None).await.status, 404);
    assert_eq!(discovery(&off).await, Value::Null);
    off.stop().await;

    let on = api().await;
    assert_eq!(discovery(&on).await, format!("{}/oidc/register", on.issuer()));
    on.stop().await;
}

#[actix_web::test]
async fn registration_tokens_are_shown_without_their_secret_and_named_field_by_field() {
    let api = api().await;
    let document = api.get("/openapi.json").await.body;
    let made = api.create("/registration-tokens", json!({"organization": "acme"})).await;
    super::documents::check_named(&document, "RegistrationToken", &made);

    let path = format!("/registration-tokens/{}", text(&made, "id"));
    let read = api.get(&path).await.body;
    assert!(read.get("token").is_none() && !read.to_string().contains("sha256"), "{read}");
    super::documents::check_named(
        &document,
        "RegistrationTokenList",
        &api.get("/registration-tokens").await.body,
    );
    for (body, field) in [
        (json!({}), "organization"),
        (json!({"organization": "globex"}), "organization"),
        (json!({"organization": "acme", "uses": 0}), "uses"),
        (json!({"organization": "acme", "expires_in_seconds": 59}), "expires_in_seconds"),
        (json!({"organization": "acme", "expires_in_seconds": 2_592_001}), "expires_in_seconds"),
    ] {
        let refused = api.post("/registration-tokens", body).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![field]));
    }
    assert_eq!(api.patch(&path, json!({"uses": 5})).await.status, 405);
    assert_eq!(api.delete("/organizations/acme").await.status, 409);
    assert_eq!(api.delete(&path).await.status, 204);
    assert_eq!(api.get(&path).await.status, 404);
    assert_eq!(api.delete("/organizations/acme").await.status, 204);
    api.stop().await;
}

#[actix_web::test]
async fn what_a_user_allows_is_listed_and_ended() {
    let api = api().await;
    let initial = token(&api, json!({})).await;
    let client = register(&api, &initial, &good()).await.body;
    let client = text(&client, "client_id");
    let identity =
        json!({"connection": "acme-oidc", "issuer": "https://idp.acme.example", "subject": "1"});
    let connection = json!({"name": "acme-oidc", "strategy": "oidc", "organization": "acme",
        "options": {"issuer": "https://idp.acme.example", "client_id": "x", "client_secret": "y"}});
    api.create("/connections", connection).await;
    let record = LoginRecord {
        identity: serde_json::from_value(identity).unwrap(),
        claims: Default::default(),
        organizations: Vec::new(),
        arrival: Default::default(),
        new_user_id: "usr_1".to_owned(),
        now: api.app().now(),
    };
    api.app().catalog.record_login(record).await.unwrap();
    let names = ["acme - openid", "acme https://api.example ", "acme https://api.example read"];
    let names = names.map(str::to_owned);
    let now = api.app().now();
    api.app().catalog.remember_consent("usr_1", client, &names, now).await.unwrap();
    let document = api.get("/openapi.json").await.body;

    let listed = api.get("/users/usr_1/consents").await.body;
    super::documents::check_named(&document, "ConsentList", &listed);
    let only = &listed["items"][0];
    assert_eq!((text(only, "client_id"), text(only, "client_name")), (client, "Acme site"));
    assert_eq!((text(only, "organization"), &only["scopes"]), ("acme", &json!(["openid"])));
    assert_eq!(only["apis"], json!([{"audience": "https://api.example", "scopes": ["read"]}]));

    let path = format!("/users/usr_1/consents/{client}");
    assert_eq!(api.delete(&path).await.status, 204);
    assert_eq!(api.delete(&path).await.status, 404);
    assert_eq!(api.get("/users/usr_2/consents").await.status, 404);
    assert!(api.get("/users/usr_1/consents").await.body["items"].as_array().unwrap().is_empty());
    let log = api.get("/logs?kind=consent").await.body;
    assert_eq!(
        log["items"][0]["object"],
        json!({"kind": "consent", "id": "usr_1", "name": client})
    );
    api.stop().await;
}
