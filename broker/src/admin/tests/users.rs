//! Users: what ends with a block, a last way in, and the export.

use serde_json::{Value, json};

use super::Api;
use super::documents::check_named;
use crate::catalog::{Behind, EndedLogin};

/// Ada of acme, who comes by `acme-oidc`.
async fn ada(api: &Api) -> String {
    api.acme().await;
    connection(api, "acme-oidc").await;
    let claims = json!({"name": "Ada", "email": "ada@acme.example"});
    let body =
        json!({"claims": claims, "identities": [identity("acme-oidc")], "organizations": ["acme"]});
    let user = api.create("/users", body).await;
    format!("/users/{}", user["id"].as_str().unwrap())
}

async fn connection(api: &Api, name: &str) {
    let options = json!({"issuer": "https://op.example", "client_id": "us"});
    let body =
        json!({"name": name, "strategy": "oidc", "organization": "acme", "options": options});
    api.create("/connections", body).await;
}

fn identity(connection: &str) -> Value {
    json!({"connection": connection, "issuer": "https://op.example", "subject": "1"})
}

#[actix_web::test]
async fn the_last_identity_stays_unless_the_user_is_blocked() {
    let api = Api::start().await;
    let ada = ada(&api).await;

    let refused = api.patch(&ada, json!({"identities": []})).await;
    assert_eq!((refused.status, refused.fields()), (422, vec!["identities"]));

    connection(&api, "acme-new").await;
    let moved = api.patch(&ada, json!({"identities": [identity("acme-new")]})).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    let blocked = api.patch(&ada, json!({"identities": [], "blocked": true})).await;
    assert_eq!(blocked.status, 200, "{}", blocked.body);
    api.stop().await;
}

#[actix_web::test]
async fn an_identity_belongs_to_one_user() {
    let api = Api::start().await;
    ada(&api).await;
    let other = api.create("/users", json!({"claims": {"email": "ada@acme.example"}})).await;

    let path = format!("/users/{}", other["id"].as_str().unwrap());
    let linked = api.patch(&path, json!({"identities": [identity("acme-oidc")]})).await;

    assert_eq!((linked.status, linked.fields()), (409, vec!["identities"]));
    api.stop().await;
}

#[actix_web::test]
async fn a_block_signs_out_for_good_and_so_does_ending_sessions_with_tokens() {
    let api = Api::start().await;
    let ada = ada(&api).await;
    let signed_out_at = async || api.get(&ada).await.body["signed_out_at"].clone();
    assert_eq!(signed_out_at().await, Value::Null);

    assert_eq!(api.delete(&format!("{ada}/sessions")).await.status, 204);
    assert_eq!(signed_out_at().await, Value::Null, "tokens go on");
    assert_eq!(api.delete(&format!("{ada}/sessions?tokens=true")).await.status, 204);
    let first = signed_out_at().await;
    assert!(first.is_string());

    api.patch(&ada, json!({"blocked": true})).await;
    let second = signed_out_at().await;
    assert_ne!(second, first);
    api.patch(&ada, json!({"blocked": false})).await;
    assert_eq!(signed_out_at().await, second, "an unblocked user signs in anew");
    let claimed = api.patch(&ada, json!({"signed_out_at": "2020-01-01T00:00:00Z"})).await;
    assert_eq!((claimed.status, claimed.fields()), (422, vec!["signed_out_at"]));
    let unclear = api.delete(&format!("{ada}/sessions?tokens=perhaps")).await;
    assert_eq!(unclear.status, 400);
    api.stop().await;
}

#[actix_web::test]
async fn the_export_has_everything_about_one_user() {
    let api = Api::start().await;
    let ada = ada(&api).await;
    api.patch(&ada, json!({"claims": {"name": "Ada L."}})).await;
    api.create("/users", json!({"claims": {"name": "Another"}})).await;

    let export = api.get(&format!("{ada}/export")).await;

    assert_eq!(export.status, 200);
    let document = api.get("/openapi.json").await.body;
    check_named(&document, "UserExport", &export.body);
    assert_eq!(export.body["user"]["claims"]["name"], "Ada L.");
    let changes = export.body["changes"]["items"].as_array().unwrap();
    let actions: Vec<_> = changes.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["updated", "created"]);
    assert!(!export.body.to_string().contains("Another"));
    assert_eq!(api.get("/users/usr_none/export").await.status, 404);
    api.stop().await;
}

#[actix_web::test]
async fn erasure_leaves_the_id_and_what_was_done_and_nothing_else() {
    let api = Api::start().await;
    let ada = ada(&api).await;
    api.patch(&ada, json!({"claims": {"phone_number": "+44 20"}})).await;
    let id = ada.trim_start_matches("/users/");
    let trace = |number: u32, user: &str| {
        let value = json!({
            "id": format!("ltr_{number}"), "reference": format!("R-{number}"), "at": "2030-01-01T00:00:00Z",
            "outcome": "failed", "code": "x", "connection": null, "client_id": null, "user_id": user, "checks": []
        });
        serde_json::from_value(value).unwrap()
    };
    for (number, user) in [(1, id), (2, "usr_another")] {
        let ended = EndedLogin { trace: trace(number, user), entry: None, behind: Behind::Login };
        api.app().catalog.record_end(ended).await.unwrap();
    }

    let erased = api.request(reqwest::Method::POST, &format!("{ada}/erase"));
    let erased = super::send(erased).await;

    let document = api.get("/openapi.json").await.body;
    check_named(&document, "UserErasure", &erased.body);
    let expected = json!({"user": id, "audit_entries": 3, "login_traces": 1});
    assert_eq!((erased.status, &erased.body), (200, &expected));
    assert_eq!(api.get(&ada).await.status, 404);
    let log = api.get(&format!("/logs?object={id}")).await.body;
    let actions: Vec<_> = log["items"].as_array().unwrap().iter().map(|e| &e["action"]).collect();
    assert_eq!(actions, ["deleted", "updated", "created"]);
    for known in ["Ada", "ada@", "+44 20", "https://op.example"] {
        assert!(!log.to_string().contains(known), "{log}");
    }
    assert_eq!(api.get("/login-traces").await.body["items"].as_array().unwrap().len(), 1);
    let again = super::send(api.request(reqwest::Method::POST, &format!("{ada}/erase"))).await;
    assert_eq!(again.status, 200, "it can be repeated");
    let nobody = super::send(api.request(reqwest::Method::POST, "/users/usr_none/erase")).await;
    assert_eq!(nobody.status, 404);
    api.stop().await;
}
