//! What the body of a client says.

use chrono::{DateTime, Utc};
use homerealm_certs::JwsAlgorithm;
use serde_json::{Map, Value, json};
use url::Url;

use super::{home_realm, keys, session, tokens};
use crate::admin::body;
use crate::admin::failure::Failure;
use crate::admin::fields::Fields;
use crate::app::App;
use crate::catalog::client::{
    ClientHomeRealm, ClientKeys, ClientRegistration, ClientRequests, ClientSession,
};
use crate::catalog::{
    Client, ClientAuthMethod, ClientKind, ClientSecret, Connection, GrantType, Name, RefreshTokens,
    SignedAnswers,
};
use crate::login::access::closed_by_ownership;
use crate::oauth::redirect_uri::RedirectUri;

const METHODS: &str = "none, client_secret_basic, client_secret_post, private_key_jwt, \
     tls_client_auth or self_signed_tls_client_auth";

/// A client without its secrets and times.
pub(in crate::admin) struct Draft {
    pub(super) client_id: Option<String>,
    pub(in crate::admin) kind: ClientKind,
    pub(in crate::admin) token_endpoint_auth_method: ClientAuthMethod,
    client_name: String,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    web_origins: Vec<String>,
    pub(in crate::admin) grant_types: Vec<GrantType>,
    connections: Option<Vec<Name>>,
    id_token_signed_response_alg: JwsAlgorithm,
    signed_answers: SignedAnswers,
    refresh_tokens: RefreshTokens,
    home_realm: ClientHomeRealm,
    client_uri: Option<String>,
    initiate_login_uri: Option<String>,
    session: ClientSession,
    keys: ClientKeys,
    requests: ClientRequests,
    enabled: bool,
}

impl Draft {
    /// `kept`: the connections that its list names already, which may have been closed to it since.
    pub(in crate::admin) async fn read(
        app: &App,
        object: Map<String, Value>,
        kept: Option<&[Name]>,
    ) -> Result<Self, Failure> {
        let mut fields = Fields::new(object);
        let client_id = fields.parsed("client_id", client_id);
        let client_name = fields.label("client_name");
        let client_name = fields.require("client_name", client_name);
        let kind = read_kind(&mut fields);
        let uri = |text: String| RedirectUri::try_from(text).map(String::from);
        let redirect_uris = fields.parsed_list("redirect_uris", uri).unwrap_or_default();
        let post_logout_redirect_uris =
            fields.parsed_list("post_logout_redirect_uris", uri).unwrap_or_default();
        let web_origins = fields.parsed_list("web_origins", origin).unwrap_or_default();
        let token_endpoint_auth_method = fields
            .choice("token_endpoint_auth_method", METHODS)
            .unwrap_or(ClientAuthMethod::ClientSecretBasic);
        let grant_types = read_grant_types(&mut fields, token_endpoint_auth_method, &redirect_uris);
        let connections = fields.parsed_list("connections", Name::try_from);
        let id_token_signed_response_alg = fields
            .choice("id_token_signed_response_alg", "RS256, ES256 or EdDSA")
            .unwrap_or(JwsAlgorithm::Rs256);
        let signed_answers = tokens::read_signed_answers(&mut fields);
        let refresh_tokens = tokens::read_refresh_tokens(&mut fields);
        let client_uri = fields.parsed("client_uri", web_address);
        let initiate_login_uri = fields.parsed("initiate_login_uri", web_address);
        let session = session::read(&mut fields, &redirect_uris);
        let keys = keys::read(&mut fields, app, token_endpoint_auth_method);
        let requests = keys::read_requests(&mut fields, app);
        let home_realm = home_realm::read(app, &mut fields).await?;
        let enabled = fields.flag("enabled").unwrap_or(true);
        check_connections(app, &mut fields, kind.as_ref(), (connections.as_deref(), kept)).await?;
        let errors = fields.finish();
        let (Some(client_name), Some(kind), true) = (client_name, kind, errors.is_empty()) else {
            return Err(Failure::fields(errors));
        };
        Ok(Self {
            client_id,
            kind,
            token_endpoint_auth_method,
            client_name,
            redirect_uris,
            post_logout_redirect_uris,
            web_origins,
            grant_types,
            connections,
            id_token_signed_response_alg,
            signed_answers,
            refresh_tokens,
            home_realm,
            client_uri,
            initiate_login_uri,
            session,
            keys,
            requests,
            enabled,
        })
    }

    pub(in crate::admin) fn into_client(
        self,
        client_id: String,
        secrets: Vec<ClientSecret>,
        at: DateTime<Utc>,
    ) -> Client {
        Client {
            client_id,
            client_name: self.client_name,
            kind: self.kind,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            web_origins: self.web_origins,
            grant_types: self.grant_types,
            token_endpoint_auth_method: self.token_endpoint_auth_method,
            secrets,
            connections: self.connections,
            id_token_signed_response_alg: self.id_token_signed_response_alg,
            signed_answers: self.signed_answers,
            refresh_tokens: self.refresh_tokens,
            home_realm: self.home_realm,
            client_uri: self.client_uri,
            initiate_login_uri: self.initiate_login_uri,
            session: self.session,
            registration: ClientRegistration::default(),
            keys: self.keys,
            requests: self.requests,
            enabled: self.enabled,
            created_at: at,
            updated_at: at,
        }
    }
}

/// The POST body that would make this client.
pub(in crate::admin) fn writable(client: &Client) -> Map<String, Value> {
    let mut members = body::members(json!({
        "client_id": client.client_id,
        "client_name": client.client_name,
        "first_party": !client.is_third_party(),
        "organization": client.organization(),
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "web_origins": client.web_origins,
        "grant_types": client.grant_types,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "id_token_signed_response_alg": client.id_token_signed_response_alg,
        "client_uri": client.client_uri,
        "initiate_login_uri": client.initiate_login_uri,
        "enabled": client.enabled,
    }));
    members.extend(body::members(json!(client.session)));
    members.extend(body::members(json!(client.keys)));
    members.extend(body::members(json!(client.requests)));
    members.extend(body::members(json!(client.signed_answers)));
    members.extend(body::members(json!(client.refresh_tokens)));
    members.extend(body::members(json!(client.home_realm)));
    // absent: all that it may use
    if let Some(connections) = &client.connections {
        members.insert("connections".to_owned(), json!(connections));
    }
    members
}

/// Third-party unless said otherwise: the limited kind is the default.
fn read_kind(fields: &mut Fields) -> Option<ClientKind> {
    let first_party = fields.flag("first_party").unwrap_or(false);
    let organization = fields.parsed("organization", Name::try_from);
    if first_party {
        return Some(ClientKind::FirstParty { organization });
    }
    let organization = fields.require("organization", organization)?;
    Some(ClientKind::ThirdParty { organization })
}

fn read_grant_types(
    fields: &mut Fields,
    method: ClientAuthMethod,
    redirect_uris: &[String],
) -> Vec<GrantType> {
    let grants = fields
        .choices(
            "grant_types",
            "authorization_code, refresh_token, client_credentials and urn:ietf:params:oauth:grant-type:device_code",
        )
        .unwrap_or_else(|| vec![GrantType::AuthorizationCode]);
    let lacks_uris = redirect_uris.is_empty() && !fields.is_refused("redirect_uris");
    if grants.contains(&GrantType::AuthorizationCode) && lacks_uris {
        fields.refuse("redirect_uris", "is required for the grant authorization_code");
    }
    if grants.contains(&GrantType::ClientCredentials) && method == ClientAuthMethod::None {
        fields.refuse("grant_types", "client_credentials needs a client that authenticates");
    }
    grants
}

/// Each must exist; a third-party client names only what it could use (RULES 23: foreign and unknown look the same).
async fn check_connections(
    app: &App,
    fields: &mut Fields,
    kind: Option<&ClientKind>,
    (connections, kept): (Option<&[Name]>, Option<&[Name]>),
) -> Result<(), Failure> {
    for (place, name) in connections.unwrap_or_default().iter().enumerate() {
        if kept.is_some_and(|kept| kept.contains(name)) {
            continue;
        }
        let found = app.catalog.get::<Connection>(name.as_str()).await?;
        let usable = |c: &Connection| match kind {
            Some(kind @ ClientKind::ThirdParty { .. }) => closed_by_ownership(kind, c).is_none(),
            Some(ClientKind::FirstParty { .. }) | None => true,
        };
        if !found.is_some_and(|c| &c.object.name == name && usable(&c.object)) {
            fields.refuse(
                &format!("connections.{place}"),
                format!("`{name}` is not the name of a connection that this client may use"),
            );
        }
    }
    Ok(())
}

/// RFC 6749 appendix A.1, without `:` (it could not be told from the secret in HTTP Basic) and within 128 characters.
fn client_id(text: String) -> Result<String, &'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    if text.len() > 128 || !text.bytes().all(allowed) {
        return Err("must hold only letters, digits and - . _ ~, 128 characters at most");
    }
    Ok(text)
}

/// `https://host[:port]`, or http on a loopback host.
fn origin(text: String) -> Result<String, &'static str> {
    let url = Url::parse(&text).map_err(|_| "must be an origin such as https://app.example")?;
    if url.origin().ascii_serialization() != text || !is_web(&url) {
        return Err("must be an origin such as https://app.example, without a path");
    }
    Ok(text)
}

pub(super) fn web_address(text: String) -> Result<String, &'static str> {
    let url = Url::parse(&text).map_err(|_| "must be an https address")?;
    if !is_web(&url) || !url.username().is_empty() || url.password().is_some() {
        return Err("must be an https address");
    }
    Ok(text)
}

fn is_web(url: &Url) -> bool {
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}
