//! An OpenID Provider: discovery, keys, and a token endpoint that answers with the claims that the test sets.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use actix_web::{App, HttpResponse, HttpServer, web};
use homerealm_certs::{JwsAlgorithm, SigningKey, sign_compact};
use serde_json::{Value, json};

use crate::catalog::{Connection, ConnectionOptions};
use crate::login::fixtures::{now, oidc};

pub(crate) struct Op {
    pub(crate) issuer: String,
    state: Data<State>,
    server: ServerHandle,
}

struct State {
    issuer: String,
    key: SigningKey,
    claims: Mutex<Value>,
    redeemed: AtomicUsize,
}

impl Op {
    pub(crate) async fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = Data::new(State {
            issuer: issuer.clone(),
            key: SigningKey::generate(JwsAlgorithm::Es256).unwrap(),
            claims: Mutex::new(Value::Null),
            redeemed: AtomicUsize::new(0),
        });
        let data = state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/.well-known/openid-configuration", web::get().to(discovery))
                .route("/jwks", web::get().to(jwks))
                .route("/token", web::post().to(token))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { issuer, state, server: handle }
    }

    /// `acme-oidc` at this OP.
    pub(crate) fn connection(&self) -> Connection {
        let mut connection = oidc();
        if let ConnectionOptions::Oidc(options) = &mut connection.options {
            options.issuer = Some(self.issuer.clone());
        }
        connection
    }

    /// The next ID token: a good one, changed.
    pub(crate) fn will_say(&self, nonce: &str, change: impl FnOnce(&mut Value)) {
        let mut claims = json!({
            "iss": self.issuer, "sub": "u-1", "aud": "homerealm", "nonce": nonce,
            "iat": now().timestamp(), "exp": now().timestamp() + 300,
            "email": "alice@acme.example", "email_verified": true, "name": "Alice",
        });
        change(&mut claims);
        *self.state.claims.lock().unwrap() = claims;
    }

    /// How many codes were redeemed.
    pub(crate) fn redeemed(&self) -> usize {
        self.state.redeemed.load(Ordering::SeqCst)
    }

    pub(crate) async fn stop(self) {
        self.server.stop(false).await;
    }
}

async fn discovery(state: Data<State>) -> HttpResponse {
    let issuer = &state.issuer;
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn jwks(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(json!({"keys": [state.key.public_jwk()]}))
}

async fn token(state: Data<State>) -> HttpResponse {
    state.redeemed.fetch_add(1, Ordering::SeqCst);
    let claims = state.claims.lock().unwrap().clone();
    let id_token = sign_compact(&state.key, "JWT", &claims).unwrap();
    HttpResponse::Ok().json(json!({
        "access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": id_token,
    }))
}
