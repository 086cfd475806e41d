//! An OpenID Provider that is fast enough for a hundred thousand logins and says yes to everybody. What real ones do is tested
//! with real ones ([`crate::peers`]).

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Form, Query};
use actix_web::{App, HttpResponse, HttpServer, web};
use broker::clock::Clock as _;
use homerealm_certs::{JwsAlgorithm, SigningKey, sign_compact};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use url::Url;

use crate::clock::ShiftedClock;

/// Runs until it is dropped.
#[derive(Debug)]
pub struct SampleOidc {
    /// `http://127.0.0.1:PORT`
    pub issuer: String,
    serving: JoinHandle<std::io::Result<()>>,
}

struct State {
    issuer: String,
    key: SigningKey,
    clock: Arc<ShiftedClock>,
    logins: AtomicUsize,
    users: usize,
}

type Parameters = std::collections::HashMap<String, String>;

impl SampleOidc {
    /// On a free port; so many users sign in, one after the other.
    #[must_use]
    pub fn start(users: usize, clock: &Arc<ShiftedClock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
        let (clock, logins) = (Arc::clone(clock), AtomicUsize::new(0));
        let state = State { issuer: issuer.clone(), key, clock, logins, users };
        let data = Data::new(state);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/.well-known/openid-configuration", web::get().to(discovery))
                .route("/jwks", web::get().to(jwks))
                .route("/authorize", web::get().to(authorize))
                .route("/token", web::post().to(token))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap();
        Self { issuer, serving: tokio::spawn(server.run()) }
    }
}

impl Drop for SampleOidc {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn discovery(state: Data<State>) -> HttpResponse {
    let at = |path: &str| format!("{}/{path}", state.issuer);
    HttpResponse::Ok().json(json!({
        "issuer": state.issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "jwks_uri": at("jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn jwks(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(json!({"keys": [state.key.public_jwk()]}))
}

/// The code is the nonce: nothing has to be remembered.
async fn authorize(query: Query<Parameters>) -> HttpResponse {
    let mut back = Url::parse(&query["redirect_uri"]).unwrap();
    back.query_pairs_mut()
        .append_pair("code", &query["nonce"])
        .append_pair("state", &query["state"]);
    HttpResponse::SeeOther().insert_header((LOCATION, back.as_str())).finish()
}

async fn token(state: Data<State>, form: Form<Parameters>) -> HttpResponse {
    let user = state.logins.fetch_add(1, Ordering::Relaxed) % state.users;
    let now = state.clock.now().timestamp();
    let claims: Value = json!({
        "iss": state.issuer, "sub": format!("user-{user}"), "aud": "broker", "nonce": form["code"],
        "iat": now, "exp": now + 60, "email": format!("user-{user}@customer.example"),
        "email_verified": true, "name": format!("User {user}"),
    });
    let id_token = sign_compact(&state.key, "JWT", &claims).unwrap();
    HttpResponse::Ok().json(json!({
        "access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": id_token,
    }))
}
