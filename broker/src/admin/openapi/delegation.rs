//! Paths by which others than the operator come to use the management API.

use serde_json::{Map, Value, json};

use super::{body, collection, id, page, responses};

fn domain() -> Value {
    json!({"name": "domain", "in": "path", "required": true, "schema": {"type": "string"}})
}

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
            "/organizations/{id}/domains",
            json!({"parameters": [id()],
                "get": {
                    "summary": "List an organization's domains, each with how it is proven",
                    "operationId": "listOrganizationDomains",
                    "responses": responses(&[(200, Some("OrganizationDomainList"))], &[401, 404]),
                },
                "post": {
                    "summary": "Claim a domain; 200 where it is verified already, or its claim still open",
                    "operationId": "claimOrganizationDomain",
                    "requestBody": body("application/json", "OrganizationDomainBody"),
                    "responses": responses(
                        &[(200, Some("OrganizationDomain")), (201, Some("OrganizationDomain"))],
                        &[400, 401, 404, 409, 412, 415, 422],
                    ),
                },
            }),
        ),
        (
            "/organizations/{id}/domains/{domain}",
            json!({"parameters": [id(), domain()],
                "get": {
                    "summary": "Read a domain of an organization",
                    "operationId": "readOrganizationDomain",
                    "responses": responses(&[(200, Some("OrganizationDomain"))], &[401, 404]),
                },
                "delete": {
                    "summary": "Give a domain up",
                    "operationId": "deleteOrganizationDomain",
                    "responses": responses(&[(204, None)], &[401, 404, 409, 412]),
                },
            }),
        ),
        (
            "/organizations/{id}/domains/{domain}/verify",
            json!({"parameters": [id(), domain()], "post": {
                "summary": "Look for the TXT record of a claim; 409 where it is not there, or another organization holds the domain",
                "operationId": "verifyOrganizationDomain",
                "responses": responses(&[(200, Some("OrganizationDomain"))], &[401, 404, 409, 412]),
            }}),
        ),
        (
            "/organizations/{id}/domains/{domain}/transfer",
            json!({"parameters": [id(), domain()], "post": {
                "summary": "Transfer a verified domain, and its wildcard, to another organization",
                "operationId": "transferOrganizationDomain",
                "requestBody": body("application/json", "DomainTransfer"),
                "responses": responses(&[(200, Some("OrganizationDomain"))], &[400, 401, 404, 409, 412, 415, 422]),
            }}),
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
