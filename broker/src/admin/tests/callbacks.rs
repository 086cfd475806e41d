//! Customers change the callbacks of their own apps, within their own domains, and undo what they did.

use reqwest::Method;
use serde_json::{Value, json};

use super::api_tokens::{as_holder, token};
use super::{Answer, Api};

struct Customer {
    api: Api,
    token: String,
}

const CALLBACK: &str = "https://portal.acme.example/cb";

impl Customer {
    /// Acme holds acme.example and an app; Globex holds a name below it.
    async fn start() -> Self {
        let api = Api::start().await;
        api.acme().await;
        let below = json!([{"name": "eu.acme.example", "verified": true},
                           {"name": "globex.example", "verified": true}]);
        api.create("/organizations", json!({"name": "globex", "domains": below})).await;
        api.create(
            "/clients",
            json!({"client_id": "portal", "client_name": "Portal", "organization": "acme",
                   "redirect_uris": [CALLBACK, "https://elsewhere.example/cb"]}),
        )
        .await;
        let (token, _) = token(&api, "acme-it", "organization:acme").await;
        Self { api, token }
    }

    async fn patch(&self, body: Value) -> Answer {
        as_holder(&self.api, &self.token, Method::PATCH, "/clients/portal", Some(body)).await
    }

    async fn revert(&self, entry: &Value) -> Answer {
        let body = Some(json!({"entry": entry}));
        as_holder(&self.api, &self.token, Method::POST, "/clients/portal/revert", body).await
    }

    async fn history(&self) -> Vec<Value> {
        let got =
            as_holder(&self.api, &self.token, Method::GET, "/clients/portal/history", None).await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.body["items"].as_array().unwrap().clone()
    }
}

#[actix_web::test]
async fn addresses_within_verified_domains_are_the_customers_own_to_set() {
    let customer = Customer::start().await;
    for body in [
        json!({"redirect_uris": [CALLBACK, "https://acme.example/cb"]}),
        json!({"redirect_uris": ["https://a.b.acme.example:8443/cb?x=1"]}),
        json!({"post_logout_redirect_uris": ["https://portal.acme.example/"]}),
        json!({"web_origins": ["https://portal.acme.example"]}),
    ] {
        let changed = customer.patch(body.clone()).await;
        assert_eq!(changed.status, 200, "{body}: {}", changed.body);
        for (field, value) in body.as_object().unwrap() {
            assert_eq!(changed.body[field], *value);
        }
    }
    customer.api.stop().await;
}

#[actix_web::test]
async fn addresses_elsewhere_are_refused_with_their_place() {
    let customer = Customer::start().await;
    for address in [
        "https://evil.example/cb",
        "https://notacme.example/cb",
        "https://acme.example.evil.example/cb",
        "https://eu.acme.example/cb",
        "https://x.eu.acme.example/cb",
        "https://globex.example/cb",
        "https://192.0.2.1/cb",
        "http://127.0.0.1/cb",
        "com.acme.app:/cb",
        "http://portal.acme.example/cb",
        "https://user@portal.acme.example/cb",
        "https://portal.acme.example@evil.example/cb",
        "https://portal.acme.example\\@evil.example/cb",
    ] {
        for field in ["redirect_uris", "post_logout_redirect_uris"] {
            let refused = customer.patch(json!({field: [CALLBACK, address]})).await;
            let at = format!("{field}.1");
            assert_eq!((refused.status, refused.fields()), (422, vec![at.as_str()]), "{address}");
        }
    }
    for origin in ["https://evil.example", "http://localhost", "https://eu.acme.example", "null"] {
        let refused = customer.patch(json!({"web_origins": [origin]})).await;
        assert_eq!((refused.status, refused.fields()), (422, vec!["web_origins.0"]), "{origin}");
    }
    customer.api.stop().await;
}

#[actix_web::test]
async fn what_the_operator_registered_elsewhere_may_stay_but_does_not_come_back() {
    let customer = Customer::start().await;
    let both =
        json!({"redirect_uris": ["https://elsewhere.example/cb", "https://acme.example/cb"]});
    assert_eq!(customer.patch(both.clone()).await.status, 200);
    assert_eq!(
        customer.patch(json!({"redirect_uris": ["https://acme.example/cb"]})).await.status,
        200
    );

    let back = customer.patch(both).await;

    assert_eq!((back.status, back.fields()), (422, vec!["redirect_uris.0"]));
    customer.api.stop().await;
}

#[actix_web::test]
async fn a_domain_that_is_not_verified_carries_nothing() {
    let customer = Customer::start().await;
    let domains = json!([{"name": "acme.example", "verified": false}]);
    customer.api.patch("/organizations/acme", json!({"domains": domains})).await;

    let refused = customer.patch(json!({"redirect_uris": ["https://new.acme.example/cb"]})).await;

    assert_eq!((refused.status, refused.fields()), (422, vec!["redirect_uris.0"]));
    customer.api.stop().await;
}

#[actix_web::test]
async fn everything_else_of_the_app_is_the_operators() {
    let customer = Customer::start().await;
    let before = customer.api.get("/clients/portal").await.body;
    for (field, value) in [
        ("client_name", json!("Other")),
        ("first_party", json!(true)),
        ("organization", json!("globex")),
        ("grant_types", json!(["authorization_code", "client_credentials"])),
        ("token_endpoint_auth_method", json!("none")),
        ("connections", json!([])),
        ("enabled", json!(false)),
        ("client_uri", json!("https://acme.example")),
        ("initiate_login_uri", json!("https://acme.example")),
        ("backchannel_logout_uri", json!("https://acme.example")),
        ("dpop_bound_access_tokens", json!(true)),
        ("surprise", json!(1)),
    ] {
        let refused = customer.patch(json!({field: value})).await;
        assert_eq!((refused.status, refused.fields()), (403, vec![field]), "{}", refused.body);
    }
    let whole = customer.patch(before.clone()).await;
    assert_eq!(whole.status, 403, "what only we write is no member of a patch: {}", whole.body);
    assert_eq!(customer.api.get("/clients/portal").await.body, before);
    customer.api.stop().await;
}

#[actix_web::test]
async fn the_history_tells_what_was_changed_and_hides_the_operators_people() {
    let customer = Customer::start().await;
    customer.patch(json!({"redirect_uris": [CALLBACK]})).await;

    let history = customer.history().await;

    let document = customer.api.get("/openapi.json").await.body;
    for entry in &history {
        super::documents::check_named(&document, "AuditEntry", entry);
    }
    assert_eq!(history.len(), 2);
    let own = json!({"kind": "token", "name": "acme-it", "organization": "acme"});
    assert_eq!((&history[0]["action"], &history[0]["actor"]), (&json!("updated"), &own));
    assert_eq!(history[0]["after"]["redirect_uris"], json!([CALLBACK]));
    assert_eq!(history[0]["address"], "127.0.0.1");
    assert_eq!(history[1]["actor"], json!({"kind": "token", "name": "other"}));
    assert_eq!(history[1]["address"], Value::Null);
    let whole = customer.api.get("/clients/portal/history?limit=1").await.body;
    assert_eq!((&whole["items"][0]["actor"], whole["next"].is_string()), (&own, true));
    customer.api.stop().await;
}

#[actix_web::test]
async fn a_change_is_undone_and_the_undoing_too() {
    let customer = Customer::start().await;
    let first = json!([CALLBACK, "https://acme.example/cb"]);
    customer.patch(json!({"redirect_uris": first, "web_origins": ["https://acme.example"]})).await;
    customer.patch(json!({"redirect_uris": ["https://acme.example/new"]})).await;

    let entry = customer.history().await[0]["id"].clone();
    let reverted = customer.revert(&entry).await;

    assert_eq!((reverted.status, &reverted.body["redirect_uris"]), (200, &first));
    assert_eq!(reverted.body["web_origins"], json!(["https://acme.example"]), "was not touched");
    let entry = customer.history().await[0]["id"].clone();
    let again = customer.revert(&entry).await;
    assert_eq!(again.body["redirect_uris"], json!(["https://acme.example/new"]));
    customer.api.stop().await;
}

#[actix_web::test]
async fn undoing_brings_nothing_back_that_could_not_be_registered_now() {
    let customer = Customer::start().await;
    customer.patch(json!({"redirect_uris": [CALLBACK]})).await;
    let entry = customer.history().await[0]["id"].clone();

    let refused = customer.revert(&entry).await;

    assert_eq!((refused.status, refused.fields()), (422, vec!["redirect_uris.1"]));
    let body = json!({"entry": entry});
    let by_operator = customer.api.post("/clients/portal/revert", body).await;
    assert_eq!(by_operator.status, 200, "{}", by_operator.body);
    customer.api.stop().await;
}

#[actix_web::test]
async fn only_a_change_of_this_apps_callbacks_is_undone() {
    let customer = Customer::start().await;
    customer
        .api
        .create(
            "/clients",
            json!({"client_id": "second", "client_name": "Second", "organization": "acme",
                   "redirect_uris": [CALLBACK]}),
        )
        .await;
    customer
        .api
        .patch("/clients/second", json!({"redirect_uris": ["https://acme.example/x"]}))
        .await;
    customer.api.patch("/clients/portal", json!({"client_name": "Renamed"})).await;
    let logs = customer.api.get("/logs").await.body;
    let entries = logs["items"].as_array().unwrap();
    for entry in entries.iter().map(|entry| &entry["id"]).chain([&json!("aud_none"), &json!(1)]) {
        let refused = customer.revert(entry).await;
        assert_eq!((refused.status, refused.fields()), (422, vec!["entry"]), "{entry}");
    }
    customer.api.stop().await;
}

#[actix_web::test]
async fn a_customer_keeps_its_own_connection_current_and_changes_nothing_else_of_it() {
    let customer = Customer::start().await;
    customer
        .api
        .create(
            "/connections",
            json!({"name": "acme-c", "strategy": "oidc", "organization": "acme",
                   "options": {"issuer": "https://op.example", "client_id": "us", "client_secret": "first-secret"}}),
        )
        .await;
    let patch = async |body: Value| {
        as_holder(&customer.api, &customer.token, Method::PATCH, "/connections/acme-c", Some(body))
            .await
    };
    let renewed = patch(json!({"options": {"client_secret": "second-secret"}})).await;
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    assert_eq!(patch(json!({"display_name": "Acme SSO"})).await.status, 200);
    for (body, field) in [
        (json!({"is_domain_connection": true}), "is_domain_connection"),
        (json!({"enabled": false}), "enabled"),
        (json!({"clients": ["x"]}), "clients"),
        (json!({"domains": ["acme.example"]}), "domains"),
        (json!({"organization": null}), "organization"),
        (json!({"roles": {"g": ["admin"]}}), "roles.g"),
        (json!({"claims": {"email": ["x"]}}), "claims.email"),
        (json!({"vendor": "google"}), "vendor"),
        (json!({"options": {"issuer": "https://other.example"}}), "options.issuer"),
        (json!({"options": {"client_id": "other"}}), "options.client_id"),
    ] {
        let refused = patch(body).await;
        assert_eq!((refused.status, refused.fields()), (403, vec![field]), "{}", refused.body);
    }
    customer.api.stop().await;
}
