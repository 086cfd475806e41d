//! Paths by which others than the operator come to use the management API.

use serde_json::{Map, Value, json};

use super::{body, collection, id, page, responses};

pub(super) fn paths() -> Map<String, Value> {
    let entries = [
        ("/api-tokens", collection("ApiToken", "token of the management API")),
        (
            "/api-tokens/{id}",
            json!({"parameters": [id()],
                "get": {
                    "summary": "Read a token of the management API, without the token itself",
                    "operationId": "readApiToken",
                    "responses": responses(&[(200, Some("ApiToken"))], &[401, 404]),
                },
                "delete": {
                    "summary": "Revoke a token of the management API; its name is never given out again",
                    "operationId": "deleteApiToken",
                    "responses": responses(&[(204, None)], &[401, 404, 412]),
                },
            }),
        ),
        (
            "/clients/{id}/history",
            json!({"parameters": [id()], "get": {
                "summary": "List the changes of a client, newest first",
                "operationId": "listClientHistory",
                "parameters": page(),
                "responses": responses(&[(200, Some("AuditEntryList"))], &[401, 404, 422]),
            }}),
        ),
        (
            "/clients/{id}/revert",
            json!({"parameters": [id()], "post": {
                "summary": "Undo what a change did to a client's callbacks",
                "operationId": "revertClient",
                "requestBody": body("application/json", "ClientRevert"),
                "responses": responses(&[(200, Some("Client"))], &[400, 401, 404, 412, 415, 422]),
            }}),
        ),
    ];
    entries.into_iter().map(|(path, item)| (path.to_owned(), item)).collect()
}
