//! Sets the broker up through the management API, as an operator would: two customers, their IdPs, an API, an app.

use homerealm_certs::Random;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::DemoError;
use super::oidc_idp::{OidcIdp, RelyingParty};
use super::saml_idp::SamlIdp;
use super::site::Registration;
use crate::ids;

/// The sample API's identifier: the audience of its tokens.
pub(super) const API: &str = "https://trips.example/api";
/// The app's name, at its own place and on the broker's pages.
pub(super) const APP: &str = "Sample Travel";

/// The operator at work.
pub(super) struct Operator {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// The demo's parts that are not the broker.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) saml_idp: &'a SamlIdp,
    pub(super) oidc_idp: &'a OidcIdp,
    pub(super) site: &'a str,
    pub(super) random: &'a dyn Random,
}

impl Operator {
    /// With the admin token.
    pub(super) fn new(issuer: &str, token: String) -> Result<Self, DemoError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only([])
            .build()
            .map_err(|e| DemoError::Seed(e.to_string()))?;
        Ok(Self { http, base: format!("{issuer}/api/v1"), token })
    }

    /// Everything that the demo needs; what comes back is for the site.
    pub(super) async fn set_up(&self, parts: &Parts<'_>) -> Result<Registration, DemoError> {
        self.organizations().await?;
        self.saml_connection(parts).await?;
        self.oidc_connection(parts).await?;
        self.api().await?;
        self.app(parts).await
    }

    async fn organizations(&self) -> Result<(), DemoError> {
        for (name, display_name, domain) in
            [("acme", "Acme", "acme.example"), ("globex", "Globex", "globex.example")]
        {
            let domains = json!([{"name": domain, "verified": true}]);
            let body = json!({"name": name, "display_name": display_name, "domains": domains});
            self.post("/organizations", &body).await?;
        }
        Ok(())
    }

    async fn saml_connection(&self, parts: &Parts<'_>) -> Result<(), DemoError> {
        let body = json!({
            "name": "acme-saml", "strategy": "saml", "organization": "acme", "display_name": "Acme SSO",
            "domains": ["acme.example"],
            "options": {"metadata_url": parts.saml_idp.metadata_url()},
        });
        let made = self.post("/connections", &body).await?;
        let (entity_id, acs) = (text(&made, "/urls/entity_id")?, text(&made, "/urls/acs")?);
        parts.saml_idp.trust(entity_id, acs);
        Ok(())
    }

    /// Open to third-party apps of other organizations, so that one sample app shows both.
    async fn oidc_connection(&self, parts: &Parts<'_>) -> Result<(), DemoError> {
        let (client_id, client_secret) = ("homerealm-demo".to_owned(), ids::secret(parts.random));
        let body = json!({
            "name": "globex-oidc", "strategy": "oidc", "organization": "globex", "display_name": "Globex SSO",
            "domains": ["globex.example"], "is_domain_connection": true,
            "options": {"issuer": parts.oidc_idp.issuer(), "client_id": client_id, "client_secret": client_secret},
        });
        let made = self.post("/connections", &body).await?;
        let redirect_uri = text(&made, "/urls/callback")?.to_owned();
        parts.oidc_idp.register(RelyingParty { client_id, client_secret, redirect_uri });
        Ok(())
    }

    async fn api(&self) -> Result<(), DemoError> {
        let scope = json!({"value": super::api::SCOPE, "description": "See your booked trips"});
        let body = json!({"identifier": API, "name": "Sample Trips API", "scopes": [scope]});
        self.post("/resource-servers", &body).await.map(drop)
    }

    async fn app(&self, parts: &Parts<'_>) -> Result<Registration, DemoError> {
        let redirect_uri = format!("{}/callback", parts.site);
        let body = json!({
            "client_name": APP, "first_party": false, "organization": "acme",
            "redirect_uris": [redirect_uri], "client_uri": format!("{}/", parts.site),
            "grant_types": ["authorization_code"], "token_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": "ES256",
        });
        let made = self.post("/clients", &body).await?;
        let client_id = text(&made, "/client_id")?.to_owned();
        let client_secret = text(&made, "/client_secret")?.to_owned();
        let grant = json!({
            "client_id": client_id, "audience": API, "scopes": [super::api::SCOPE], "subject_type": "user",
        });
        self.post("/client-grants", &grant).await?;
        Ok(Registration { client_id, client_secret, redirect_uri, audience: API })
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, DemoError> {
        let failed = |why: String| DemoError::Seed(format!("POST {path}: {why}"));
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = request.send().await.map_err(|e| failed(e.to_string()))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|e| failed(e.to_string()))?;
        if status != 201 {
            return Err(failed(format!("{status} {text}")));
        }
        serde_json::from_str(&text).map_err(|e| failed(e.to_string()))
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> Result<&'a str, DemoError> {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .ok_or_else(|| DemoError::Seed(format!("an answer has no {pointer}")))
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Operator({})", self.base)
    }
}
