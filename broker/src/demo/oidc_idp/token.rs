//! The token endpoint of the sample OpenID Provider (RFC 6749 §4.1.3, OIDC Core §3.1.3).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use homerealm_certs::sign_compact;
use serde_json::{Map, Value, json};
use std::sync::PoisonError;
use subtle::ConstantTimeEq as _;

use super::fault::OidcFault;
use super::grants::Grant;
use super::{RelyingParty, State};
use crate::ids;
use crate::oauth::params::Params;

/// Seconds that an ID token lives.
const LIFETIME: i64 = 300;

pub(super) async fn token(state: Data<State>, request: HttpRequest, body: String) -> HttpResponse {
    let Some(party) = authenticate(&state, &request) else {
        return HttpResponse::Unauthorized().json(json!({"error": "invalid_client"}));
    };
    let params = Params::parse(&body).unwrap_or_default();
    if params.get("grant_type") != Some("authorization_code") {
        return HttpResponse::BadRequest().json(json!({"error": "unsupported_grant_type"}));
    }
    let Some(grant) = redeem(&state, &party, &params) else {
        return HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}));
    };
    match id_token(&state, &grant) {
        Some(id_token) => HttpResponse::Ok().json(json!({
            "access_token": ids::secret(state.random.as_ref()),
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "id_token": id_token,
        })),
        None => HttpResponse::InternalServerError().json(json!({"error": "server_error"})),
    }
}

/// `client_secret_basic` (RFC 6749 §2.3.1).
fn authenticate(state: &State, request: &HttpRequest) -> Option<RelyingParty> {
    let header = request.headers().get("authorization")?.to_str().ok()?;
    let pair = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (client_id, secret) = pair.split_once(':')?;
    let party = state.party(&decoded(client_id)?)?;
    let same = decoded(secret)?.as_bytes().ct_eq(party.client_secret.as_bytes());
    bool::from(same).then_some(party)
}

/// Both halves are form-urlencoded before they are joined.
fn decoded(text: &str) -> Option<String> {
    Params::parse(&format!("x={text}")).ok()?.get("x").map(str::to_owned)
}

/// The code is gone whatever comes of it.
fn redeem(state: &State, party: &RelyingParty, params: &Params) -> Option<Grant> {
    let mut grants = state.grants.lock().unwrap_or_else(PoisonError::into_inner);
    let grant = grants.take(params.get("code")?, state.clock.now())?;
    let fits = grant.client_id == party.client_id
        && params.get("redirect_uri") == Some(grant.redirect_uri.as_str())
        && grant.challenge.is_answered_by(params.get("code_verifier")?);
    fits.then_some(grant)
}

fn id_token(state: &State, grant: &Grant) -> Option<String> {
    let mut claims = claims(state, grant);
    if let Some(fault) = grant.fault {
        fault.change(&mut claims);
    }
    match grant.fault {
        Some(OidcFault::Unsigned) => unsigned(&claims),
        Some(OidcFault::OtherKey) => under_our_kid(state, &claims),
        Some(_) | None => sign_compact(&state.key, "JWT", &claims).ok(),
    }
}

fn claims(state: &State, grant: &Grant) -> Map<String, Value> {
    let (user, now) = (&state.user, state.clock.now().timestamp());
    let claims = json!({
        "iss": state.issuer,
        "sub": user.subject,
        "aud": grant.client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "auth_time": now,
        "nonce": grant.nonce,
        "email": user.email,
        "email_verified": true,
        "given_name": user.given_name,
        "family_name": user.family_name,
        "name": user.name(),
    });
    match claims {
        Value::Object(mut members) => {
            members.retain(|_, value| !value.is_null());
            members
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

/// RFC 7519 §6.
fn unsigned(claims: &Map<String, Value>) -> Option<String> {
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).ok()?);
    Some(format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#)))
}

/// Names the published key and is signed with another one.
fn under_our_kid(state: &State, claims: &Map<String, Value>) -> Option<String> {
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": state.key.kid()});
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).ok()?);
    let input = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let signature = state.other_key.sign(input.as_bytes()).ok()?;
    Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
