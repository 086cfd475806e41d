use serde_json::json;

use super::{Api, documents};

const RIGHT: &str = "correct horse battery staple";

async fn with_connection() -> Api {
    let api = Api::start().await;
    api.acme().await;
    let connection = json!({"name": "acme-password", "strategy": "password", "organization": "acme",
        "domains": ["acme.example"], "options": {}});
    let made = api.create("/connections", connection).await;
    assert_eq!(made["options"], json!({"min_length": 15, "break_glass": []}));
    assert_eq!(made["urls"], json!({}));
    api
}

#[actix_web::test]
async fn an_account_is_made_shown_and_changed_without_its_password() {
    let api = with_connection().await;
    let document = api.get("/openapi.json").await.body;
    let body = json!({"connection": "acme-password", "email": "Ann@Acme.example", "name": "Ann Lee", "password": RIGHT});

    let made = api.create("/password-accounts", body).await;
    documents::check_named(&document, "PasswordAccount", &made);
    assert_eq!(made["email"], "Ann@acme.example");
    assert_eq!(made["has_password"], true);
    assert_eq!(made["email_proven_at"], json!(null));
    let id = made["id"].as_str().unwrap();
    let path = format!("/password-accounts/{id}");
    let shown = api.get(&path).await.body;
    assert!(!shown.to_string().contains("argon2"), "{shown}");
    let audited = api.get("/logs?kind=password%20account").await.body.to_string();
    assert!(!audited.contains("argon2") && audited.contains(id), "{audited}");

    let changed = api.patch(&path, json!({"enabled": false})).await;
    assert_eq!((changed.status, &changed.body["enabled"]), (200, &json!(false)));
    assert_eq!(changed.body["password_set_at"], made["password_set_at"], "the password is kept");
    let moved = api.patch(&path, json!({"email": "bob@acme.example"})).await;
    assert_eq!((moved.status, moved.fields().contains(&"email")), (422, true), "{moved:?}");
    let kept = api.delete("/connections/acme-password").await;
    assert_eq!(kept.status, 409, "accounts refer to it");
    assert_eq!(api.delete(&path).await.status, 204);
    api.stop().await;
}

#[actix_web::test]
async fn a_new_password_a_disabled_and_a_deleted_account_end_what_it_began() {
    let api = with_connection().await;
    let body =
        json!({"connection": "acme-password", "email": "ann@acme.example", "password": RIGHT});
    let account = api.create("/password-accounts", body).await;
    let id = account["id"].as_str().unwrap();
    let issuer = api.issuer();
    let identity = json!({"connection": "acme-password", "issuer": issuer, "subject": id});
    let user = api.create("/users", json!({"identities": [identity]})).await;
    let (path, user) =
        (format!("/password-accounts/{id}"), format!("/users/{}", user["id"].as_str().unwrap()));
    let ended = async || api.get(&user).await.body["signed_out_at"].clone();

    api.patch(&path, json!({"name": "Ann"})).await;
    assert_eq!(ended().await, json!(null), "another name ends nothing");
    for change in [json!({"password": "another horse, another battery"}), json!({"enabled": false})]
    {
        let before = ended().await;
        let changed = api.patch(&path, change).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        assert_ne!(ended().await, before);
    }
    let before = ended().await;
    assert_eq!(api.delete(&path).await.status, 204);
    assert_ne!(ended().await, before);
    api.stop().await;
}

#[actix_web::test]
async fn an_address_has_one_account_at_a_connection_in_any_case() {
    let api = with_connection().await;
    let body = |email: &str| json!({"connection": "acme-password", "email": email});
    let first = api.create("/password-accounts", body("ann@acme.example")).await;
    assert_eq!(first["has_password"], false);

    let second = api.post("/password-accounts", body("ANN@acme.example")).await;

    assert_eq!((second.status, second.fields().contains(&"email")), (409, true), "{second:?}");
    api.stop().await;
}

#[actix_web::test]
async fn what_cannot_be_an_account_is_refused_with_its_field() {
    let api = with_connection().await;
    let oidc = json!({"name": "acme-oidc", "strategy": "oidc", "organization": "acme",
        "options": {"issuer": "https://op.example", "client_id": "us"}});
    let good =
        json!({"connection": "acme-password", "email": "ann@acme.example", "password": RIGHT});
    for (change, field) in [
        (json!({"connection": "nobody"}), "connection"),
        (json!({"email": "a@b@c"}), "email"),
        (json!({"email": "ann@elsewhere.example"}), "email"),
        (json!({"password": "too short"}), "password"),
        (json!({"password": "passwordpassword"}), "password"),
        (json!({"email_proven_at": "2030-01-01T00:00:00Z"}), "email_proven_at"),
    ] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = api.post("/password-accounts", body).await;
        assert_eq!(
            (answer.status, answer.fields().contains(&field)),
            (422, true),
            "{change} {answer:?}"
        );
    }

    api.create("/connections", oidc).await;
    let enterprise = api.post("/password-accounts", good.clone()).await;
    assert_eq!((enterprise.status, enterprise.fields().contains(&"email")), (422, true));
    let glass = json!({"options": {"break_glass": ["ann@acme.example"]}});
    assert_eq!(api.patch("/connections/acme-password", glass).await.status, 200);
    assert_eq!(api.post("/password-accounts", good).await.status, 201);
    api.stop().await;
}

#[actix_web::test]
async fn options_of_a_password_connection_are_checked() {
    let api = with_connection().await;
    for (change, field) in [
        (json!({"vendor": "okta"}), "vendor"),
        (json!({"options": {"min_length": 7}}), "options.min_length"),
        (json!({"options": {"min_length": 65}}), "options.min_length"),
        (json!({"options": {"break_glass": ["nobody"]}}), "options.break_glass.0"),
        (json!({"options": {"client_id": "us"}}), "options.client_id"),
    ] {
        let answer = api.patch("/connections/acme-password", change.clone()).await;
        assert_eq!(answer.status, 422, "{change} {answer:?}");
        let errors = answer.body["errors"].to_string();
        assert!(errors.contains(&format!("\"{field}\"")), "{field} {errors}");
    }
    api.stop().await;
}
