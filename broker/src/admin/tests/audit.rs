//! What the audit log keeps of the management API.

use serde_json::{Value, json};

use super::Api;

async fn logs(api: &Api, query: &str) -> Vec<Value> {
    let answer = api.get(&format!("/logs?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["items"].as_array().unwrap().clone()
}

/// One object of each kind, changed and deleted again: three entries each.
#[actix_web::test]
async fn every_kind_of_object_leaves_entries_when_it_is_made_changed_and_deleted() {
    let api = Api::start().await;
    let mut paths = Vec::new();
    for (path, body, patch) in [
        ("/organizations", json!({"name": "acme"}), json!({"display_name": "ACME"})),
        (
            "/connections",
            json!({"name": "c", "strategy": "oidc", "organization": "acme",
                   "options": {"issuer": "https://op.example", "client_id": "us", "client_secret": "hush-hush"}}),
            json!({"options": {"client_secret": "other-hush"}}),
        ),
        (
            "/clients",
            json!({"client_id": "app", "client_name": "App", "first_party": true,
                   "redirect_uris": ["https://a.example/cb"]}),
            json!({"enabled": false}),
        ),
        (
            "/resource-servers",
            json!({"identifier": "https://api.example", "scopes": [{"value": "a"}]}),
            json!({"token_lifetime_seconds": 60}),
        ),
        (
            "/client-grants",
            json!({"client_id": "app", "audience": "https://api.example", "scopes": ["a"]}),
            json!({"scopes": []}),
        ),
        ("/users", json!({"claims": {"name": "Ann"}}), json!({"blocked": true})),
    ] {
        let made = api.create(path, body).await;
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        assert_eq!(api.patch(&one, patch).await.status, 200, "{one}");
        paths.push((path, made, one));
    }
    for (path, _, one) in paths.iter().rev() {
        assert_eq!(api.delete(one).await.status, 204, "{path}");
    }

    for (path, made, _) in &paths {
        let kind = path.trim_start_matches('/').trim_end_matches('s');
        let entries = logs(&api, &format!("kind={kind}")).await;
        let actions: Vec<&str> = entries.iter().map(|e| e["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["deleted", "updated", "created"], "{path}");
        for entry in &entries {
            assert_eq!(entry["object"]["id"], made["id"], "{path}");
            assert_eq!(entry["actor"], json!({"kind": "token", "name": "bootstrap"}));
            assert_eq!(entry["address"], "127.0.0.1");
        }
        assert_ne!(
            entries[1]["before"], entries[1]["after"],
            "{path}: also a changed secret shows"
        );
    }
    let whole = api.get("/logs?limit=200").await.body.to_string();
    assert!(!whole.contains("hush"), "{whole}");
    api.stop().await;
}

#[actix_web::test]
async fn keys_that_rotate_and_retire_leave_entries() {
    let api = Api::start().await;
    let keys = api.get("/signing-keys").await.body;
    let place = |keys: &Value, state: &str| {
        let keys = keys["items"].as_array().unwrap();
        let found = keys.iter().find(|k| k["alg"] == "ES256" && k["state"] == state);
        found.map(|k| k["kid"].as_str().unwrap().to_owned())
    };
    let (active, next) = (place(&keys, "active").unwrap(), place(&keys, "next"));

    let early = api.post("/signing-keys/rotate", json!({"alg": "ES256"})).await;
    assert_eq!(early.status, 409, "{}", early.body);
    let rotated = api.post("/signing-keys/rotate", json!({"alg": "ES256", "now": true})).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    assert_eq!(place(&rotated.body, "active"), next);
    assert_eq!(place(&rotated.body, "retiring").as_ref(), Some(&active));
    let early =
        api.post(&format!("/signing-keys/{}/retire", next.clone().unwrap()), json!({})).await;
    assert_eq!(early.status, 404, "it signs");
    let retired = api.post(&format!("/signing-keys/{active}/retire"), json!({})).await;
    assert_eq!((retired.status, place(&retired.body, "retiring")), (200, None));
    let bad = api.post("/signing-keys/rotate", json!({"alg": "none"})).await;
    assert_eq!((bad.status, bad.fields()), (422, vec!["alg"]));

    let entries = logs(&api, "kind=signing-key").await;
    let actions: Vec<&str> = entries.iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["retired", "rotated"]);
    api.stop().await;
}

#[actix_web::test]
async fn a_patch_that_changes_nothing_writes_nothing() {
    let api = Api::start().await;
    api.acme().await;
    let before = api.get("/organizations/acme").await;

    let same = api.patch("/organizations/acme", json!({"display_name": "Acme"})).await;

    assert_eq!(same.status, 200);
    assert_eq!(same.body, before.body);
    assert_eq!(same.headers["etag"], before.headers["etag"]);
    assert_eq!(logs(&api, "").await.len(), 1);
    api.stop().await;
}

#[actix_web::test]
async fn filters_are_read_strictly() {
    let api = Api::start().await;
    for (query, field) in [("from=yesterday", "from"), ("to=1", "to"), ("limit=0", "limit")] {
        let answer = api.get(&format!("/logs?{query}")).await;
        assert_eq!((answer.status, answer.fields()), (422, vec![field]));
    }
    assert_eq!(api.get("/logs?cursor=x").await.status, 422);
    api.stop().await;
}
