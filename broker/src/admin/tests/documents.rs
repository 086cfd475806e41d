//! The OpenAPI document is held against what the API really answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Api;

fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
    &document["components"]["schemas"][name]
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Holds an answer against the schema of this name.
pub(super) fn check_named(document: &Value, name: &str, value: &Value) {
    check(document, schema(document, name), value, name);
}

/// The subset of JSON Schema that the document uses.
fn check(document: &Value, schema: &Value, value: &Value, path: &str) {
    if let Some(target) = schema["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap();
        return check(document, &document["components"]["schemas"][name], value, path);
    }
    if schema["anyOf"].is_array() {
        return;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            panic!("{path}: no type")
        }
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&is), "{path} is {is}, the document says {types:?}");
    if let (Some(values), Some(items)) = (value.as_array(), schema.get("items")) {
        for item in values {
            check(document, items, item, &format!("{path}[]"));
        }
    }
    let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object())
    else {
        return;
    };
    for required in schema["required"].as_array().unwrap() {
        assert!(members.contains_key(required.as_str().unwrap()), "{path} lacks {required}");
    }
    for (key, member) in members {
        match properties.get(key) {
            Some(inner) => check(document, inner, member, &format!("{path}.{key}")),
            None => assert_eq!(
                schema["additionalProperties"], true,
                "{path}.{key} is not in the document"
            ),
        }
    }
}

#[actix_web::test]
async fn answers_are_as_the_document_says() {
    let api = Api::start().await;
    let document = api.get("/openapi.json").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    let organization = api.acme().await;
    let connection = api
        .create(
            "/connections",
            json!({"name": "c", "strategy": "oidc", "organization": "acme", "domains": ["acme.example"],
                   "options": {"issuer": "https://op.example", "client_id": "us"}}),
        )
        .await;
    let client = api
        .create(
            "/clients",
            json!({"client_id": "app", "client_name": "App", "first_party": true, "connections": ["c"],
                   "redirect_uris": ["https://a.example/cb"]}),
        )
        .await;
    let server = api
        .create(
            "/resource-servers",
            json!({"identifier": "https://api.example", "scopes": [{"value": "a"}]}),
        )
        .await;
    let grant = api
        .create(
            "/client-grants",
            json!({"client_id": "app", "audience": "https://api.example", "scopes": ["a"]}),
        )
        .await;
    let identity = json!([{"connection": "c", "issuer": "https://op.example", "subject": "1"}]);
    let user =
        api.create("/users", json!({"claims": {"name": "Ann"}, "identities": identity})).await;

    for (name, answer) in [
        ("Organization", &organization),
        ("Connection", &connection),
        ("Client", &client),
        ("ResourceServer", &server),
        ("ClientGrant", &grant),
        ("User", &user),
    ] {
        check(&document, schema(&document, name), answer, name);
    }
    check(&document, schema(&document, "OidcOptions"), &connection["options"], "options");
    check(
        &document,
        schema(&document, "SigningKeyList"),
        &api.get("/signing-keys").await.body,
        "signing-keys",
    );
    check(
        &document,
        schema(&document, "LoginTraceList"),
        &api.get("/login-traces").await.body,
        "login-traces",
    );
    let sessions = api.get(&format!("/users/{}/sessions", user["id"].as_str().unwrap())).await;
    check(&document, schema(&document, "SessionList"), &sessions.body, "sessions");
    check(&document, schema(&document, "AuditEntryList"), &api.get("/logs").await.body, "logs");
    let findings = api.get("/doctor?reach=false").await.body;
    assert!(!findings["items"].as_array().unwrap().is_empty());
    check(&document, schema(&document, "FindingList"), &findings, "doctor");
    let simulated = api.post("/simulate/home-realm", json!({"client_id": "app"})).await.body;
    check(&document, schema(&document, "HomeRealmAnswer"), &simulated, "simulate");
    for list in
        ["organizations", "connections", "clients", "resource-servers", "client-grants", "users"]
    {
        let answer = api.get(&format!("/{list}")).await.body;
        assert_eq!(answer["items"].as_array().unwrap().len(), 1, "{list}");
    }
    let problem = api.post("/organizations", json!({})).await.body;
    check(&document, schema(&document, "Problem"), &problem, "problem");
    api.stop().await;
}

/// A key that the document names is read, and one that is read is in the document: the refusal of an unknown key lists
/// what is known.
#[actix_web::test]
async fn bodies_take_exactly_the_keys_of_the_document() {
    let api = Api::start().await;
    let document = api.get("/openapi.json").await.body;
    let options = json!({"issuer": "https://op.example", "client_id": "us"});
    api.create("/connections", json!({"name": "new", "strategy": "oidc", "options": options}))
        .await;
    for (path, name) in [
        ("/organizations", "OrganizationBody"),
        ("/clients", "ClientBody"),
        ("/resource-servers", "ResourceServerBody"),
        ("/client-grants", "ClientGrantBody"),
        ("/users", "UserBody"),
        ("/registration-tokens", "RegistrationTokenBody"),
        ("/api-tokens", "ApiTokenBody"),
        ("/invitations", "InvitationBody"),
        ("/connections/new/migrations", "IdentityMigrationBody"),
    ] {
        let answer = api.post(path, json!({"surprise": 1})).await;
        let errors = answer.body["errors"].as_array().unwrap();
        let unknown = errors.iter().find(|e| e["field"] == "surprise").unwrap();
        let (_, known) = unknown["message"].as_str().unwrap().split_once("known are ").unwrap();
        let known: BTreeSet<&str> = known.split(", ").collect();
        assert_eq!(known, keys(&schema(&document, name)["properties"]), "{path}");
    }
    api.stop().await;
}

#[actix_web::test]
async fn every_path_of_the_document_is_served() {
    let api = Api::start().await;
    let document = api.get("/openapi.json").await.body;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in keys(item).into_iter().filter(|m| *m != "parameters") {
            let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let request = api.request(method.clone(), &path.replace("{id}", "none"));
            let request = super::json(request, &json!({}));
            let answer = super::send(request).await;
            let detail = answer.body["detail"].as_str().unwrap_or_default();
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(!detail.contains("nothing at this address"), "{method} {path}");
        }
    }
    api.stop().await;
}
