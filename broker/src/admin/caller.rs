//! Who calls the management API, and what their token is good for.

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use actix_web::{HttpMessage as _, HttpRequest};
use chrono::{DateTime, Utc};

use super::auth::bearer;
use super::failure::Failure;
use super::token;
use crate::app::App;
use crate::catalog::{Actor, ActorKind, ApiScope, ApiToken, Name, Organization};

/// The holder of a right token.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) actor: Actor,
    pub(super) scope: ApiScope,
    /// What they showed; `None`: the bootstrap token.
    pub(super) token: Option<Arc<ApiToken>>,
}

/// The caller of a request that passed the guard. `None`, for a request that did not, may do nothing.
pub(super) fn of(request: &HttpRequest) -> Option<Caller> {
    request.extensions().get::<Caller>().cloned()
}

/// Who presents these headers; `None` where there is no token, or not a right one.
///
/// # Errors
/// 503 where the database does not answer; the bootstrap token is known without it.
pub(super) async fn identify(
    app: &App,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> Result<Option<Caller>, Failure> {
    let Some(presented) = bearer(headers) else { return Ok(None) };
    if app.admin_token.is(presented) {
        let actor = app.admin_token.actor().clone();
        return Ok(Some(Caller { actor, scope: ApiScope::Operator, token: None }));
    }
    let id = token::id_of(presented);
    if !id.starts_with(PREFIX) {
        return Ok(None);
    }
    let found = app.catalog.get::<ApiToken>(id).await?;
    let kept = found.as_ref().map(|found| found.token_sha256.as_str());
    if !token::is_of(presented, kept) {
        return Ok(None);
    }
    let Some(found) = found.filter(|found| now < found.expires_at) else { return Ok(None) };
    for maker in &found.makers {
        if app.catalog.get::<ApiToken>(maker).await?.is_none() {
            return Ok(None);
        }
    }
    let organization = found.scope.organization().cloned();
    if let Some(name) = &organization {
        let owner = app.catalog.get::<Organization>(name.as_str()).await?;
        if !owner.is_some_and(|owner| owner.enabled) {
            return Ok(None);
        }
    }
    let actor = Actor { organization, ..Actor::new(ActorKind::Token, found.name.as_str()) };
    Ok(Some(Caller { actor, scope: found.scope.clone(), token: Some(found.object) }))
}

/// What ids of tokens begin with: a name is no way to find one here.
const PREFIX: &str = <ApiToken as crate::catalog::Resource>::PREFIX;

impl Caller {
    /// The organization that the token is limited to.
    pub(super) const fn organization(&self) -> Option<&Name> {
        self.scope.organization()
    }

    /// Whether what belongs to `owner` is there for this caller at all.
    pub(super) fn sees(&self, owner: Option<&Name>) -> bool {
        match &self.scope {
            ApiScope::Operator | ApiScope::ReadOnly => true,
            ApiScope::Organization { organization } => owner == Some(organization),
        }
    }
}
