//! A sample OpenID Provider: discovery, keys, authorization endpoint with one user, token endpoint with client
//! authentication and PKCE, and answers with one fault each for those who want to see a login fail.

mod fault;
mod grants;
mod token;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use homerealm_certs::{JwsAlgorithm, Random, SigningKey};
use serde_json::json;
use url::Url;

use super::DemoError;
use super::pages::{self, FaultChoice, IdpPage};
use super::server::{self, Served};
use super::user::SampleUser;
use crate::clock::Clock;
use crate::ids;
use crate::oauth::params::Params;
use crate::oauth::pkce::CodeChallenge;
use grants::{Grant, Grants};

pub use fault::OidcFault;

/// The running OpenID Provider.
#[derive(Clone, Debug)]
pub struct OidcIdp {
    served: Served,
    state: Data<State>,
}

/// A registered client of the OpenID Provider: the broker.
#[derive(Clone)]
pub struct RelyingParty {
    /// Its client id.
    pub client_id: String,
    /// Sent by HTTP Basic.
    pub client_secret: String,
    /// Its only callback.
    pub redirect_uri: String,
}

struct State {
    issuer: String,
    key: SigningKey,
    /// Not in the key set.
    other_key: SigningKey,
    user: SampleUser,
    parties: RwLock<Vec<RelyingParty>>,
    grants: Mutex<Grants>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// A checked authorization request.
struct Asked {
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    nonce: Option<String>,
    challenge: CodeChallenge,
}

/// Sent back with the click.
const PARAMETERS: [&str; 9] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
];

impl OidcIdp {
    /// Serves on this socket, whose address is the issuer.
    ///
    /// # Errors
    /// [`DemoError`].
    pub fn start(
        listener: TcpListener,
        user: SampleUser,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, DemoError> {
        let issuer = server::origin(&listener).map_err(super::system("a socket"))?;
        let key = || {
            // what every relying party must take (OIDC Core §3.1.3.7)
            SigningKey::generate(JwsAlgorithm::Rs256).map_err(|e| DemoError::Key(e.to_string()))
        };
        let state = Data::new(State {
            issuer,
            key: key()?,
            other_key: key()?,
            user,
            parties: RwLock::default(),
            grants: Mutex::default(),
            clock,
            random,
        });
        let data = state.clone();
        let served = server::serve(listener, move |routes| {
            routes
                .app_data(data.clone())
                .route("/.well-known/openid-configuration", web::get().to(discovery))
                .route("/jwks", web::get().to(jwks))
                .route("/token", web::post().to(token::token))
                .service(
                    web::resource("/authorize")
                        .route(web::get().to(ask))
                        .route(web::post().to(answer)),
                );
        });
        Ok(Self { served: served.map_err(super::system("a server"))?, state })
    }

    /// Registers a client.
    pub fn register(&self, party: RelyingParty) {
        self.state.parties.write().unwrap_or_else(PoisonError::into_inner).push(party);
    }

    /// The exact text of `iss`.
    pub fn issuer(&self) -> &str {
        &self.state.issuer
    }

    /// Where it answers.
    pub fn served(&self) -> &Served {
        &self.served
    }
}

/// OIDC Discovery §3.
async fn discovery(state: Data<State>) -> HttpResponse {
    let issuer = &state.issuer;
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "scopes_supported": ["openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn jwks(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(json!({"keys": [state.key.public_jwk()]}))
}

/// `GET /authorize`: the page with the one user.
async fn ask(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string()).unwrap_or_default();
    if state.read(&params).is_none() {
        return unreadable();
    }
    let hidden: Vec<_> =
        PARAMETERS.iter().filter_map(|name| Some((*name, params.get(name)?))).collect();
    let faults: Vec<_> = OidcFault::ALL
        .iter()
        .map(|fault| FaultChoice { value: fault.as_str(), label: fault.label() })
        .collect();
    pages::page(
        StatusCode::OK,
        &IdpPage {
            protocol: "OpenID Connect",
            user: &state.user,
            action: "/authorize",
            hidden: &hidden,
            faults: &faults,
        },
    )
}

/// `POST /authorize`: what the click answers (RFC 6749 §4.1.2, RFC 9207).
async fn answer(state: Data<State>, body: String) -> HttpResponse {
    let params = Params::parse(&body).unwrap_or_default();
    let Some(asked) = state.read(&params) else { return unreadable() };
    let fault = match params.get("answer") {
        Some("sign_in") => None,
        Some("decline") => return state.redirect(&asked, ("error", "access_denied"), None),
        Some(other) => match OidcFault::parse(other) {
            Some(fault) => Some(fault),
            None => return unreadable(),
        },
        None => return unreadable(),
    };
    let code = ids::secret(state.random.as_ref());
    let grant = Grant {
        client_id: asked.client_id.clone(),
        redirect_uri: asked.redirect_uri.clone(),
        nonce: asked.nonce.clone(),
        challenge: asked.challenge.clone(),
        fault,
        at: state.clock.now(),
    };
    state.grants.lock().unwrap_or_else(PoisonError::into_inner).put(code.clone(), grant);
    state.redirect(&asked, ("code", &code), fault)
}

impl State {
    /// Only registered clients at their registered callback, with PKCE by S256.
    fn read(&self, params: &Params) -> Option<Asked> {
        let text = |name: &str| params.get(name).map(str::to_owned);
        let asked = Asked {
            client_id: text("client_id")?,
            redirect_uri: text("redirect_uri")?,
            state: text("state"),
            nonce: text("nonce"),
            challenge: CodeChallenge::try_from(text("code_challenge")?).ok()?,
        };
        let is = |name: &str, value: &str| params.get(name) == Some(value);
        let openid = params.get("scope")?.split(' ').any(|scope| scope == "openid");
        let party = self.party(&asked.client_id)?;
        let fits = is("response_type", "code")
            && is("code_challenge_method", "S256")
            && openid
            && party.redirect_uri == asked.redirect_uri;
        fits.then_some(asked)
    }

    fn party(&self, client_id: &str) -> Option<RelyingParty> {
        let parties = self.parties.read().unwrap_or_else(PoisonError::into_inner);
        parties.iter().find(|party| party.client_id == client_id).cloned()
    }

    fn redirect(
        &self,
        asked: &Asked,
        result: (&str, &str),
        fault: Option<OidcFault>,
    ) -> HttpResponse {
        let Ok(mut url) = Url::parse(&asked.redirect_uri) else { return unreadable() };
        let iss = match fault {
            Some(OidcFault::ResponseIssuer) => fault::OTHER_ISSUER,
            Some(_) | None => &self.issuer,
        };
        url.query_pairs_mut().append_pair(result.0, result.1).append_pair("iss", iss);
        if let Some(state) = &asked.state {
            url.query_pairs_mut().append_pair("state", state);
        }
        HttpResponse::SeeOther().insert_header((header::LOCATION, url.as_str())).finish()
    }
}

fn unreadable() -> HttpResponse {
    pages::problem(
        StatusCode::BAD_REQUEST,
        "This page opens only from a sign-in",
        "It was opened without a request of the demo's broker. Start at the sample app.",
    )
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OidcIdp({})", self.issuer)
    }
}

impl std::fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RelyingParty({})", self.client_id)
    }
}
