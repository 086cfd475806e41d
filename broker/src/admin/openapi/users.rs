//! Paths about users: newcomers, moves to another identity provider, export and erasure.

use serde_json::{Map, Value, json};

use super::{body, collection, id, responses};

pub(super) fn paths() -> Map<String, Value> {
    let entries = [
        (
            "/connections/{id}/migrations",
            json!({
                "parameters": [id()],
                "get": {
                    "summary": "List the planned moves of users to a connection",
                    "operationId": "listIdentityMigrations",
                    "responses": responses(&[(200, Some("IdentityMigrationList"))], &[401, 404]),
                },
                "post": {
                    "summary": "Recognize users of an old connection at this one: 201 with `match`, 200 with `pairs` and for a dry run",
                    "operationId": "createIdentityMigration",
                    "requestBody": body("application/json", "IdentityMigrationBody"),
                    "responses": responses(
                        &[(200, Some("IdentityMigrationReport")), (201, Some("IdentityMigration"))],
                        &[400, 401, 404, 409, 415, 422],
                    ),
                },
            }),
        ),
        (
            "/connections/{id}/migrations/{migration}",
            json!({"parameters": [id(), {"name": "migration", "in": "path", "required": true, "schema": {"type": "string"}}], "delete": {
                "summary": "End a planned move; who was recognized stays so",
                "operationId": "deleteIdentityMigration",
                "responses": responses(&[(204, None)], &[401, 404]),
            }}),
        ),
        ("/invitations", collection("Invitation", "invitation")),
        (
            "/invitations/{id}",
            json!({"parameters": [id()],
                "get": {
                    "summary": "Read an invitation",
                    "operationId": "readInvitation",
                    "responses": responses(&[(200, Some("Invitation"))], &[401, 404]),
                },
                "delete": {
                    "summary": "Delete an invitation; whom it let in stays",
                    "operationId": "deleteInvitation",
                    "responses": responses(&[(204, None)], &[401, 404, 412]),
                },
            }),
        ),
        (
            "/users/{id}/export",
            json!({"parameters": [id()], "get": {
                "summary": "Everything that is kept about a user; older logins and changes are found with `next` at /logs",
                "operationId": "exportUser",
                "responses": responses(&[(200, Some("UserExport"))], &[401, 404]),
            }}),
        ),
        (
            "/users/{id}/erase",
            json!({"parameters": [id()], "post": {
                "summary": "Delete a user, their login traces, and what the audit log says of them; can be repeated",
                "operationId": "eraseUser",
                "responses": responses(&[(200, Some("UserErasure"))], &[401, 404]),
            }}),
        ),
    ];
    entries.into_iter().map(|(path, item)| (path.to_owned(), item)).collect()
}
