//! Upstream IdPs in this process that sign for real: the demo's, for tests that need thousands of logins and no packages.

use std::net::TcpListener;
use std::sync::Arc;

use broker::clock::SystemClock;
use broker::demo::oidc_idp::{OidcIdp, RelyingParty};
use broker::demo::saml_idp::SamlIdp;
use broker::demo::user::SampleUser;
use homerealm_certs::SystemRandom;
use serde_json::json;

use crate::scene::{Scene, USER};

/// Names of the connections that [`SampleIdps::connect`] makes.
pub const CONNECTIONS: [&str; 2] = ["acme-saml", "acme-oidc"];

/// One of each protocol; both sign [`USER`] in.
#[derive(Debug)]
pub struct SampleIdps {
    saml: SamlIdp,
    oidc: OidcIdp,
}

impl SampleIdps {
    /// On free ports, until the process ends.
    #[must_use]
    pub fn start() -> Self {
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let user = SampleUser { email: USER.to_owned(), ..SampleUser::alice() };
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let saml = SamlIdp::start(listen(), user.clone(), clock.clone(), random.clone()).unwrap();
        let oidc = OidcIdp::start(listen(), user, clock, random).unwrap();
        Self { saml, oidc }
    }

    /// Makes the connections, and tells the IdPs of the broker.
    pub async fn connect(&self, scene: &Scene) {
        let metadata = scene.fetch(self.saml.metadata_url()).await;
        let made = scene.saml(CONNECTIONS[0], &metadata, &json!({})).await;
        let url =
            |made: &serde_json::Value, name: &str| made["urls"][name].as_str().unwrap().to_owned();
        self.saml.trust(&url(&made, "entity_id"), &url(&made, "acs"));
        let made = scene.oidc(CONNECTIONS[1], self.oidc.issuer(), &json!({})).await;
        self.oidc.register(RelyingParty {
            client_id: "broker".to_owned(),
            client_secret: "broker-secret".to_owned(),
            redirect_uri: url(&made, "callback"),
        });
    }
}
