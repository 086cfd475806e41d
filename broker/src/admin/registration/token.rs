//! Initial access tokens and registration access tokens: found, compared, spent.

use actix_web::HttpRequest;

use super::by;
use super::refusal::Refusal;
use crate::admin::token::{id_of, is_of};
use crate::app::App;
use crate::catalog::{CatalogError, Name, Organization, RegistrationToken};

/// Two who register with one token at the same moment wait for each other; more than that try again.
const MOST_ATTEMPTS: usize = 10;

/// An initial access token that still registers clients.
pub(super) async fn find(app: &App, presented: &str) -> Result<RegistrationToken, Refusal> {
    let found = app.catalog.get::<RegistrationToken>(id_of(presented)).await?;
    let token = found.map(|found| found.object.as_ref().clone());
    let known = token.as_ref().map(|token| token.token_sha256.as_str());
    if !is_of(presented, known) {
        return Err(Refusal::InvalidToken);
    }
    let token = token.filter(|token| is_live(app, token)).ok_or(Refusal::InvalidToken)?;
    organization_is_enabled(app, Some(&token.organization)).await?;
    Ok(token)
}

/// Uses it up by one: of many who come at once, as many get through as it has uses.
pub(super) async fn spend(
    app: &App,
    request: &HttpRequest,
    token: &RegistrationToken,
) -> Result<(), Refusal> {
    for _ in 0..MOST_ATTEMPTS {
        let found = app.catalog.get::<RegistrationToken>(&token.id).await?;
        let found = found.filter(|f| is_live(app, &f.object)).ok_or(Refusal::InvalidToken)?;
        let old = found.object.as_ref();
        let spent = RegistrationToken {
            uses_left: old.uses_left.saturating_sub(1),
            updated_at: app.now(),
            ..old.clone()
        };
        let audited = app.catalog.audited(by(app, request, &token.id));
        match audited.update(&spent, Some(found.revision)).await {
            Ok(_) => return Ok(()),
            Err(CatalogError::Stale) => {}
            Err(CatalogError::NotFound) => return Err(Refusal::InvalidToken),
            Err(other) => return Err(other.into()),
        }
    }
    Err(Refusal::Away("the registration token is in great demand".to_owned()))
}

pub(super) async fn organization_is_enabled(app: &App, name: Option<&Name>) -> Result<(), Refusal> {
    let Some(name) = name else { return Err(Refusal::InvalidToken) };
    let found = app.catalog.get::<Organization>(name.as_str()).await?;
    if found.is_some_and(|found| found.object.enabled) {
        Ok(())
    } else {
        Err(Refusal::InvalidToken)
    }
}

fn is_live(app: &App, token: &RegistrationToken) -> bool {
    token.uses_left > 0 && app.now() < token.expires_at
}
