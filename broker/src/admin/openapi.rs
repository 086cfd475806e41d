//! `/api/v1/openapi.json`: OpenAPI 3.1, held against the code by tests.
//!
//! The schemas stand in `openapi/schemas.json`; paths are alike for each kind of object and made here.

mod delegation;
mod users;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

/// The kinds with all five operations: path, schema, what it is.
const KINDS: [(&str, &str, &str); 7] = [
    ("/organizations", "Organization", "organization"),
    ("/connections", "Connection", "connection"),
    ("/clients", "Client", "client"),
    ("/resource-servers", "ResourceServer", "resource server"),
    ("/client-grants", "ClientGrant", "client grant"),
    ("/password-accounts", "PasswordAccount", "password account"),
    ("/users", "User", "user"),
];

static DOCUMENT: LazyLock<String> = LazyLock::new(|| build().to_string());

/// `GET /api/v1/openapi.json`
pub(super) async fn document() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT.as_str())
}

fn build() -> Value {
    let mut paths = Map::new();
    for (path, schema, what) in KINDS {
        paths.insert(path.to_owned(), collection(schema, what));
        paths.insert(format!("{path}/{{id}}"), single(schema, what));
    }
    paths.extend(others());
    paths.extend(delegation::paths());
    paths.extend(users::paths());
    let mut schemas = Map::new();
    for part in [include_str!("openapi/schemas.json"), include_str!("openapi/delegation.json")] {
        schemas.extend(serde_json::from_str::<Map<String, Value>>(part).unwrap_or_default());
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Homerealm management API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Organizations, connections, clients, APIs and users of a Homerealm broker. `{id}` in a path is the id or the unique name (clients: client_id; resource servers: the URL-encoded identifier).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    })
}

fn collection(schema: &str, what: &str) -> Value {
    json!({
        "get": {
            "summary": format!("List every {what}"),
            "operationId": format!("list{schema}s"),
            "parameters": page(),
            "responses": responses(&[(200, Some(&format!("{schema}List")))], &[401, 422]),
        },
        "post": {
            "summary": format!("Create a {what}"),
            "operationId": format!("create{schema}"),
            "requestBody": body("application/json", &format!("{schema}Body")),
            "responses": responses(&[(201, Some(schema))], &[400, 401, 409, 415, 422]),
        },
    })
}

fn single(schema: &str, what: &str) -> Value {
    let if_match = json!({"name": "If-Match", "in": "header", "schema": {"type": "string"}});
    json!({
        "parameters": [id()],
        "get": {
            "summary": format!("Read a {what}"),
            "operationId": format!("read{schema}"),
            "responses": responses(&[(200, Some(schema))], &[401, 404]),
        },
        "patch": {
            "summary": format!("Change a {what} (RFC 7396: members merge, null removes)"),
            "operationId": format!("update{schema}"),
            "parameters": [if_match],
            "requestBody": body("application/merge-patch+json", &format!("{schema}Patch")),
            "responses": responses(&[(200, Some(schema))], &[400, 401, 404, 409, 412, 415, 422]),
        },
        "delete": {
            "summary": format!("Delete a {what}"),
            "operationId": format!("delete{schema}"),
            "parameters": [if_match],
            "responses": responses(&[(204, None)], &[401, 404, 409, 412]),
        },
    })
}

fn others() -> Map<String, Value> {
    let xml = json!({"required": true, "content": {"application/samlmetadata+xml": {"schema": {"type": "string"}}}});
    let sid = json!({"name": "sid", "in": "path", "required": true, "schema": {"type": "string"}});
    let entries = [
        (
            "/connections/{id}/metadata",
            json!({"parameters": [id()], "put": {
                "summary": "Replace the metadata of a SAML connection",
                "operationId": "putConnectionMetadata",
                "requestBody": xml,
                "responses": responses(&[(200, Some("Metadata"))], &[401, 404, 412, 422]),
            }}),
        ),
        (
            "/clients/{id}/secrets",
            json!({
                "parameters": [id()],
                "get": {
                    "summary": "List the live secrets of a client, without the secrets",
                    "operationId": "listClientSecrets",
                    "responses": responses(&[(200, Some("ClientSecretList"))], &[401, 404]),
                },
                "post": {
                    "summary": "Make a second secret, to replace the first without a break; it is in this answer only",
                    "operationId": "createClientSecret",
                    "responses": responses(&[(201, Some("NewClientSecret"))], &[401, 404, 409, 412]),
                },
            }),
        ),
        (
            "/clients/{id}/secrets/{secret}",
            json!({"parameters": [id(), {"name": "secret", "in": "path", "required": true, "schema": {"type": "string"}}], "delete": {
                "summary": "Delete a secret of a client; the last one stays",
                "operationId": "deleteClientSecret",
                "responses": responses(&[(204, None)], &[401, 404, 409, 412]),
            }}),
        ),
        (
            "/metadata/inspect",
            json!({"post": {
                "summary": "Say what an identity provider's metadata says; saves nothing",
                "operationId": "inspectMetadata",
                "requestBody": xml,
                "responses": responses(&[(200, Some("Metadata"))], &[401, 422]),
            }}),
        ),
        ("/registration-tokens", collection("RegistrationToken", "registration token")),
        (
            "/registration-tokens/{id}",
            json!({"parameters": [id()],
                "get": {
                    "summary": "Read a registration token, without the token itself",
                    "operationId": "readRegistrationToken",
                    "responses": responses(&[(200, Some("RegistrationToken"))], &[401, 404]),
                },
                "delete": {
                    "summary": "Delete a registration token; what was registered with it stays",
                    "operationId": "deleteRegistrationToken",
                    "responses": responses(&[(204, None)], &[401, 404, 412]),
                },
            }),
        ),
        (
            "/users/{id}/consents",
            json!({"parameters": [id()], "get": {
                "summary": "List what a user allows third-party clients",
                "operationId": "listConsents",
                "responses": responses(&[(200, Some("ConsentList"))], &[401, 404]),
            }}),
        ),
        (
            "/users/{id}/consents/{client_id}",
            json!({"parameters": [id(), {"name": "client_id", "in": "path", "required": true, "schema": {"type": "string"}}], "delete": {
                "summary": "End what a user allows a client, and the client's refresh tokens for the user",
                "operationId": "withdrawConsent",
                "responses": responses(&[(204, None)], &[401, 404]),
            }}),
        ),
        (
            "/login-traces",
            json!({"get": {
                "summary": "List login traces, newest first",
                "operationId": "listLoginTraces",
                "parameters": page(),
                "responses": responses(&[(200, Some("LoginTraceList"))], &[401, 422]),
            }}),
        ),
        (
            "/login-traces/{id}",
            json!({"parameters": [id()], "get": {
                "summary": "Read a login trace by id or reference",
                "operationId": "readLoginTrace",
                "responses": responses(&[(200, Some("LoginTrace"))], &[401, 404]),
            }}),
        ),
        (
            "/doctor",
            json!({"get": {
                "summary": "Say what is wrong, or about to be",
                "operationId": "doctor",
                "parameters": [{"name": "reach", "in": "query", "description": "false: do not call on the identity providers", "schema": {"type": "boolean", "default": true}}],
                "responses": responses(&[(200, Some("FindingList"))], &[401, 422]),
            }}),
        ),
        (
            "/logs",
            json!({"get": {
                "summary": "List the audit log, newest first",
                "operationId": "listLogs",
                "parameters": log_filters(),
                "responses": responses(&[(200, Some("AuditEntryList"))], &[401, 422]),
            }}),
        ),
        (
            "/signing-keys/rotate",
            json!({"post": {
                "summary": "Sign with the next key of an algorithm from now on; 409 before it has been published for a day, unless `now`",
                "operationId": "rotateSigningKey",
                "requestBody": body("application/json", "SigningKeyRotation"),
                "responses": responses(&[(200, Some("SigningKeyList"))], &[400, 401, 409, 412, 415, 422]),
            }}),
        ),
        (
            "/signing-keys/{id}/retire",
            json!({"parameters": [id()], "post": {
                "summary": "Take a retiring key away; what it signed is refused from now on",
                "operationId": "retireSigningKey",
                "responses": responses(&[(200, Some("SigningKeyList"))], &[401, 404]),
            }}),
        ),
        (
            "/signing-keys",
            json!({"get": {
                "summary": "List our published signing keys",
                "operationId": "listSigningKeys",
                "responses": responses(&[(200, Some("SigningKeyList"))], &[401]),
            }}),
        ),
        (
            "/users/{id}/sessions",
            json!({"parameters": [id()], "get": {
                "summary": "List the sessions of a user's browsers",
                "operationId": "listUserSessions",
                "responses": responses(&[(200, Some("SessionList"))], &[401, 404]),
            }, "delete": {
                "summary": "End every session of a user; their clients are told. With `tokens`, everything that was issued to clients ends too",
                "operationId": "endUserSessions",
                "parameters": [{"name": "tokens", "in": "query", "schema": {"type": "boolean", "default": false}}],
                "responses": responses(&[(204, None)], &[401, 404]),
            }}),
        ),
        (
            "/users/{id}/sessions/{sid}",
            json!({"parameters": [id(), sid], "delete": {
                "summary": "End a session; its clients are told",
                "operationId": "endUserSession",
                "responses": responses(&[(204, None)], &[401, 404]),
            }}),
        ),
        (
            "/simulate/home-realm",
            json!({"post": {
                "summary": "Say where a user would be sent, and why",
                "operationId": "simulateHomeRealm",
                "requestBody": body("application/json", "HomeRealmQuestion"),
                "responses": responses(&[(200, Some("HomeRealmAnswer"))], &[400, 401, 415, 422]),
            }}),
        ),
    ];
    entries.into_iter().map(|(path, item)| (path.to_owned(), item)).collect()
}

fn id() -> Value {
    json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}})
}

fn page() -> Value {
    json!([
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
        {"name": "cursor", "in": "query", "schema": {"type": "string"}},
    ])
}

fn log_filters() -> Value {
    let query = |name: &str, about: &str| json!({"name": name, "in": "query", "description": about, "schema": {"type": "string"}});
    let mut all = vec![
        query("kind", "Kind of object, such as connection; login for logins"),
        query("object", "Id or name of the object; changes only"),
        query("actor", "Name of the actor: of the token, of the command, id of the user"),
        query("from", "At this time or later, RFC 3339"),
        query("to", "Before this time, RFC 3339"),
    ];
    all.extend(page().as_array().cloned().unwrap_or_default());
    Value::Array(all)
}

fn body(kind: &str, schema: &str) -> Value {
    json!({"required": true, "content": {kind: {"schema": reference(schema)}}})
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn responses(good: &[(u16, Option<&str>)], problems: &[u16]) -> Value {
    let mut all = Map::new();
    for (status, schema) in good {
        let mut response = json!({"description": "Done"});
        if let (Some(schema), Value::Object(members)) = (schema, &mut response) {
            members.insert(
                "content".to_owned(),
                json!({"application/json": {"schema": reference(schema)}}),
            );
        }
        all.insert(status.to_string(), response);
    }
    for status in problems.iter().chain(&[403, 503]) {
        let content = json!({"application/problem+json": {"schema": reference("Problem")}});
        all.insert(
            status.to_string(),
            json!({"description": meaning(*status), "content": content}),
        );
    }
    Value::Object(all)
}

const fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The body is not JSON",
        401 => "No token, or not the right one",
        403 => "The token is not good for that",
        404 => "There is no such object",
        409 => "Taken, or still referred to",
        412 => "Changed since it was read",
        415 => "The body is of another type",
        422 => "A field is not as it must be; `errors` names each",
        _ => "Unavailable for a moment",
    }
}
