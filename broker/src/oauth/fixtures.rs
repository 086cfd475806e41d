//! A broker in a temporary folder, with one organization, one connection, one API, some clients and a user.

pub(crate) mod buying;
pub(crate) mod signing;

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{JwsAlgorithm, SystemRandom};
use homerealm_connectors::assertion::Subject;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::authorize::validate;
use super::code::{self, AuthorizationGrant, Gives, Login};
use super::params::Params;
use super::pkce::CodeChallenge;
use super::scope::OIDC_SCOPES;
use crate::app::App;
use crate::catalog::{
    Client, ClientGrant, Connection, GrantHolder, Identity, LoginRecord, NormalizedClaims,
    Organization, Resource, ResourceServer, SubjectType, User,
};
use crate::clock::Clock;
use crate::config::Config;
use crate::ids;
use crate::login::ending::Ending;
use crate::login::session::UpstreamSession;
use crate::login::trace::Trail;
use crate::login::{Access, ApiAccess, Browser, CompletedLogin};
use crate::startup::{Running, Startup, start};

/// First-party, confidential, by HTTP Basic; registered for all grants.
pub(crate) const WEB: &str = "app_web";
/// First-party and public.
pub(crate) const SPA: &str = "app_spa";
/// First-party, confidential, by form parameters; acts as itself only.
pub(crate) const MACHINE: &str = "app_machine";
/// Third-party of acme, public.
pub(crate) const PORTAL: &str = "tpc_portal";
pub(crate) const SECRET: &str = "w9pXq1m5TtZk3Vb7sC0rYhJ2uLgNe8aD4iF6oQxKzPM";
pub(crate) const API: &str = "https://api.example";
pub(crate) const CALLBACK: &str = "https://app.example/cb";
pub(crate) const LOOPBACK: &str = "http://127.0.0.1/cb";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A clock that stands until it is moved.
#[derive(Debug)]
pub(crate) struct StandingClock(Mutex<DateTime<Utc>>);

/// A running broker and what its tests move.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) running: Running,
    pub(crate) clock: Arc<StandingClock>,
    _folder: TempDir,
}

impl StandingClock {
    pub(crate) fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += TimeDelta::seconds(seconds);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

impl Broker {
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more sections of configuration.
    pub(crate) async fn start_with(sections: &str) -> Self {
        Self::start_in(sections, &[]).await
    }

    /// With an environment too.
    pub(crate) async fn start_in(sections: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite:{}/hr.db\"\n[limits]\nenabled = false\n{sections}",
            folder.path().display()
        );
        let config = Config::from_toml(
            &text,
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let config = config.unwrap();
        let clock = Arc::new(StandingClock(Mutex::new("2030-01-01T00:00:00Z".parse().unwrap())));
        let random = Arc::new(SystemRandom);
        let running = start(Startup { config, clock: clock.clone(), random }).await.unwrap();
        let broker = Self { running, clock, _folder: folder };
        broker.fill().await;
        broker
    }

    pub(crate) fn app(&self) -> &App {
        &self.running.app
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn issuer(&self) -> &str {
        self.running.issuer().as_str()
    }

    /// Changes an object of the catalog.
    pub(crate) async fn change<T: Resource>(&self, id: &str, change: impl FnOnce(&mut T)) {
        let mut object = T::clone(&self.app().catalog.get::<T>(id).await.unwrap().unwrap());
        change(&mut object);
        self.app().catalog.update(&object, None).await.unwrap();
    }

    pub(crate) async fn user(&self) -> Arc<User> {
        let identity = identity();
        self.app().catalog.user_by_identity(&identity).await.unwrap().unwrap()
    }

    /// What the user's login established.
    pub(crate) async fn login(&self) -> Login {
        let organization =
            self.app().catalog.get::<Organization>("acme").await.unwrap().unwrap().object;
        Login {
            user_id: self.user().await.id.clone(),
            connection: "acme-oidc".to_owned().try_into().unwrap(),
            organization: Some(organization.as_ref().into()),
            auth_time: Some(self.now()),
            acr: Some("urn:example:two-factor".to_owned()),
            amr: vec!["otp".to_owned()],
            signed_in_at: Some(self.now()),
            session: None,
            claims: self.user().await.claims.clone(),
        }
    }

    /// A login of the user that `params` asked for.
    pub(crate) async fn completed(&self, params: &Params) -> CompletedLogin {
        let login = self.login().await;
        let request = validate(self.app(), params).await.unwrap();
        CompletedLogin {
            ending: Ending::fixture(request.clone()),
            request,
            user: self.user().await,
            connection: login.connection,
            organization: Some(
                self.app().catalog.get::<Organization>("acme").await.unwrap().unwrap().object,
            ),
            auth_time: login.auth_time,
            acr: login.acr,
            amr: login.amr,
            claims: login.claims,
            upstream: UpstreamSession {
                issuer: "https://idp.acme.example".to_owned(),
                subject: Subject::bare("248289761001".to_owned()),
                session_index: None,
                ends_at: None,
            },
            trail: Trail::default(),
        }
    }

    /// What a code of [`WEB`] stands for.
    pub(crate) async fn grant(&self) -> AuthorizationGrant {
        AuthorizationGrant {
            family: code::new_family(&SystemRandom),
            client_id: WEB.to_owned(),
            redirect_uri: CALLBACK.to_owned(),
            code_challenge: CodeChallenge::try_from(CHALLENGE.to_owned()).unwrap(),
            dpop_jkt: None,
            gives: Some(Gives {
                access: access(&["openid", "profile", "email", "read"]),
                nonce: Some("n-1".to_owned()),
                login: self.login().await,
                given_at: self.now(),
            }),
        }
    }

    /// The same with a refresh token.
    pub(crate) async fn offline_grant(&self) -> AuthorizationGrant {
        let mut grant = self.grant().await;
        let gives = grant.gives.as_mut().unwrap();
        gives.access = access(&["openid", "email", "offline_access", "read", "write"]);
        grant
    }

    /// A code for `grant`.
    pub(crate) async fn code(&self, grant: &AuthorizationGrant) -> String {
        code::issue(&self.app().records, grant, &SystemRandom, self.now()).await.unwrap()
    }

    async fn fill(&self) {
        let catalog = &self.app().catalog;
        let at = self.now();
        catalog.insert(&organization(at)).await.unwrap();
        catalog.insert(&connection(at)).await.unwrap();
        catalog.insert(&resource_server(at)).await.unwrap();
        for (client, scopes, subject) in clients(at) {
            catalog.insert(&client).await.unwrap();
            catalog.insert(&client_grant(&client.client_id, scopes, subject, at)).await.unwrap();
        }
        catalog
            .record_login(LoginRecord {
                identity: identity(),
                claims: NormalizedClaims {
                    name: Some("Ada".to_owned()),
                    email: Some("ada@acme.example".to_owned()),
                    email_verified: Some(true),
                    phone_number: Some("+44 1".to_owned()),
                    groups: texts(&["staff"]),
                    ..NormalizedClaims::default()
                },
                organizations: vec!["acme".to_owned().try_into().unwrap()],
                new_user_id: ids::id("usr", &SystemRandom),
                arrival: Default::default(),
                now: at,
            })
            .await
            .unwrap();
    }
}

/// A browser with a login cookie of its own.
pub(crate) fn browser(mark: &str) -> Browser {
    Browser::new(Some(mark.repeat(43)))
}

/// A good authorization request of [`WEB`], with `changes`; `None` leaves a parameter out.
pub(crate) fn request(changes: &[(&str, Option<&str>)]) -> Params {
    Params::parse(&query(changes)).unwrap()
}

/// The same as a query.
pub(crate) fn query(changes: &[(&str, Option<&str>)]) -> String {
    let mut all = vec![
        ("client_id", WEB),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid read"),
        ("audience", API),
        ("state", "s1"),
        ("nonce", "n1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        all.retain(|(known, _)| known != name);
        all.extend(value.map(|value| (*name, value)));
    }
    form(&all)
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Scopes of OpenID Connect and of [`API`].
pub(crate) fn access(scopes: &[&str]) -> Access {
    let is_oidc = |scope: &String| OIDC_SCOPES.contains(&scope.as_str());
    let (oidc_scopes, scopes) = texts(scopes).into_iter().partition(is_oidc);
    Access { oidc_scopes, apis: vec![ApiAccess { audience: API.to_owned(), scopes }] }
}

pub(crate) fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

fn identity() -> Identity {
    Identity {
        connection: "acme-oidc".to_owned().try_into().unwrap(),
        issuer: "https://idp.acme.example".to_owned(),
        subject: "248289761001".to_owned(),
    }
}

fn organization(at: DateTime<Utc>) -> Organization {
    read(json!({
        "id": ids::id("org", &SystemRandom), "name": "acme", "display_name": "Acme Ltd", "enabled": true,
        "domains": [{"name": "acme.example", "verified": true}], "created_at": at, "updated_at": at
    }))
}

fn connection(at: DateTime<Utc>) -> Connection {
    read(json!({
        "id": ids::id("con", &SystemRandom), "name": "acme-oidc", "vendor": "generic", "organization": "acme",
        "display_name": "Acme", "domains": ["acme.example"], "is_domain_connection": false, "enabled": true,
        "clients": ["*"], "claims": {}, "strategy": "oidc", "created_at": at, "updated_at": at,
        "options": {
            "issuer": "https://idp.acme.example", "client_id": "homerealm", "sealed_client_secret": null,
            "scopes": ["openid"], "response_mode": null, "token_endpoint_auth_method": null, "acr_values": [],
            "upstream_params": {}, "foreign_domains": "refuse", "tenant": null, "allowed_tenants": [],
            "authority": null, "clock_skew_seconds": 60
        }
    }))
}

fn resource_server(at: DateTime<Utc>) -> ResourceServer {
    let scope = |value: &str, text: &str| json!({"value": value, "description": text});
    read(json!({
        "id": ids::id("api", &SystemRandom), "identifier": API, "name": "The API",
        "scopes": [scope("read", "Read your data"), scope("write", "Change your data"), scope("admin", "All")],
        "token_lifetime_seconds": 900, "signing_alg": "ES256", "default": false, "created_at": at, "updated_at": at
    }))
}

fn clients(at: DateTime<Utc>) -> [(Client, &'static [&'static str], SubjectType); 5] {
    let code = json!(["authorization_code", "refresh_token"]);
    let all = json!(["authorization_code", "refresh_token", "client_credentials"]);
    let first = json!({"kind": "first_party"});
    let third = json!({"kind": "third_party", "organization": "acme"});
    let basic = "client_secret_basic";
    [
        (client(WEB, &first, &all, basic, at), &["read", "write"], SubjectType::User),
        (client(SPA, &first, &code, "none", at), &["read"], SubjectType::User),
        (client(PORTAL, &third, &code, "none", at), &["read"], SubjectType::User),
        (
            client(MACHINE, &first, &json!(["client_credentials"]), "client_secret_post", at),
            &["read", "write"],
            SubjectType::Client,
        ),
        (client("app_other", &first, &all, basic, at), &["read"], SubjectType::Client),
    ]
}

fn client(id: &str, kind: &Value, grants: &Value, method: &str, at: DateTime<Utc>) -> Client {
    let secret = json!([{"sha256": ids::sha256_hex(SECRET), "created_at": at}]);
    let mut client = json!({
        "client_id": id, "client_name": format!("Name of {id}"), "redirect_uris": [CALLBACK, LOOPBACK],
        "grant_types": grants, "token_endpoint_auth_method": method, "connections": null,
        "secrets": if method == "none" { json!([]) } else { secret },
        "id_token_signed_response_alg": JwsAlgorithm::Rs256, "client_uri": "https://app.example/home",
        "initiate_login_uri": null, "enabled": true, "created_at": at, "updated_at": at
    });
    client.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
    read(client)
}

fn client_grant(
    client_id: &str,
    scopes: &[&str],
    subject_type: SubjectType,
    at: DateTime<Utc>,
) -> ClientGrant {
    ClientGrant {
        id: ids::id("cgr", &SystemRandom),
        holder: GrantHolder::Client { client_id: client_id.to_owned() },
        audience: API.to_owned(),
        scopes: texts(scopes),
        subject_type,
        created_at: at,
        updated_at: at,
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}
