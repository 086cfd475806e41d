//! The usual scene: Acme with its domain, an API, an app of ours that may use it; and the steps of a login seen by the app.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::app::TestApp;
use crate::browser::{Browser, Landing};
use crate::html::Page;
use crate::jose::{self, Verified};
use crate::peers::{self, Peer};

/// Where the app gets its answers; nothing ever listens there.
pub const REDIRECT_URI: &str = "https://portal.example/cb";
/// The API.
pub const API: &str = "https://api.example";
/// The app's identifier.
pub const CLIENT: &str = "portal";
/// Who signs in at every upstream.
pub const USER: &str = "alice@customer.example";

/// The code verifier of every request: RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A broker with a customer, an API and an app.
#[derive(Debug)]
pub struct Scene {
    /// The broker.
    pub app: TestApp,
    secret: String,
}

/// What the token endpoint answered.
#[derive(Clone, Debug)]
pub struct TokenAnswer {
    /// HTTP status.
    pub status: StatusCode,
    /// `Cache-Control`
    pub cache_control: String,
    /// `WWW-Authenticate`
    pub authenticate: String,
    /// The JSON of the answer.
    pub json: Value,
}

impl Scene {
    /// `customer.example` is Acme's, verified.
    pub async fn set() -> Self {
        Self::set_up(TimeDelta::zero()).await
    }

    /// As [`Self::set`], with a broker that has run for a while.
    pub async fn set_up(running_for: TimeDelta) -> Self {
        Self::with(TestApp::spawn_before(running_for).await).await
    }

    /// The same at this broker.
    pub async fn with(app: TestApp) -> Self {
        Self::with_client(app, &json!({})).await
    }

    /// The same, with an app of which `extra` holds from the start, at every node.
    pub async fn with_client(app: TestApp, extra: &Value) -> Self {
        let domains = json!([{"name": "customer.example", "verified": true}]);
        app.admin
            .create(
                "/organizations",
                &json!({"name": "acme", "display_name": "Acme", "domains": domains}),
            )
            .await;
        app.admin
            .create(
                "/resource-servers",
                &json!({"identifier": API, "name": "The API", "default": true,
                    "scopes": [{"value": "read:data"}, {"value": "write:data"}]}),
            )
            .await;
        let mut client = json!({"client_id": CLIENT, "client_name": "Portal", "first_party": true,
            "redirect_uris": [REDIRECT_URI], "client_uri": "https://portal.example/"});
        merge(&mut client, extra);
        let client = app.admin.create("/clients", &client).await;
        let secret = client["client_secret"].as_str().unwrap().to_owned();
        let scene = Self { app, secret };
        scene.grant(CLIENT, &["read:data"]).await;
        scene
    }

    /// Lets a client ask the API, for a user, for some scopes.
    pub async fn grant(&self, client_id: &str, scopes: &[&str]) {
        let grant = json!({"client_id": client_id, "audience": API, "scopes": scopes, "subject_type": "user"});
        self.app.admin.create("/client-grants", &grant).await;
    }

    /// A SAML connection of Acme's; `extra` merges into it.
    pub async fn saml(&self, name: &str, metadata_xml: &str, extra: &Value) -> Value {
        let mut connection = json!({"name": name, "strategy": "saml", "organization": "acme",
            "display_name": "Acme SSO", "domains": ["customer.example"],
            "options": {"metadata_xml": metadata_xml}});
        merge(&mut connection, extra);
        self.app.admin.create("/connections", &connection).await
    }

    /// A SAML connection of Acme's to pysaml2, which then knows us by our own metadata.
    pub async fn saml_at(&self, idp: &Peer, name: &str, variant: &str, extra: &Value) -> Value {
        let metadata = self.fetch(&idp.url(&format!("/metadata/{variant}"))).await;
        let connection = self.saml(name, &metadata, extra).await;
        let ours = self.fetch(connection["urls"]["metadata"].as_str().unwrap()).await;
        let taken = self.app.http.post(idp.url("/sp")).body(ours).send().await.unwrap();
        assert_eq!(taken.status(), StatusCode::NO_CONTENT);
        connection
    }

    /// A scene with the connection `acme-saml`, where Alice signs in without a click.
    pub async fn with_login() -> Option<Self> {
        let idp = peers::pysaml2().await?;
        let scene = Self::set().await;
        scene.saml_at(idp, "acme-saml", "style=okta", &json!({"vendor": "okta"})).await;
        Some(scene)
    }

    /// An OIDC connection of Acme's; `extra` merges into it.
    pub async fn oidc(&self, name: &str, issuer: &str, extra: &Value) -> Value {
        let mut connection = json!({"name": name, "strategy": "oidc", "organization": "acme",
            "display_name": "Acme sign-in", "domains": ["customer.example"],
            "options": {"issuer": issuer, "client_id": "broker", "client_secret": "broker-secret"}});
        merge(&mut connection, extra);
        self.app.admin.create("/connections", &connection).await
    }

    /// A browser that stops at the app.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(REDIRECT_URI)
    }

    /// The usual authorization request of the app; `changes` replace or add parameters, or remove those with an empty value.
    #[must_use]
    pub fn authorize(&self, changes: &[(&str, &str)]) -> String {
        let usual = [
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", "openid profile email read:data"),
            ("state", "state-of-the-app"),
            ("nonce", "nonce-of-the-app"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let mut query = Serializer::new(String::new());
        let changed = |name: &str| changes.iter().any(|(n, _)| *n == name);
        query.extend_pairs(usual.iter().filter(|(name, _)| !changed(name)));
        query.extend_pairs(changes.iter().filter(|(_, value)| !value.is_empty()));
        self.app.url(&format!("/authorize?{}", query.finish()))
    }

    /// Opens the authorization request at a connection and goes as far as the browser can alone.
    pub async fn start(&self, browser: &mut Browser, connection: &str) -> Landing {
        browser.open(&self.authorize(&[("connection", connection)])).await
    }

    /// The code at the client; checks `state` and `iss` (RFC 9207).
    ///
    /// # Panics
    /// With the page and the login trace where the login ended otherwise.
    pub async fn code(&self, landing: Landing) -> String {
        let answer = self.answer(landing).await;
        self.parameter(&answer, "code")
            .unwrap_or_else(|| panic!("no code in the answer: {answer:?}"))
    }

    /// The error at the client; checks `state` and `iss`.
    pub async fn error(&self, landing: Landing) -> String {
        let answer = self.answer(landing).await;
        self.parameter(&answer, "error").unwrap_or_else(|| panic!("no error in {answer:?}"))
    }

    async fn answer(&self, landing: Landing) -> Vec<(String, String)> {
        let answer = match landing {
            Landing::Client(answer) => answer,
            Landing::Page(page) => panic!("{}", self.explain(&page).await),
        };
        assert_eq!(self.parameter(&answer, "state").as_deref(), Some("state-of-the-app"));
        assert_eq!(self.parameter(&answer, "iss").as_deref(), Some(self.app.issuer.as_str()));
        answer
    }

    fn parameter(&self, answer: &[(String, String)], name: &str) -> Option<String> {
        answer.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }

    /// A page with its login trace, for a failing test's output.
    pub async fn explain(&self, page: &Page) -> String {
        let trace = match page.reference() {
            Some(reference) => {
                format!(
                    "{:#}",
                    self.app.admin.get(&format!("/login-traces/{reference}")).await.json
                )
            }
            None => "no reference".to_owned(),
        };
        let words = page.text();
        format!("{} at {}: {words}\n{trace}", page.status, page.url)
    }

    /// Asserts that a login ended on our page with this status, and its trace with this code; gives the trace.
    pub async fn refused(&self, landing: Landing, status: u16, code: &str) -> Value {
        let page = landing.page();
        assert_eq!(page.status.as_u16(), status, "{}", self.explain(&page).await);
        assert!(page.url.as_str().starts_with(&self.app.issuer), "not our page: {}", page.url);
        let reference = page.reference();
        let reference = reference.unwrap_or_else(|| panic!("no reference: {}", page.body));
        let trace = self.app.admin.trace(&reference).await;
        assert_eq!(trace["code"], code, "{trace:#}");
        assert_ne!(trace["outcome"], "succeeded", "{trace:#}");
        let failed = |check: &&Value| check["code"] == code && check["outcome"] == "failed";
        let checks = trace["checks"].as_array().unwrap();
        assert_eq!(checks.iter().filter(failed).count(), 1, "{trace:#}");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        trace
    }

    /// Redeems a code as the app does.
    pub async fn redeem(&self, code: &str) -> TokenAnswer {
        self.token(
            Some((CLIENT, &self.secret)),
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", VERIFIER),
            ],
        )
        .await
    }

    /// The app's credentials.
    #[must_use]
    pub fn credentials(&self) -> (&str, &str) {
        (CLIENT, &self.secret)
    }

    /// Any request to the token endpoint, with `client_secret_basic` where credentials are given.
    pub async fn token(&self, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> TokenAnswer {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = self
            .app
            .http
            .post(self.app.url("/oauth/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        if let Some((id, secret)) = basic {
            let pair = STANDARD.encode(format!("{id}:{secret}"));
            request = request.header("authorization", format!("Basic {pair}"));
        }
        let response = request.send().await.unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name).map(|v| v.to_str().unwrap());
            value.unwrap_or_default().to_owned()
        };
        let status = response.status();
        let (cache_control, authenticate) = (header("cache-control"), header("www-authenticate"));
        let json = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
        TokenAnswer { status, cache_control, authenticate, json }
    }

    /// The whole end of a login: code, tokens, both verified by another library against our JWKS, `/userinfo` in agreement.
    /// Gives the access token's and the ID token's claims.
    pub async fn tokens(&self, landing: Landing) -> (Value, Value) {
        let code = self.code(landing).await;
        let answer = self.redeem(&code).await;
        assert_eq!(answer.status, StatusCode::OK, "{:#}", answer.json);
        assert_eq!(answer.cache_control, "no-store");
        assert_eq!(answer.json["token_type"], "Bearer");
        assert_eq!(answer.json["scope"], "openid profile email read:data");
        let keys = jose::jwks(&self.app.http, &self.app.issuer).await;
        let read = |name: &str, audience: &str| -> Verified {
            let token = answer.json[name].as_str().unwrap();
            jose::verify(&keys, token, &self.app.issuer, audience).unwrap()
        };
        let (access, id) = (read("access_token", API), read("id_token", CLIENT));
        assert_eq!(access.typ.as_deref(), Some("at+jwt"));
        assert_eq!(access.alg, jsonwebtoken::Algorithm::ES256);
        assert_eq!(access.claims["client_id"], CLIENT);
        assert_eq!(id.alg, jsonwebtoken::Algorithm::RS256);
        assert_eq!(id.claims["nonce"], "nonce-of-the-app");
        assert_eq!(id.claims["sub"], access.claims["sub"]);
        let info = self.userinfo(answer.json["access_token"].as_str().unwrap()).await;
        assert_eq!(info["sub"], access.claims["sub"]);
        assert_eq!(info["email"], id.claims["email"]);
        (access.claims, id.claims)
    }

    /// `GET /userinfo`
    pub async fn userinfo(&self, token: &str) -> Value {
        let request = self.app.http.get(self.app.url("/userinfo"));
        let response =
            request.header("authorization", format!("Bearer {token}")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    /// The document at an address.
    pub async fn fetch(&self, url: &str) -> String {
        let response = self.app.http.get(url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{url}");
        response.text().await.unwrap()
    }
}

/// Metadata of an IdP that nobody signs in at.
#[must_use]
pub fn idle_metadata(host: &str) -> String {
    let pem = include_str!("../vectors/saml/keys/idp.crt");
    let certificate: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://{host}/saml"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://{host}/sso"/></IDPSSODescriptor></EntityDescriptor>"#
    )
}

/// Unverified: what a token says, for a look at its claims.
#[must_use]
pub fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// RFC 7396.
pub fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        patch.clone_into(into);
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        merge(&mut into[key], value);
    }
}
