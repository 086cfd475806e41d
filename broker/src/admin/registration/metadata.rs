//! What a client says about itself (RFC 7591 §2), and what of it is taken.

use serde_json::{Map, Value, json};
use url::Url;

use super::refusal::Refusal;
use crate::admin::clients::draft::{Draft, writable};
use crate::app::App;
use crate::catalog::{Client, GrantType, Name};
use crate::ids;

/// What a client may say, as `/api/v1/clients` reads it. Everything else is for us to decide, or not understood, and then
/// ignored (RFC 7591 §2).
const TAKEN: [&str; 25] = [
    "backchannel_logout_session_required",
    "backchannel_logout_uri",
    "client_name",
    "client_uri",
    "default_max_age",
    "dpop_bound_access_tokens",
    "frontchannel_logout_session_required",
    "frontchannel_logout_uri",
    "grant_types",
    "id_token_signed_response_alg",
    "initiate_login_uri",
    "jwks",
    "jwks_uri",
    "post_logout_redirect_uris",
    "redirect_uris",
    "request_object_signing_alg",
    "require_pushed_authorization_requests",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_email",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_uri",
    "tls_client_auth_subject_dn",
    "tls_client_certificate_bound_access_tokens",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
];

/// Set by us, and refused in an update (RFC 7592 §2.2).
const OURS: [&str; 4] = [
    "client_id_issued_at",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
];

/// Grants for users, none for a client as itself: that is for somebody of ours to give.
const GRANTS: [GrantType; 3] =
    [GrantType::AuthorizationCode, GrantType::DeviceCode, GrantType::RefreshToken];

/// Metadata that is fit to be read by the rules of `/api/v1/clients`.
#[derive(Debug)]
pub(super) struct Asked(Map<String, Value>);

/// Reads the body of a registration.
pub(super) fn read(mut body: Map<String, Value>) -> Result<Asked, Refusal> {
    if body.get("software_statement").is_some_and(|statement| !statement.is_null()) {
        return Err(Refusal::SoftwareStatement);
    }
    only_codes(&body)?;
    let name = body.get("client_name").filter(|name| !name.is_null()).cloned();
    let name = name.or_else(|| host(&body).map(Value::String));
    body.retain(|member, value| TAKEN.contains(&member.as_str()) && !value.is_null());
    body.extend(name.map(|name| ("client_name".to_owned(), name)));
    only_https(&body)?;
    Ok(Asked(body))
}

/// Reads the body of an update.
pub(super) fn read_update(body: Map<String, Value>, old: &Client) -> Result<Asked, Refusal> {
    if let Some(ours) = OURS.iter().find(|ours| body.contains_key(**ours)) {
        return Err(Refusal::metadata(format!("{ours}: is ours to set, leave it out")));
    }
    if body.get("client_id").and_then(Value::as_str) != Some(&old.client_id) {
        return Err(Refusal::metadata("client_id: must be the client's own"));
    }
    if let Some(secret) = body.get("client_secret") {
        let hash = secret.as_str().map(ids::sha256_hex);
        if !hash.is_some_and(|hash| old.secrets.iter().any(|known| known.sha256 == hash)) {
            return Err(Refusal::metadata("client_secret: must be the client's own, or left out"));
        }
    }
    read(body)
}

/// What the client's own metadata is now.
pub(super) fn shown(client: &Client) -> Map<String, Value> {
    let mut members = writable(client);
    members.retain(|member, value| TAKEN.contains(&member.as_str()) && !value.is_null());
    members.insert("response_types".to_owned(), json!(response_types(client)));
    members
}

impl Asked {
    /// As a new third-party client of an organization.
    pub(super) async fn into_draft(
        mut self,
        app: &App,
        organization: &Name,
    ) -> Result<Draft, Refusal> {
        self.0.insert("first_party".to_owned(), Value::Bool(false));
        self.0.insert("organization".to_owned(), json!(organization));
        checked(Draft::read(app, self.0, None).await?)
    }

    /// In the place of what the client said before; what we decided about it stays.
    pub(super) async fn into_draft_of(self, app: &App, old: &Client) -> Result<Draft, Refusal> {
        let mut members = writable(old);
        members.retain(|member, _| !TAKEN.contains(&member.as_str()) && member != "client_id");
        members.extend(self.0);
        checked(Draft::read(app, members, old.connections.as_deref()).await?)
    }
}

fn checked(draft: Draft) -> Result<Draft, Refusal> {
    match draft.grant_types.iter().find(|grant| !GRANTS.contains(grant)) {
        None => Ok(draft),
        Some(grant) => Err(Refusal::metadata(format!(
            "grant_types: {} is not for clients that register themselves",
            grant.as_str()
        ))),
    }
}

/// RFC 7591 §2.1: with the grant `authorization_code` the response type is `code`; there is no other.
fn only_codes(body: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(types) = body.get("response_types").filter(|types| !types.is_null()) else {
        return Ok(());
    };
    let only = types.as_array().is_some_and(|types| types.iter().all(|t| t == "code"));
    if only { Ok(()) } else { Err(Refusal::metadata("response_types: must be [\"code\"]")) }
}

/// RULES 29 allows more to those whom an operator registers.
fn only_https(body: &Map<String, Value>) -> Result<(), Refusal> {
    let is_https = |uri: &Value| uri.as_str().is_none_or(|uri| uri.starts_with("https://"));
    for field in ["redirect_uris", "post_logout_redirect_uris"] {
        let uris = body.get(field).and_then(Value::as_array);
        if !uris.is_none_or(|uris| uris.iter().all(is_https)) {
            return Err(Refusal::RedirectUri(format!("{field}: must be https addresses")));
        }
    }
    Ok(())
}

/// For people, where the client has no name: where it is on the web.
fn host(body: &Map<String, Value>) -> Option<String> {
    let first = body.get("redirect_uris").and_then(|uris| uris.get(0));
    let uri = body.get("client_uri").or(first)?.as_str()?;
    Url::parse(uri).ok()?.host_str().map(str::to_owned)
}

fn response_types(client: &Client) -> Vec<&'static str> {
    let code = client.grant_types.contains(&GrantType::AuthorizationCode);
    if code { vec!["code"] } else { Vec::new() }
}
