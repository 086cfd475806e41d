//! Which API a request is for, and what the client may have there (DESIGN §3.4; RFC 8707).

use std::sync::Arc;

use super::error::Trouble;
use super::params::Params;
use super::scope::{self, AskedScopes};
use crate::catalog::{Catalog, CatalogError, ClientGrant, ResourceServer, SubjectType};

/// What will be granted.
#[derive(Clone, Debug)]
pub struct Target {
    /// The API; `None` is a token for `/userinfo` only.
    pub api: Option<Arc<ResourceServer>>,
    /// OIDC scopes first, then the API's.
    pub scopes: Vec<String>,
}

/// Why nothing can be granted.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The client has no grant for this API.
    #[error("the client has no grant for this API")]
    NoGrant,
    /// Nothing is asked for that could be granted.
    #[error("ask for an API (`audience`) or for the scope `openid`")]
    Nothing,
    /// `audience` and `resource` differ, or `resource` came twice: a token has one audience.
    #[error("a token is for one API: name one, in `audience` or in `resource`")]
    SeveralApis,
    /// Ours to mend.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// A scope that the client's grant does not have.
    #[error("a scope is not granted to the client")]
    UngrantedScope,
    /// No API has this identifier.
    #[error("there is no such API")]
    UnknownApi,
}

impl TargetError {
    /// The error code for the client (RFC 6749 §4.1.2.1, §5.2; RFC 8707 §2); `None` where it is not the client's fault.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::NoGrant => Some("access_denied"),
            Self::Nothing | Self::UngrantedScope => Some("invalid_scope"),
            Self::SeveralApis | Self::UnknownApi => Some("invalid_target"),
            Self::Trouble(_) => None,
        }
    }
}

/// The API that the parameters name, and of what was asked for all of it, or a refusal.
///
/// # Errors
/// [`TargetError`].
pub async fn choose(
    catalog: &Catalog,
    client_id: &str,
    subject: SubjectType,
    params: &Params,
    asked: AskedScopes,
) -> Result<Target, TargetError> {
    let Some(api) = named_or_default(catalog, params).await? else {
        return userinfo_only(asked);
    };
    let grant = catalog.grant(client_id, &api.identifier, subject).await.map_err(Trouble::from)?;
    let grant = grant.ok_or(TargetError::NoGrant)?;
    let mut scopes = asked.oidc;
    scopes.extend(granted(&grant, &api, asked.api)?);
    Ok(Target { api: Some(api), scopes })
}

/// What is left of `scopes` that were granted to a client for an API's users; `None` where API or grant are gone.
///
/// # Errors
/// As the catalog.
pub async fn still(
    catalog: &Catalog,
    (client_id, audience): (&str, &str),
    scopes: &[String],
) -> Result<Option<Target>, CatalogError> {
    let api = by_identifier(catalog, audience).await?;
    let grant = catalog.grant(client_id, audience, SubjectType::User).await?;
    let (Some(api), Some(grant)) = (api, grant) else { return Ok(None) };
    let kept = |scope: &&String| {
        scope::OIDC_SCOPES.contains(&scope.as_str()) || is_granted(&grant, &api, scope)
    };
    let scopes = scopes.iter().filter(kept).cloned().collect();
    Ok(Some(Target { api: Some(api), scopes }))
}

/// The one API that `audience` or `resource` names.
///
/// # Errors
/// [`TargetError::SeveralApis`].
pub fn named(params: &Params) -> Result<Option<&str>, TargetError> {
    if params.is_repeated("resource") {
        return Err(TargetError::SeveralApis);
    }
    match (params.get("audience"), params.get("resource")) {
        (Some(audience), Some(resource)) if audience != resource => Err(TargetError::SeveralApis),
        (audience, resource) => Ok(audience.or(resource)),
    }
}

async fn named_or_default(
    catalog: &Catalog,
    params: &Params,
) -> Result<Option<Arc<ResourceServer>>, TargetError> {
    let Some(identifier) = named(params)? else {
        return Ok(catalog.default_resource_server().await.map_err(Trouble::from)?);
    };
    let api = by_identifier(catalog, identifier).await.map_err(Trouble::from)?;
    Ok(Some(api.ok_or(TargetError::UnknownApi)?))
}

/// By its identifier; the catalog alone would find it by its id too.
///
/// # Errors
/// As the catalog.
pub async fn by_identifier(
    catalog: &Catalog,
    identifier: &str,
) -> Result<Option<Arc<ResourceServer>>, CatalogError> {
    let found = catalog.get::<ResourceServer>(identifier).await?;
    Ok(found.map(|api| api.object).filter(|api| api.identifier == identifier))
}

fn userinfo_only(asked: AskedScopes) -> Result<Target, TargetError> {
    if !asked.api.is_empty() {
        return Err(TargetError::UngrantedScope);
    }
    if !asked.has_openid() {
        return Err(TargetError::Nothing);
    }
    Ok(Target { api: None, scopes: asked.oidc })
}

/// A grant may name a scope that the API has given up since.
fn is_granted(grant: &ClientGrant, api: &ResourceServer, scope: &String) -> bool {
    grant.scopes.contains(scope) && api.scopes.iter().any(|s| s.value == *scope)
}

/// All granted ones where none is asked for.
fn granted(
    grant: &ClientGrant,
    api: &ResourceServer,
    asked: Vec<String>,
) -> Result<Vec<String>, TargetError> {
    if asked.is_empty() {
        let known = |scope: &&String| is_granted(grant, api, scope);
        return Ok(grant.scopes.iter().filter(known).cloned().collect());
    }
    if asked.iter().all(|scope| is_granted(grant, api, scope)) {
        Ok(asked)
    } else {
        Err(TargetError::UngrantedScope)
    }
}
