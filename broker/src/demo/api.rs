//! A sample API: it knows the broker's address and its own name, and takes access tokens by RFC 9068 and nothing else.

mod token;

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use homerealm_certs::SignatureAlgorithm;
use serde_json::{Value, json};

use super::server::{self, Served};
use super::trusted_issuer::TrustedIssuer;
use crate::clock::Clock;
use token::{Caller, Expected, TokenRefused};

/// What callers need.
pub(super) const SCOPE: &str = "read:trips";

#[derive(Debug)]
struct State {
    issuer: Arc<TrustedIssuer>,
    audience: &'static str,
    clock: Arc<dyn Clock>,
}

/// Serves `GET /trips` on this socket.
pub(super) fn serve(
    listener: TcpListener,
    issuer: Arc<TrustedIssuer>,
    audience: &'static str,
    clock: Arc<dyn Clock>,
) -> std::io::Result<Served> {
    let state = Data::new(State { issuer, audience, clock });
    server::serve(listener, move |routes| {
        routes.app_data(state.clone()).route("/trips", web::get().to(trips));
    })
}

async fn trips(state: Data<State>, request: HttpRequest) -> HttpResponse {
    match state.caller(&request).await {
        Ok(caller) => HttpResponse::Ok().json(json!({
            "trips": sample_trips(caller.organization.as_deref()),
            "booked_by": caller.subject,
            "organization": caller.organization,
            "asked_through": caller.client_id,
        })),
        Err(refused) => refusal(&refused),
    }
}

impl State {
    async fn caller(&self, request: &HttpRequest) -> Result<Caller, TokenRefused> {
        let header = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let (scheme, token) =
            header.and_then(|h| h.split_once(' ')).ok_or(TokenRefused::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(TokenRefused::Missing);
        }
        // what the API was registered with; the token does not choose
        let verified = self.issuer.verify(token, &[SignatureAlgorithm::EcdsaP256Sha256]).await?;
        let expected = Expected {
            issuer: self.issuer.issuer(),
            audience: self.audience,
            scope: SCOPE,
            now: self.clock.now(),
        };
        token::check(&verified, &expected)
    }
}

fn sample_trips(organization: Option<&str>) -> Value {
    match organization {
        Some("acme") => json!([
            {"from": "London", "to": "Lisbon", "on": "12 May"},
            {"from": "Lisbon", "to": "London", "on": "15 May"},
        ]),
        Some(_) | None => json!([{"from": "Leeds", "to": "Oslo", "on": "3 June"}]),
    }
}

/// RFC 6750 §3: the challenge names the error; the body says it for people.
fn refusal(refused: &TokenRefused) -> HttpResponse {
    let description = refused.to_string().replace(['"', '\\'], "'");
    let challenge = match refused.error() {
        None => r#"Bearer realm="sample API""#.to_owned(),
        Some(error) => format!(
            r#"Bearer realm="sample API", error="{error}", error_description="{description}""#
        ),
    };
    HttpResponse::build(refused.status())
        .insert_header((header::WWW_AUTHENTICATE, challenge))
        .json(json!({"error": refused.error(), "error_description": description}))
}
