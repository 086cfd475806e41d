//! A sample third-party site: signs people in through the broker, and shows what it got and what the API says to it.

mod login;
mod visitors;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use homerealm_certs::Random;
use homerealm_connectors::http::Secret;
use serde_json::Value;
use url::Url;

use super::pages::{self, AccountPage, ApiAnswer, HomePage};
use super::server::{self, Served};
use super::trusted_issuer::TrustedIssuer;
use crate::clock::Clock;
use crate::ids;
use crate::oauth::params::Params;
use login::Login;
use visitors::{SignedIn, Visitors};

pub(super) use login::Registration;

/// What the site is started with.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) registration: Registration,
    pub(super) issuer: Arc<TrustedIssuer>,
    /// `GET` with an access token.
    pub(super) api: Url,
    /// Where an operator looks.
    pub(super) operator: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
}

struct State {
    login: Login,
    api: Url,
    operator: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    cookie: String,
    visitors: Mutex<Visitors>,
}

/// Bytes of the API's answer.
const ANSWER: usize = 64 * 1024;

impl Site {
    /// Serves on this socket.
    pub(super) fn serve(self, listener: TcpListener) -> std::io::Result<Served> {
        let state = Data::new(State {
            login: Login::new(self.registration, self.issuer),
            api: self.api,
            operator: self.operator,
            clock: self.clock,
            random: self.random,
            // ports share cookies (RULES 37)
            cookie: format!("sample_site_{}", listener.local_addr()?.port()),
            visitors: Mutex::default(),
        });
        server::serve(listener, move |routes| {
            routes
                .app_data(state.clone())
                .route("/", web::get().to(home))
                .route("/login", web::get().to(start))
                .route("/callback", web::get().to(callback))
                .route("/logout", web::post().to(logout));
        })
    }
}

async fn home(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let visitor = state.session(&request).and_then(|id| state.visitors().signed_in(&id));
    match visitor {
        Some(visitor) => state.account(&visitor).await,
        None => {
            let page = HomePage { operator: &state.operator, problem: None };
            pages::page(StatusCode::OK, &page)
        }
    }
}

/// `GET /login?hint=…`: to the broker.
async fn start(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string()).unwrap_or_default();
    match state.login.begin(params.get("hint"), state.random.as_ref()).await {
        Ok((pending, url)) => {
            let id = ids::secret(state.random.as_ref());
            state.visitors().leave(id.clone(), pending);
            state.redirect(url.as_str(), &id)
        }
        Err(why) => state.problem("The broker does not answer", &why),
    }
}

/// `GET /callback`: the broker's answer (RFC 6749 §4.1.2).
async fn callback(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string()).unwrap_or_default();
    let pending = state.session(&request).and_then(|id| state.visitors().back(&id));
    let Some(pending) = pending else {
        let why = "This browser has no sign-in under way. Start again.";
        return state.problem("Nothing was started here", why);
    };
    match state.login.finish(&pending, &params, state.clock.now()).await {
        Ok(signed_in) => {
            // a new name for what is now worth more
            let id = ids::secret(state.random.as_ref());
            state.visitors().enter(id.clone(), signed_in);
            state.redirect("/", &id)
        }
        Err(why) => state.problem("You are not signed in", &why),
    }
}

async fn logout(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if let Some(id) = state.session(&request) {
        state.visitors().forget(&id);
    }
    HttpResponse::SeeOther().insert_header((header::LOCATION, "/")).finish()
}

impl State {
    fn session(&self, request: &HttpRequest) -> Option<String> {
        request.cookie(&self.cookie).map(|cookie| cookie.value().to_owned())
    }

    fn visitors(&self) -> std::sync::MutexGuard<'_, Visitors> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn redirect(&self, location: &str, session: &str) -> HttpResponse {
        let cookie = Cookie::build(self.cookie.clone(), session.to_owned())
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .finish();
        HttpResponse::SeeOther().insert_header((header::LOCATION, location)).cookie(cookie).finish()
    }

    fn problem(&self, title: &str, text: &str) -> HttpResponse {
        let page = HomePage { operator: &self.operator, problem: Some((title, text)) };
        pages::page(StatusCode::BAD_REQUEST, &page)
    }

    /// What the site got, and what the API says to its access token and to the ID token, which is none.
    async fn account(&self, visitor: &SignedIn) -> HttpResponse {
        let answer = self.ask(&visitor.access_token).await;
        let refusal = self.ask(&visitor.id_token).await;
        let text = |name: &str| visitor.claims.get(name).and_then(Value::as_str).unwrap_or("");
        let (header, payload) = login::shown(&visitor.access_token);
        let page = AccountPage {
            name: text("name"),
            email: text("email"),
            claims: &pages::pretty(&Value::Object(visitor.claims.clone())),
            token_header: &pages::pretty(&header),
            token_payload: &pages::pretty(&payload),
            token: &visitor.access_token,
            api: self.api.as_str(),
            answer: &answer,
            refusal: &refusal,
            operator: &self.operator,
        };
        pages::page(StatusCode::OK, &page)
    }

    async fn ask(&self, token: &str) -> ApiAnswer {
        let token = Secret::from(token.to_owned());
        let outbound = self.login.issuer().outbound();
        match outbound.get_bearer(&self.api, "application/json", &token, ANSWER).await {
            Ok(fetched) => ApiAnswer {
                status: fetched.status,
                body: pages::pretty(&serde_json::from_slice(&fetched.body).unwrap_or_default()),
            },
            Err(error) => ApiAnswer { status: 0, body: error.to_string() },
        }
    }
}
