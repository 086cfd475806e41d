//! `GET /home-realm`: the home realm as JSON, for login pages that clients build themselves (DESIGN §3.3).

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use url::Url;

use super::fields::{Pairs, take};
use crate::app::App;
use crate::catalog::{Client, Connection, EmailAddress, Vendor};
use crate::http::error::{FieldError, Problem};
use crate::login::facts::{Question, gather};
use crate::login::failure::Failure;
use crate::login::home_realm::{Decision, Reason, decide};
use crate::login::standing;

#[derive(Serialize)]
struct Answer<'a> {
    connection: Option<Shown<'a>>,
    choices: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    strategy: &'static str,
    vendor: Vendor,
    display_name: &'a str,
}

/// The same for every user of a domain: only the domain is looked at.
pub(super) async fn show(
    app: Data<App>,
    request: HttpRequest,
    query: Query<Pairs>,
) -> HttpResponse {
    let mut query = query.into_inner();
    let client_id = match take(&mut query, "client_id") {
        Ok(Some(client_id)) => client_id,
        Ok(None) => return bad("client_id", "is missing"),
        Err(name) => return bad(name, "was sent more than once"),
    };
    let client = match standing::client(&app, &client_id).await {
        Ok(client) => client,
        Err(Failure::Barred(_)) => return bad("client_id", "is not a client of ours"),
        Err(_) => return away(),
    };
    let origin = allowed_origin(&request, &client);
    let mut response = match take(&mut query, "email") {
        Ok(Some(email)) => look_up(&app, client, &email).await,
        Ok(None) => bad("email", "is missing"),
        Err(name) => bad(name, "was sent more than once"),
    };
    share(&mut response, origin);
    response
}

async fn look_up(app: &App, client: Arc<Client>, email: &str) -> HttpResponse {
    let Ok(address) = EmailAddress::parse(email) else {
        return bad("email", "is not an e-mail address such as user@acme.example");
    };
    let question = Question { email: Some(&address), ..Question::default() };
    let Ok(facts) = gather(app, client, question).await else { return away() };
    let decision = decide(&facts);
    let (connection, choices) = match &decision {
        // the domain is unknown: where this client sends such users is no answer about the domain
        Decision::Choose(_, Reason::Otherwise) | Decision::Connection(_, Reason::Otherwise) => {
            (None, Vec::new())
        }
        Decision::Connection(only, _) => (Some(shown(only)), Vec::new()),
        Decision::Choose(all, _) => (None, all.iter().map(shown).collect()),
        Decision::Ask(_) | Decision::Refused(_) | Decision::Suggest(..) => (None, Vec::new()),
    };
    HttpResponse::Ok().json(Answer { connection, choices })
}

fn shown(connection: &Arc<Connection>) -> Shown<'_> {
    Shown {
        name: connection.name.as_str(),
        strategy: connection.strategy(),
        vendor: connection.vendor,
        display_name: &connection.display_name,
    }
}

fn bad(field: &str, message: &str) -> HttpResponse {
    let mut problem = Problem::new(StatusCode::BAD_REQUEST, format!("`{field}` {message}."));
    problem.errors = vec![FieldError { field: field.to_owned(), message: message.to_owned() }];
    problem.response()
}

fn away() -> HttpResponse {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The database does not answer.").response()
}

/// The request's origin, if it is one of the client's: named, or else of its redirect URIs.
fn allowed_origin(request: &HttpRequest, client: &Client) -> Option<String> {
    let origin = request.headers().get(header::ORIGIN)?.to_str().ok()?;
    let of = |uri: &String| Url::parse(uri).ok().map(|url| url.origin().ascii_serialization());
    let named = &client.web_origins;
    let ours = if named.is_empty() {
        client.redirect_uris.iter().filter_map(of).any(|o| o == origin)
    } else {
        named.iter().any(|o| o == origin)
    };
    (ours && origin != "null").then(|| origin.to_owned())
}

fn share(response: &mut HttpResponse, origin: Option<String>) {
    let headers = response.headers_mut();
    headers.insert(header::VARY, header::HeaderValue::from_static("origin"));
    if let Some(origin) = origin.and_then(|o| header::HeaderValue::from_str(&o).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}
