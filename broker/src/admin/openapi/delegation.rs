//! Paths by which others than the operator come to use the management API.

use serde_json::{Map, Value, json};

use super::{collection, id, responses};

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
    ];
    entries.into_iter().map(|(path, item)| (path.to_owned(), item)).collect()
}
