//! The management API as an outside program drives it, and what it does to logins.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::scene::{API, Scene, idle_metadata};

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_object_is_made_read_listed_changed_and_deleted() {
    let scene = Scene::set().await;
    let admin = &scene.app.admin;
    let xml = idle_metadata("idp.example");
    for (kind, body, key, change) in [
        (
            "organizations",
            json!({"name": "globex", "display_name": "Globex"}),
            "name",
            json!({"display_name": "G"}),
        ),
        (
            "connections",
            json!({"name": "globex-saml", "strategy": "saml", "options": {"metadata_xml": xml}}),
            "name",
            json!({"display_name": "G", "options": {"clock_skew_seconds": 0}}),
        ),
        (
            "clients",
            json!({"client_id": "g-app", "client_name": "G", "first_party": true, "redirect_uris": ["https://g.example/cb"]}),
            "client_id",
            json!({"client_name": "H"}),
        ),
        (
            "resource-servers",
            json!({"identifier": "https://g.example/api", "name": "G", "scopes": [{"value": "a"}]}),
            "identifier",
            json!({"name": "H", "token_lifetime_seconds": 60}),
        ),
    ] {
        let made = admin.create(&format!("/{kind}"), &body).await;
        let name = made[key].as_str().unwrap().replace(':', "%3A").replace('/', "%2F");
        for id in [name.as_str(), made["id"].as_str().unwrap()] {
            let read = admin.get(&format!("/{kind}/{id}")).await;
            assert_eq!((read.status.as_u16(), &read.json["id"]), (200, &made["id"]), "{kind} {id}");
        }
        let twice = admin.post(&format!("/{kind}"), &body).await;
        assert_eq!(twice.status, 409, "{kind} {:#}", twice.json);
        assert_eq!(twice.content_type, "application/problem+json");
        let listed = admin.get(&format!("/{kind}?limit=200")).await.json;
        assert!(listed["items"].as_array().unwrap().iter().any(|item| item["id"] == made["id"]));
        let before = admin.get(&format!("/{kind}/{name}")).await;
        let changed = admin.change(&format!("/{kind}/{name}"), &change).await;
        for (field, value) in change.as_object().unwrap() {
            if field != "options" {
                assert_eq!(&changed[field], value, "{kind}");
            }
        }
        let stale =
            [("if-match", before.etag.as_deref().unwrap()), ("content-type", "application/json")];
        let stale = admin
            .send(
                Method::PATCH,
                &format!("/{kind}/{name}"),
                &stale,
                Some(change.to_string().into_bytes()),
            )
            .await;
        assert_eq!(stale.status, 412, "{kind} {:#}", stale.json);
        assert_eq!(admin.delete(&format!("/{kind}/{name}")).await.status, 204, "{kind}");
        assert_eq!(admin.get(&format!("/{kind}/{name}")).await.status, 404, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_operators_token_opens_it() {
    let Some(scene) = Scene::with_login().await else { return };
    let landing = scene.start(&mut scene.browser(), "acme-saml").await;
    let tokens = scene.redeem(&scene.code(landing).await).await;
    let access = tokens.json["access_token"].as_str().unwrap();

    for token in ["", "wrong", access] {
        let answer = scene.app.admin.with_token(token).get("/connections").await;

        assert_eq!(answer.status, 401, "{token}");
        assert_eq!(answer.content_type, "application/problem+json");
        assert!(answer.json.get("items").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_fields_are_named_all_at_once() {
    let scene = Scene::set().await;
    let admin = &scene.app.admin;
    let named = |answer: &testkit::admin::Answer| -> Vec<String> {
        let errors = answer.json["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    };

    let wrong = json!({"name": "Not A Name", "strategy": "saml", "surprise": 1,
        "options": {"metadata_xml": "<x/>", "clock_skew_seconds": 301}});
    let answer = admin.post("/connections", &wrong).await;
    assert_eq!(answer.status, 422, "{:#}", answer.json);
    for field in ["name", "surprise", "options.metadata_xml", "options.clock_skew_seconds"] {
        assert!(named(&answer).contains(&field.to_owned()), "{field}: {:#}", answer.json);
    }
    let unreachable = json!({"name": "a", "strategy": "saml", "options": {"metadata_url": "http://127.0.0.1:9/m"}});
    let answer = admin.post("/connections", &unreachable).await;
    assert_eq!(
        (answer.status.as_u16(), named(&answer)),
        (422, vec!["options.metadata_url".to_owned()])
    );
    let headers = [("content-type", "application/json")];
    let broken =
        admin.send(Method::POST, "/clients", &headers, Some(b"{\"client_name\":".to_vec())).await;
    assert_eq!(broken.status, 400, "{:#}", broken.json);
    let grant = json!({"client_id": "portal", "audience": API, "scopes": ["nothing"], "subject_type": "client"});
    let answer = admin.post("/client-grants", &grant).await;
    assert_eq!(answer.status, 422, "{:#}", answer.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_never_shown_again() {
    let scene = Scene::set().await;
    let admin = &scene.app.admin;
    scene.oidc("acme-oidc", "http://127.0.0.1:9", &json!({})).await;
    scene.saml("acme-saml", &idle_metadata("idp.example"), &json!({})).await;

    let mut seen = String::new();
    for path in
        ["/connections", "/clients", "/connections/acme-oidc", "/clients/portal", "/signing-keys"]
    {
        seen.push_str(&admin.get(path).await.json.to_string());
    }
    seen.push_str(
        &admin.change("/connections/acme-oidc", &json!({"display_name": "X"})).await.to_string(),
    );

    for secret in ["broker-secret", scene.credentials().1, "sp_key", "sealed", "PRIVATE"] {
        assert!(!seen.contains(secret), "{secret}");
    }
    let keys = admin.get("/signing-keys").await.json;
    for key in keys["items"].as_array().unwrap() {
        assert!(key["public_jwk"].get("d").is_none(), "{key:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inspected_metadata_changes_nothing_and_put_metadata_does() {
    let scene = Scene::set().await;
    let admin = &scene.app.admin;
    scene.saml("acme-saml", &idle_metadata("idp.example"), &json!({})).await;
    let other = idle_metadata("new-idp.example").into_bytes();
    let xml = [("content-type", "application/samlmetadata+xml")];

    let inspected = admin.send(Method::POST, "/metadata/inspect", &xml, Some(other.clone())).await;
    let before = scene.browser().get(&scene.authorize(&[("connection", "acme-saml")])).await;
    let put = admin.send(Method::PUT, "/connections/acme-saml/metadata", &xml, Some(other)).await;
    let after = scene.browser().get(&scene.authorize(&[("connection", "acme-saml")])).await;

    assert_eq!(inspected.status, 200, "{:#}", inspected.json);
    assert_eq!(inspected.json["entity_id"], "https://new-idp.example/saml");
    assert_eq!(
        inspected.json["sso"],
        json!([{"binding": "HTTP-Redirect", "url": "https://new-idp.example/sso"}])
    );
    assert_eq!(inspected.json["certificates"][0]["use"], "signing");
    assert_eq!(inspected.json["valid_until"], Value::Null);
    assert!(before.header("location").starts_with("https://idp.example/sso"));
    assert_eq!(put.status, 200, "{:#}", put.json);
    assert!(
        after.header("location").starts_with("https://new-idp.example/sso"),
        "the new one is in force at once"
    );
    let broken = admin
        .send(Method::PUT, "/connections/acme-saml/metadata", &xml, Some(b"<x/>".to_vec()))
        .await;
    assert_eq!(broken.status, 422, "{:#}", broken.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_found_by_id_and_by_reference() {
    let scene = Scene::set().await;
    let page = scene.browser().get(&scene.authorize(&[("client_id", "nobody")])).await;
    let reference = page.reference().unwrap();

    let by_reference = scene.app.admin.trace(&reference).await;
    let by_id = scene.app.admin.trace(by_reference["id"].as_str().unwrap()).await;

    assert_eq!(by_reference, by_id);
    assert_eq!(by_reference["reference"], reference.as_str());
    for field in ["id", "reference", "at", "outcome", "code", "connection", "client_id", "checks"] {
        assert!(by_id.get(field).is_some(), "{field}: {by_id:#}");
    }
    assert_eq!(scene.app.admin.get("/login-traces/nothing").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_describes_itself() {
    let scene = Scene::set().await;

    let document = scene.app.admin.get("/openapi.json").await.json;

    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in
        ["/connections", "/connections/{id}/metadata", "/login-traces/{id}", "/metadata/inspect"]
    {
        let found = document["paths"].as_object().unwrap().keys().any(|key| key.ends_with(path));
        assert!(found, "{path}");
    }
}
