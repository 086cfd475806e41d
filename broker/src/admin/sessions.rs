//! `/users/{id}/sessions`: where a user is signed in, and the end of it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::author;
use super::failure::Failure;
use super::resource;
use crate::app::App;
use crate::catalog::{CatalogError, User};
use crate::login::session::SsoSession;
use crate::oauth::error::Trouble;
use crate::oauth::logout::{By, ending};

/// `GET /users/{id}/sessions`, the latest one last; there are 256 at most.
pub(super) async fn list(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let items: Vec<Value> = of(&app, &id).await?.iter().map(view).collect();
    Ok(HttpResponse::Ok().json(json!({"items": items, "next": null})))
}

/// Query of [`end_all`].
#[derive(Debug, Deserialize)]
pub(super) struct Ends {
    /// Whether everything that was issued to clients ends too.
    #[serde(default)]
    tokens: bool,
}

/// `DELETE /users/{id}/sessions`: all of them; with `tokens=true` codes, access tokens and refresh tokens too, also those of
/// sessions that ended before.
pub(super) async fn end_all(
    app: web::Data<App>,
    id: web::Path<String>,
    ends: web::Query<Ends>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    if ends.tokens {
        sign_out(&app, &request, &id).await?;
    }
    let sessions = of(&app, &id).await?;
    end(&app, &request, &sessions).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /users/{id}/sessions/{sid}`
pub(super) async fn end_one(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (id, sid) = path.into_inner();
    let mut sessions = of(&app, &id).await?;
    sessions.retain(|session| session.sid == sid);
    if end(&app, &request, &sessions).await? == 0 {
        return Err(Failure::not_found("session"));
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Ends every session of a user who was blocked or deleted. That is done already and stands: they are turned away wherever
/// they come, whether their sessions could be ended or not.
pub(super) async fn end_all_of(app: &App, request: &HttpRequest, user_id: &str) {
    let by = By::from(&author::of(app, request));
    if let Err(trouble) = ending::end_all_of(app, user_id, &by, app.now()).await {
        tracing::error!(error = %trouble, user.id = user_id, "a user's sessions were not ended");
    }
}

/// A login may change the user at the same moment; so often it is read again.
const ATTEMPTS: u8 = 4;

/// From now on nothing counts that any login until now established. That stands in the catalog, so it holds on every node,
/// whatever becomes of the session store.
pub(super) async fn sign_out(app: &App, request: &HttpRequest, id: &str) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let found = resource::find::<User>(app, id).await?;
        let now = app.now();
        let user = User { signed_out_at: Some(now), updated_at: now, ..(*found.object).clone() };
        let audited = app.catalog.audited(author::of(app, request));
        match audited.update(&user, Some(found.revision)).await {
            Err(CatalogError::Stale) => {}
            written => return Ok(written.map(drop)?),
        }
    }
    Err(CatalogError::Stale.into())
}

async fn of(app: &App, id: &str) -> Result<Vec<SsoSession>, Failure> {
    let user = resource::find::<User>(app, id).await?;
    let sessions = app.sso_sessions().of_user(&user.object.id).await;
    Ok(sessions.map_err(Trouble::from)?)
}

async fn end(app: &App, request: &HttpRequest, sessions: &[SsoSession]) -> Result<usize, Failure> {
    let by = By::from(&author::of(app, request));
    Ok(ending::end(app, sessions, &by, app.now()).await?.len())
}

pub(super) fn view(session: &SsoSession) -> Value {
    json!({
        "sid": session.sid,
        "connection": session.connection,
        "organization": session.organization,
        "clients": session.clients,
        "auth_time": session.auth_time,
        "signed_in_at": session.signed_in_at,
        "used_at": session.used_at,
        "ends_at": session.ends_at,
    })
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        tracing::error!(error = %trouble, "management API: sessions");
        match trouble {
            Trouble::Away(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The session store is unavailable; try again.",
            ),
            Trouble::Broken(what) => Self::internal("the end of sessions", &what),
        }
    }
}
