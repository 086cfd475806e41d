//! `GET|POST /userinfo` (OIDC Core §5.3.1, RFC 6750, RFC 9449 §7).

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::{Came, cors, reply, token};
use crate::app::App;
use crate::catalog::client::ClientSigningAlgorithm;
use crate::http::error;
use crate::http::limits::NoFailure;
use crate::oauth::dpop::DpopError;
use crate::oauth::userinfo::{
    PresentedToken, Scheme, UserInfoAnswer, UserInfoBody, UserInfoError, userinfo,
};

/// A token and how it came.
type Token<'a> = Option<(Scheme, &'a str)>;

pub(super) async fn by_header(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    serve(&app, &request, by_authorization(&request)).await
}

/// RFC 6750 §2.2; two ways at once are refused (§2).
pub(super) async fn by_header_or_form(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let form = if body.is_empty() { None } else { token::form(&request, &body).ok() };
    let in_body = form.as_ref().filter(|form| form.has("access_token"));
    let has_header = request.headers().contains_key(header::AUTHORIZATION);
    match (in_body, has_header) {
        (Some(_), true) => twice(&request),
        (Some(form), false) => match form.get("access_token") {
            Some(token) => serve(&app, &request, Some((Scheme::Bearer, token))).await,
            None => twice(&request),
        },
        (None, _) => serve(&app, &request, by_authorization(&request)).await,
    }
}

fn twice(request: &HttpRequest) -> HttpResponse {
    let text = "The token came twice.";
    let refused = refusal(StatusCode::BAD_REQUEST, Scheme::Bearer, "invalid_request", text);
    readable(request, refused)
}

fn readable(request: &HttpRequest, mut refused: HttpResponse) -> HttpResponse {
    cors::allow_refusal(request, &mut refused);
    refused
}

async fn serve(app: &App, request: &HttpRequest, token: Token<'_>) -> HttpResponse {
    let Some((scheme, token)) = token else {
        return readable(request, no_token());
    };
    let came = Came::with(app, request);
    let method = request.method().as_str();
    let presented = PresentedToken { token, scheme, method, sender: came.sender() };
    let mut response = match userinfo(app, presented, app.now()).await {
        Ok(answer) => {
            let mut response = answered(&answer);
            cors::allow(request, Some(&answer.client), &mut response);
            response
        }
        Err(error) => readable(request, refused(scheme, &error)),
    };
    super::add_nonce(app, request, &mut response);
    response
}

fn answered(answer: &UserInfoAnswer) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    match &answer.body {
        UserInfoBody::Json(info) => response.json(info),
        UserInfoBody::Jwt(token) => response.content_type("application/jwt").body(token.clone()),
    }
}

fn refused(scheme: Scheme, error: &UserInfoError) -> HttpResponse {
    let unauthorized = |error, text: &str| refusal(StatusCode::UNAUTHORIZED, scheme, error, text);
    match error {
        UserInfoError::Dpop(DpopError::Invalid(_)) => {
            unauthorized("invalid_dpop_proof", &error.to_string())
        }
        UserInfoError::Dpop(DpopError::UseNonce) => {
            let mut response = unauthorized("use_dpop_nonce", &error.to_string());
            response.extensions_mut().insert(NoFailure);
            response
        }
        UserInfoError::InsufficientScope => {
            let text = "The access token was not granted the scope openid.";
            refusal(StatusCode::FORBIDDEN, scheme, "insufficient_scope", text)
        }
        UserInfoError::InvalidToken => {
            let text =
                "The access token is not ours, or expired, revoked, or bound to another sender.";
            unauthorized("invalid_token", text)
        }
        UserInfoError::Dpop(DpopError::Trouble(trouble)) | UserInfoError::Trouble(trouble) => {
            reply::trouble(trouble)
        }
    }
}

fn by_authorization(request: &HttpRequest) -> Token<'_> {
    let (scheme, token) = super::authorization(request)?.split_once(' ')?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Scheme::Bearer,
        "dpop" => Scheme::Dpop,
        _ => return None,
    };
    Some((scheme, token.trim_matches(' ')))
}

/// RFC 6750 §3, RFC 9449 §7.1: the error stands in the challenge; the body repeats it for people.
fn refusal(status: StatusCode, scheme: Scheme, error: &str, text: &str) -> HttpResponse {
    let more = format!(r#", error="{error}", error_description="{text}""#);
    let mut response = error::oauth(status, error, Some(text));
    if let Ok(value) = HeaderValue::from_str(&(challenge(scheme) + &more)) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// No token at all: RFC 6750 §3.1 wants no error code then. Both schemes will do.
fn no_token() -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::UNAUTHORIZED);
    for scheme in [Scheme::Bearer, Scheme::Dpop] {
        response.append_header((header::WWW_AUTHENTICATE, challenge(scheme)));
    }
    response.finish()
}

fn challenge(scheme: Scheme) -> String {
    match scheme {
        Scheme::Bearer => r#"Bearer realm="homerealm""#.to_owned(),
        Scheme::Dpop => {
            let algorithms = ClientSigningAlgorithm::NAMES.join(" ");
            format!(r#"DPoP realm="homerealm", algs="{algorithms}""#)
        }
    }
}
