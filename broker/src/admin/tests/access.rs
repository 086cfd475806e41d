//! Every route of the OpenAPI document, tried with each kind of token.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::Api;
use super::api_tokens::{as_holder, token};

/// What an organization's token may do; the test below tries all others too.
const OF_AN_ORGANIZATION: &[&str] = &[
    "GET /clients",
    "GET /clients/{id}",
    "GET /clients/{id}/history",
    "GET /connections",
    "GET /connections/{id}",
    "DELETE /organizations/{id}/domains/{domain}",
    "GET /organizations/{id}",
    "GET /organizations/{id}/domains",
    "GET /organizations/{id}/domains/{domain}",
    "PATCH /clients/{id}",
    "PATCH /connections/{id}",
    "POST /clients/{id}/revert",
    "POST /metadata/inspect",
    "POST /organizations/{id}/domains",
    "POST /organizations/{id}/domains/{domain}/verify",
    "PUT /connections/{id}/metadata",
];

/// Every operation of the document: method and path.
async fn operations(api: &Api) -> Vec<(Method, String)> {
    let document = api.get("/openapi.json").await.body;
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            all.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    assert!(all.len() > 40, "{all:?}");
    all
}

/// The address of an object that belongs to `organization`; made up, where the kind belongs to nobody.
fn address(path: &str, organization: &str) -> String {
    let (_, first) = path.split_once('/').unwrap();
    let id = match first.split('/').next().unwrap() {
        "organizations" => organization.to_owned(),
        "connections" => format!("{organization}-c"),
        "clients" => format!("{organization}-app"),
        _ => "none".to_owned(),
    };
    let address = path.replace("{id}", &id).replace("{domain}", &format!("{organization}.example"));
    address
        .split('/')
        .map(|piece| if piece.starts_with('{') { "x" } else { piece })
        .collect::<Vec<_>>()
        .join("/")
}

/// Two organizations, each with a connection and an app; and an app of the operator's that is tied to the first.
async fn two_organizations(api: &Api) {
    for name in ["acme", "globex"] {
        let domains = json!([{"name": format!("{name}.example"), "verified": true}]);
        api.create("/organizations", json!({"name": name, "domains": domains})).await;
        api.create(
            "/connections",
            json!({"name": format!("{name}-c"), "strategy": "oidc", "organization": name,
                   "options": {"issuer": "https://op.example", "client_id": "us"}}),
        )
        .await;
        api.create(
            "/clients",
            json!({"client_id": format!("{name}-app"), "client_name": "App", "organization": name,
                   "redirect_uris": [format!("https://{name}.example/cb")]}),
        )
        .await;
    }
    api.create(
        "/clients",
        json!({"client_id": "ours", "client_name": "Ours", "organization": "acme", "first_party": true,
               "redirect_uris": ["https://ours.example/cb"]}),
    )
    .await;
}

async fn everything(api: &Api) -> Value {
    let mut all = Vec::new();
    for kind in
        ["organizations", "connections", "clients", "users", "api-tokens", "resource-servers"]
    {
        all.push(api.get(&format!("/{kind}")).await.body);
    }
    Value::Array(all)
}

#[actix_web::test]
async fn an_organizations_token_comes_to_what_the_table_says_and_nowhere_else() {
    let api = Api::start().await;
    two_organizations(&api).await;
    let (token, _) = token(&api, "acme-it", "organization:acme").await;

    let mut allowed = BTreeSet::new();
    for (method, path) in operations(&api).await {
        let got =
            as_holder(&api, &token, method.clone(), &address(&path, "acme"), Some(json!({}))).await;
        if got.status != 403 {
            allowed.insert(format!("{method} {path}"));
        }
    }

    let expected: BTreeSet<String> = OF_AN_ORGANIZATION.iter().map(|o| (*o).to_owned()).collect();
    assert_eq!(allowed, expected);
    api.stop().await;
}

#[actix_web::test]
async fn what_belongs_to_another_organization_is_not_there_for_any_route() {
    let api = Api::start().await;
    two_organizations(&api).await;
    let (token, _) = token(&api, "acme-it", "organization:acme").await;
    let before = everything(&api).await;

    for (method, path) in operations(&api).await {
        if !path.contains("{id}") {
            continue;
        }
        let body = Some(json!({"display_name": "Taken over", "client_name": "Taken over"}));
        let address = address(&path, "globex");
        let got = as_holder(&api, &token, method.clone(), &address, body).await;
        assert!(matches!(got.status, 403 | 404), "{method} {address}: {}", got.body);
        assert!(!got.body.to_string().contains("globex"), "{method} {address}: {}", got.body);
    }

    assert_eq!(everything(&api).await, before);
    api.stop().await;
}

#[actix_web::test]
async fn an_organizations_token_does_not_see_who_else_may_use_its_connection() {
    let api = Api::start().await;
    two_organizations(&api).await;
    let others = json!({"is_domain_connection": true, "domain_connection_organizations": ["globex"],
                        "clients": ["globex-app"]});
    let promoted = api.patch("/connections/acme-c", others).await;
    assert_eq!(promoted.body["clients"], json!(["globex-app"]), "{}", promoted.body);
    let (token, _) = token(&api, "acme-it", "organization:acme").await;
    let body = Some(json!({"display_name": "Ours"}));

    let patched = as_holder(&api, &token, Method::PATCH, "/connections/acme-c", body).await;
    assert_eq!(patched.status, 200, "{}", patched.body);
    for path in ["/connections", "/connections/acme-c"] {
        let read = as_holder(&api, &token, Method::GET, path, None).await.body.to_string();
        assert!(!read.contains("globex") && read.contains("Ours"), "{read}");
    }
    assert!(!patched.body.to_string().contains("globex"), "{}", patched.body);
    let kept = api.get("/connections/acme-c").await.body;
    assert_eq!(kept["domain_connection_organizations"], json!(["globex"]));
    api.stop().await;
}

#[actix_web::test]
async fn lists_hold_an_organizations_own_objects_only() {
    let api = Api::start().await;
    two_organizations(&api).await;
    let (token, _) = token(&api, "acme-it", "organization:acme").await;
    for (path, name, own) in
        [("/clients", "client_id", "acme-app"), ("/connections", "name", "acme-c")]
    {
        let got = as_holder(&api, &token, Method::GET, path, None).await.body;
        let names: Vec<&str> =
            got["items"].as_array().unwrap().iter().map(|o| o[name].as_str().unwrap()).collect();
        assert_eq!(names, [own], "{path}");
    }
    let ours = as_holder(&api, &token, Method::GET, "/clients/ours", None).await;
    assert_eq!(ours.status, 404, "tied to acme, but the operator's");
    api.stop().await;
}

#[actix_web::test]
async fn a_token_that_only_reads_reads_everything_and_changes_nothing() {
    let api = Api::start().await;
    two_organizations(&api).await;
    let (token, _) = token(&api, "auditor", "read_only").await;
    let before = everything(&api).await;

    for (method, path) in operations(&api).await {
        let body = Some(json!({"display_name": "Taken over", "client_name": "Taken over"}));
        let got = as_holder(&api, &token, method.clone(), &address(&path, "acme"), body).await;
        let saves_nothing = path == "/metadata/inspect" || path == "/simulate/home-realm";
        let may = method == Method::GET || saves_nothing;
        assert_eq!(got.status != 403, may, "{method} {path}: {} {}", got.status, got.body);
    }

    assert_eq!(everything(&api).await, before);
    api.stop().await;
}

#[actix_web::test]
async fn an_address_that_is_written_differently_is_no_way_round_the_table() {
    let api = Api::start().await;
    two_organizations(&api).await;
    let (token, _) = token(&api, "acme-it", "organization:acme").await;
    for path in [
        "/organizations/acme/",
        "//organizations/acme/domains/../../users",
        "/organizations/acme%2F..%2F..%2Fusers",
        "/%75sers",
        "/clients/acme-app/secrets",
        "/clients/acme-app%2Fsecrets",
        "/organizations/globex?x=/organizations/acme",
    ] {
        let got = as_holder(&api, &token, Method::GET, path, None).await;
        assert!(matches!(got.status, 403 | 404), "{path}: {} {}", got.status, got.body);
    }
    api.stop().await;
}
