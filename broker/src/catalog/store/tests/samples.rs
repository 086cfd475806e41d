//! Good values to start from, and a catalog in a temporary folder.

use chrono::{DateTime, Utc};
use homerealm_certs::SystemRandom;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::{Any, AnyConnection, AssertSqlSafe, Connection as _};
use tempfile::TempDir;
use url::Url;

use crate::catalog::{
    Arrival, Behind, Catalog, Client, ClientGrant, Connection, DomainName, EndedLogin, Identity,
    LoginRecord, LoginTrace, Name, NormalizedClaims, Organization, ResourceServer,
};
use crate::ids;
use crate::seal::{MasterKey, Sealer};

const NOW: &str = "2030-01-01T00:00:00Z";

/// A catalog and the folder that it lives in.
pub(super) struct Store {
    pub(super) catalog: Catalog,
    pub(super) folder: TempDir,
    url: String,
}

impl Store {
    /// On the PostgreSQL server that `HOMEREALM_TEST_POSTGRES` names, in a database of its own; without one, on SQLite.
    pub(super) async fn new() -> Self {
        match std::env::var("HOMEREALM_TEST_POSTGRES") {
            Ok(server) => Self::at(postgres(&server).await).await,
            Err(_) => Self::sqlite().await,
        }
    }

    pub(super) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = url(&folder);
        let catalog = Catalog::open(&url, &sealer(1)).await.unwrap();
        Self { catalog, folder, url }
    }

    pub(super) async fn at(url: String) -> Self {
        let catalog = Catalog::open(&url, &sealer(1)).await.unwrap();
        Self { catalog, folder: tempfile::tempdir().unwrap(), url }
    }

    /// With organizations acme and globex, and connection acme-saml of acme.
    pub(super) async fn filled() -> Self {
        let store = Self::new().await;
        store.catalog.insert(&organization("acme")).await.unwrap();
        store.catalog.insert(&organization("globex")).await.unwrap();
        store.catalog.insert(&connection("acme-saml", Some("acme"), &[])).await.unwrap();
        store
    }

    /// Another process on the same database.
    pub(super) async fn other_node(&self) -> Catalog {
        Catalog::open_shared(&self.url, &sealer(1)).await.unwrap()
    }

    pub(super) async fn reopen(self) -> Self {
        self.catalog.close().await;
        let catalog = Catalog::open(&self.url, &sealer(1)).await.unwrap();
        Self { catalog, ..self }
    }
}

/// Makes an empty database on a server and gives its URL.
pub(super) async fn postgres(server: &str) -> String {
    sqlx::any::install_default_drivers();
    let name = format!("catalog_{}", ids::transaction(&SystemRandom));
    let mut connection = AnyConnection::connect(server).await.unwrap();
    let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query::<Any>(create).execute(&mut connection).await.unwrap();
    let mut url = Url::parse(server).unwrap();
    url.set_path(&name);
    url.into()
}

pub(super) fn url(folder: &TempDir) -> String {
    format!("sqlite:{}/data/homerealm.db", folder.path().display())
}

pub(super) fn sealer(byte: u8) -> Sealer {
    Sealer::new(&MasterKey::new([byte; 32])).unwrap()
}

pub(super) fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

pub(super) fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

pub(super) fn domain(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

pub(super) fn organization(name: &str) -> Organization {
    from(json!({"id": format!("org_{name}"), "name": name, "display_name": name, "domains": [],
                "enabled": true, "created_at": NOW, "updated_at": NOW}))
}

/// An organization that holds these domains; those that start with `?` unverified.
pub(super) fn holding(name: &str, domains: &[&str]) -> Organization {
    let domains = domains.iter().map(|text| {
        from(json!({"name": text.trim_start_matches('?'), "verified": !text.starts_with('?')}))
    });
    Organization { domains: domains.collect(), ..organization(name) }
}

pub(super) fn connection(name: &str, organization: Option<&str>, domains: &[&str]) -> Connection {
    from(json!({
        "id": format!("con_{name}"), "name": name, "vendor": "generic", "organization": organization,
        "display_name": name, "domains": domains, "is_domain_connection": false, "enabled": true, "clients": ["*"],
        "strategy": "oidc",
        "options": {"issuer": "https://idp.example", "client_id": "x", "sealed_client_secret": null, "scopes": ["openid"],
            "response_mode": null, "token_endpoint_auth_method": null, "acr_values": [], "upstream_params": {},
            "foreign_domains": "refuse", "tenant": null, "allowed_tenants": [], "authority": null,
            "clock_skew_seconds": 60},
        "claims": {}, "created_at": NOW, "updated_at": NOW
    }))
}

pub(super) fn client(id: &str) -> Client {
    from(json!({
        "client_id": id, "client_name": id, "kind": "third_party", "organization": "acme", "redirect_uris": [],
        "grant_types": ["authorization_code"], "token_endpoint_auth_method": "none", "connections": null,
        "id_token_signed_response_alg": "RS256", "client_uri": null, "initiate_login_uri": null, "enabled": true,
        "created_at": NOW, "updated_at": NOW
    }))
}

pub(super) fn api(identifier: &str) -> ResourceServer {
    let id = format!("api_{}", identifier.len());
    from(
        json!({"id": id, "identifier": identifier, "name": "The API", "scopes": [{"value": "read:data"}],
        "token_lifetime_seconds": 3600, "signing_alg": "ES256", "default": false, "created_at": NOW, "updated_at": NOW}),
    )
}

pub(super) fn grant(id: &str, client_id: &str, audience: &str) -> ClientGrant {
    from(json!({"id": id, "client_id": client_id, "audience": audience, "scopes": ["read:data"],
        "subject_type": "user", "created_at": NOW, "updated_at": NOW}))
}

pub(super) fn trace(number: u32) -> LoginTrace {
    from(
        json!({"id": format!("ltr_{number:04}"), "reference": format!("REF-{number:04}"), "at": NOW,
        "outcome": "failed", "code": "saml_audience_mismatch", "connection": "acme-saml", "client_id": null, "checks": []}),
    )
}

pub(super) fn ended(trace: LoginTrace) -> EndedLogin {
    EndedLogin { trace, entry: None, behind: Behind::Statement }
}

pub(super) fn identity(subject: &str) -> Identity {
    Identity {
        connection: name("acme-saml"),
        issuer: "https://idp.example".to_owned(),
        subject: subject.to_owned(),
    }
}

pub(super) fn login(subject: &str, new_user_id: &str) -> LoginRecord {
    LoginRecord {
        identity: identity(subject),
        claims: NormalizedClaims { name: Some("Ada".to_owned()), ..NormalizedClaims::default() },
        organizations: vec![name("acme")],
        new_user_id: new_user_id.to_owned(),
        arrival: Arrival::default(),
        now: now(),
    }
}

fn from<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}
