//! What is particular about several nodes: what one made the other finds at once, what one changed the other knows soon.

use serde_json::{Value, json};
use testkit::app::ADMIN_TOKEN;
use testkit::scene::{API, Scene, idle_metadata};

/// The answer of every node to the same question, each asked once, in the order of [`TestApp::addresses`].
///
/// [`TestApp::addresses`]: testkit::app::TestApp::addresses
async fn of_each_node(scene: &Scene, path: &str) -> Vec<(u16, Value)> {
    let host = scene.app.issuer.trim_start_matches("http://");
    let mut answers = Vec::new();
    for address in scene.app.addresses() {
        let request = scene.app.http.get(format!("http://{address}{path}")).header("host", host);
        let answer = request.bearer_auth(ADMIN_TOKEN).send().await.unwrap();
        let status = answer.status().as_u16();
        answers.push((
            status,
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default(),
        ));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_made_the_other_finds_at_once() {
    let scene = Scene::set().await;
    let home_realm = "/home-realm?client_id=portal&email=a%40new.example";
    let looked_for = [
        "/api/v1/organizations/new",
        "/api/v1/connections/new",
        "/api/v1/clients/new",
        "/api/v1/resource-servers/https%3A%2F%2Fnew.example",
    ];
    // every node has missed it before, and keeps that it is not there
    for path in looked_for {
        assert!(
            of_each_node(&scene, path).await.iter().all(|(status, _)| *status == 404),
            "{path}"
        );
    }
    let unknown = of_each_node(&scene, home_realm).await;
    assert!(unknown.iter().all(|(_, answer)| answer["connection"].is_null()), "{unknown:?}");

    let domains = json!([{"name": "new.example", "verified": true}]);
    let new = json!({"name": "new", "display_name": "New", "domains": domains});
    scene.app.admin.create("/organizations", &new).await;
    let of_new = json!({"organization": "new", "domains": ["new.example"]});
    scene.saml("new", &idle_metadata("idp.new.example"), &of_new).await;
    let known = of_each_node(&scene, home_realm).await;
    let client = json!({"client_id": "new", "client_name": "New", "first_party": true,
        "redirect_uris": ["https://new.example/cb"]});
    scene.app.admin.create("/clients", &client).await;
    let api = json!({"identifier": "https://new.example", "name": "New", "scopes": []});
    scene.app.admin.create("/resource-servers", &api).await;
    scene.grant("new", &["read:data"]).await;

    assert!(known.iter().all(|(_, answer)| answer["connection"]["name"] == "new"), "{known:?}");
    for path in looked_for {
        assert!(
            of_each_node(&scene, path).await.iter().all(|(status, _)| *status == 200),
            "{path}"
        );
    }
    let request = scene.authorize(&[
        ("client_id", "new"),
        ("redirect_uri", "https://new.example/cb"),
        ("audience", API),
        ("connection", "new"),
    ]);
    for (status, _) in of_each_node(&scene, request.trim_start_matches(&scene.app.issuer)).await {
        assert_eq!(status, 303);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_at_one_node_is_soon_known_at_each() {
    let scene = Scene::set().await;
    scene.saml("acme-saml", &idle_metadata("idp.example"), &json!({})).await;
    let home_realm = "/home-realm?client_id=portal&email=a%40customer.example";
    let known = of_each_node(&scene, home_realm).await;
    assert!(known.iter().all(|(_, answer)| answer["connection"]["name"] == "acme-saml"));

    // the operator waits until all nodes know; what was derived from the object changes with it
    scene.app.admin.change("/connections/acme-saml", &json!({"domains": []})).await;

    let gone = of_each_node(&scene, home_realm).await;
    assert!(gone.iter().all(|(_, answer)| answer["connection"].is_null()), "{gone:?}");
}
