//! Invitations, and planned changes of identity provider.

use serde_json::{Value, json};

use super::documents::check_named;
use super::{Answer, Api};

async fn connection(api: &Api, name: &str, organization: &str) {
    let options = json!({"issuer": format!("https://{name}.example"), "client_id": "us"});
    let body =
        json!({"name": name, "strategy": "oidc", "organization": organization, "options": options});
    api.create("/connections", body).await;
}

/// Acme with its connections `old` and `new`.
async fn acme(api: &Api) {
    api.acme().await;
    connection(api, "old", "acme").await;
    connection(api, "new", "acme").await;
}

/// A user who comes by `old`; their id.
async fn user(api: &Api, subject: &str, email: &str) -> String {
    let identity =
        json!({"connection": "old", "issuer": "https://old.example", "subject": subject});
    let claims = json!({"email": email, "email_verified": true});
    let user = api.create("/users", json!({"claims": claims, "identities": [identity]})).await;
    user["id"].as_str().unwrap().to_owned()
}

async fn migrate(api: &Api, change: Value) -> Answer {
    let mut body = json!({"from_connection": "old", "match": {"stored": "email"}});
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    api.post("/connections/new/migrations", body).await
}

#[actix_web::test]
async fn an_invitation_names_an_address_or_an_identity_of_its_organization() {
    let api = Api::start().await;
    acme(&api).await;
    api.create("/organizations", json!({"name": "globex"})).await;
    let document = api.get("/openapi.json").await.body;
    let identity = json!({"connection": "old", "issuer": "https://old.example", "subject": "1"});

    let of_address = api
        .create("/invitations", json!({"organization": "acme", "email": "ada@acme.example"}))
        .await;
    let of_identity =
        api.create("/invitations", json!({"organization": "acme", "identity": identity})).await;
    for invitation in [&of_address, &of_identity] {
        check_named(&document, "Invitation", invitation);
        let path = format!("/invitations/{}", invitation["id"].as_str().unwrap());
        assert_eq!(api.get(&path).await.body, *invitation);
        assert_eq!(api.delete(&path).await.status, 204);
    }
    for (body, field) in [
        (json!({"organization": "acme"}), "email"),
        (json!({"organization": "acme", "email": "a@b.example", "identity": identity}), "email"),
        (json!({"organization": "acme", "email": "nobody"}), "email"),
        (json!({"organization": "none", "email": "ada@acme.example"}), "organization"),
        (json!({"organization": "globex", "identity": identity}), "identity.connection"),
    ] {
        let refused = api.post("/invitations", body.clone()).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![field]), "{body}");
    }
    api.stop().await;
}

#[actix_web::test]
async fn a_dry_run_says_who_would_be_recognized_and_changes_nothing() {
    let api = Api::start().await;
    acme(&api).await;
    let ada = user(&api, "1", "Ada@acme.example").await;
    let bob = user(&api, "2", "bob@acme.example").await;
    let bobby = user(&api, "3", "BOB@acme.example").await;
    let nobody = user(&api, "4", "eve@acme.example").await;
    api.patch(&format!("/users/{nobody}"), json!({"claims": {"email_verified": false}})).await;

    let answer = migrate(&api, json!({"dry_run": true})).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    let document = api.get("/openapi.json").await.body;
    check_named(&document, "IdentityMigrationReport", &answer.body);
    let report = &answer.body["report"];
    assert_eq!(report["matched"], json!({"count": 1, "users": [ada]}));
    assert_eq!(report["without_value"], json!({"count": 1, "users": [nobody]}));
    let mut twins = [bob, bobby];
    twins.sort();
    assert_eq!(report["ambiguous"], json!({"count": 1, "groups": [twins]}));
    let none = api.get("/connections/new/migrations").await.body;
    assert_eq!(none["items"], json!([]));

    let refused = migrate(&api, json!({})).await;
    assert_eq!(refused.status, 409, "what is ambiguous is refused");
    assert!(refused.body["detail"].as_str().unwrap().contains(&twins[0]), "{}", refused.body);
    api.stop().await;
}

#[actix_web::test]
async fn a_migration_is_listed_keeps_its_connections_and_can_be_ended() {
    let api = Api::start().await;
    acme(&api).await;
    let ada = user(&api, "1", "ada@acme.example").await;

    let made = migrate(&api, json!({})).await;

    assert_eq!(made.status, 201, "{}", made.body);
    let document = api.get("/openapi.json").await.body;
    check_named(&document, "IdentityMigration", &made.body);
    assert_eq!(made.body["report"]["matched"]["users"], json!([ada]));
    let listed = api.get("/connections/new/migrations").await.body;
    assert_eq!(listed["items"][0]["id"], made.body["id"]);
    assert_eq!(api.delete("/connections/new").await.status, 409);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(api.delete(&format!("/connections/old/migrations/{id}")).await.status, 404);
    assert_eq!(api.delete(&format!("/connections/new/migrations/{id}")).await.status, 204);
    assert_eq!(api.delete("/connections/new").await.status, 204);
    assert_eq!(api.delete(&format!("/users/{ada}")).await.status, 204, "its alias goes with it");
    api.stop().await;
}

#[actix_web::test]
async fn a_migration_stays_within_one_organization_and_names_what_it_compares() {
    let api = Api::start().await;
    acme(&api).await;
    api.create("/organizations", json!({"name": "globex"})).await;
    connection(&api, "globex-oidc", "globex").await;

    for (change, field) in [
        (json!({"from_connection": "globex-oidc"}), "from_connection"),
        (json!({"from_connection": "new"}), "from_connection"),
        (json!({"from_connection": "none"}), "from_connection"),
        (json!({"match": null}), "match"),
        (json!({"pairs": [{"user": "usr_1", "new_subject": "1"}]}), "match"),
        (json!({"match": {"stored": "subject"}}), "match.attribute"),
        (json!({"match": {"stored": "nickname"}}), "match.attribute"),
        (json!({"match": {"stored": "phone_number"}}), "match.attribute"),
        (json!({"match": {"stored": "preferred_username"}}), "match.attribute"),
        (json!({"match": {"stored": "email", "attribute": "mail"}}), "match.attribute"),
        (json!({"match": {"stored": "name"}}), "match.stored"),
        (json!({"ends_in_days": 366}), "ends_in_days"),
    ] {
        let refused = migrate(&api, change.clone()).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![field]), "{change}");
    }
    api.stop().await;
}

#[actix_web::test]
async fn pairs_are_linked_at_once_all_or_none() {
    let api = Api::start().await;
    acme(&api).await;
    let ada = user(&api, "1", "ada@acme.example").await;
    let bob = user(&api, "2", "bob@acme.example").await;
    let pairs = |pairs: Value| json!({"match": null, "pairs": pairs});
    let good = json!([
        {"old_subject": "1", "new_subject": "N1"}, {"user": bob, "new_subject": "N2"},
    ]);

    let wrong = json!([{"old_subject": "1", "new_subject": "N1"}, {"old_subject": "9", "new_subject": "N9"}]);
    let refused = migrate(&api, pairs(wrong)).await;
    assert_eq!((refused.status, refused.fields()), (422, vec!["pairs.1"]));
    let twice =
        json!([{"old_subject": "1", "new_subject": "N1"}, {"user": ada, "new_subject": "N3"}]);
    let refused = migrate(&api, pairs(twice)).await;
    assert_eq!((refused.status, refused.fields()), (422, vec!["pairs.1"]));

    let mut dry = pairs(good.clone());
    dry["dry_run"] = json!(true);
    let answer = migrate(&api, dry).await;
    assert_eq!((answer.status, &answer.body["linked"]), (200, &json!([ada, bob])));
    let identities = async || {
        api.get(&format!("/users/{ada}")).await.body["identities"].as_array().unwrap().len()
    };
    assert_eq!(identities().await, 1, "nothing has changed");

    let answer = migrate(&api, pairs(good.clone())).await;
    assert_eq!((answer.status, &answer.body["linked"]), (200, &json!([ada, bob])));
    assert_eq!(identities().await, 2);
    let again = migrate(&api, pairs(good)).await;
    assert_eq!((again.status, again.fields()), (422, vec!["pairs.0", "pairs.1"]));
    api.stop().await;
}
