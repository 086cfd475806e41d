//! Which APIs a request is for, and what the client may have there (DESIGN §3.4; RFC 8707).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::error::Trouble;
use super::params::{Params, REPEATABLE};
use super::scope::{self, AskedScopes};
use crate::catalog::{Catalog, CatalogError, Client, ClientGrant, ResourceServer, SubjectType};
use crate::login::{Access, ApiAccess};

/// What one access token will be for.
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
    /// The API takes no tokens of clients for themselves, or none on behalf of users.
    #[error("the API takes no tokens of this kind, for users or for clients themselves")]
    KindRefused,
    /// Neither the client itself nor its kind has a grant for this API.
    #[error("the client has no grant for this API")]
    NoGrant,
    /// Nothing is asked for that could be granted.
    #[error("ask for an API (`audience`) or for the scope `openid`")]
    Nothing,
    /// The user's login did not grant the API that a token is asked for.
    #[error("the login granted nothing at this API")]
    NotGranted,
    /// A token has one audience, and several were named.
    #[error("a token is for one API: name one, in `audience` or in `resource`")]
    SeveralApis,
    /// More APIs than one login grants.
    #[error("one login grants access to {MOST_APIS} APIs at most")]
    TooManyApis,
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

/// APIs of one login; each is looked up, shown to the user and kept in the refresh family.
const MOST_APIS: usize = 10;

impl Target {
    /// The same as what a login grants.
    pub fn access(&self) -> Access {
        let is_oidc = |scope: &String| scope::OIDC_SCOPES.contains(&scope.as_str());
        let (oidc_scopes, scopes) = self.scopes.iter().cloned().partition(is_oidc);
        let api = self.api.as_ref();
        let apis = api.map(|api| ApiAccess { audience: api.identifier.clone(), scopes });
        Access { oidc_scopes, apis: apis.into_iter().collect() }
    }
}

impl TargetError {
    /// The error code for the client (RFC 6749 §4.1.2.1, §5.2; RFC 8707 §2); `None` where it is not the client's fault.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::KindRefused | Self::NoGrant => Some("access_denied"),
            Self::Nothing | Self::UngrantedScope => Some("invalid_scope"),
            Self::NotGranted | Self::SeveralApis | Self::TooManyApis | Self::UnknownApi => {
                Some("invalid_target")
            }
            Self::Trouble(_) => None,
        }
    }
}

/// What a client may have of what it asks for on behalf of a user, at every API that it names (RFC 8707 §2.1), or a refusal.
///
/// # Errors
/// [`TargetError`].
pub async fn choose(
    catalog: &Catalog,
    client: &Client,
    params: &Params,
    asked: AskedScopes,
) -> Result<Access, TargetError> {
    let apis = all_named(params)?;
    let found = granted(catalog, (client, SubjectType::User), &apis, &asked).await?;
    let apis = found
        .into_iter()
        .map(|(api, scopes)| ApiAccess { audience: api.identifier.clone(), scopes });
    Ok(Access { apis: apis.collect(), oidc_scopes: asked.oidc })
}

/// What a client may have for itself, at the one API that its token will be for.
///
/// # Errors
/// [`TargetError`].
pub async fn choose_one(
    catalog: &Catalog,
    client: &Client,
    params: &Params,
    asked: AskedScopes,
) -> Result<Target, TargetError> {
    let apis: Vec<&str> = named(params)?.into_iter().collect();
    let found = granted(catalog, (client, SubjectType::Client), &apis, &asked).await?;
    let mut scopes = asked.oidc;
    let api = found.into_iter().next().map(|(api, of_api)| {
        scopes.extend(of_api);
        api
    });
    Ok(Target { api, scopes })
}

/// What is left of `scopes` that were granted to a client for an API's users; `None` where API or grant are gone, or the API
/// takes no tokens for users any more.
///
/// # Errors
/// As the catalog.
pub async fn still(
    catalog: &Catalog,
    (client, audience): (&Client, &str),
    scopes: &[String],
) -> Result<Option<Target>, CatalogError> {
    let api = by_identifier(catalog, audience).await?;
    let api = api.filter(|api| api.allowed_subject_types.contains(&SubjectType::User));
    let grant = catalog.grant_for(client, audience, SubjectType::User).await?;
    let (Some(api), Some(grant)) = (api, grant) else { return Ok(None) };
    let kept = |scope: &&String| {
        scope::OIDC_SCOPES.contains(&scope.as_str()) || is_granted(&grant, &api, scope)
    };
    let scopes = scopes.iter().filter(kept).cloned().collect();
    Ok(Some(Target { api: Some(api), scopes }))
}

/// The one API that a token is asked for, in `audience` or in `resource`.
///
/// # Errors
/// [`TargetError::SeveralApis`].
pub fn named(params: &Params) -> Result<Option<&str>, TargetError> {
    match all_named(params)?.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        [_, _, ..] => Err(TargetError::SeveralApis),
    }
}

/// Every API that `audience` and `resource` name, each once.
fn all_named(params: &Params) -> Result<Vec<&str>, TargetError> {
    let mut all: Vec<&str> = Vec::new();
    for identifier in REPEATABLE.into_iter().flat_map(|name| params.all(name)) {
        if !all.contains(&identifier) {
            all.push(identifier);
        }
        if all.len() > MOST_APIS {
            return Err(TargetError::TooManyApis);
        }
    }
    Ok(all)
}

/// What is granted at each of these APIs, or at the default one; at none where there is none.
async fn granted(
    catalog: &Catalog,
    (client, subject): (&Client, SubjectType),
    named: &[&str],
    asked: &AskedScopes,
) -> Result<Vec<(Arc<ResourceServer>, Vec<String>)>, TargetError> {
    let mut found = Vec::with_capacity(named.len());
    for api in named_or_default(catalog, named).await? {
        if !api.allowed_subject_types.contains(&subject) {
            return Err(TargetError::KindRefused);
        }
        let grant = catalog.grant_for(client, &api.identifier, subject).await;
        let grant = grant.map_err(Trouble::from)?.ok_or(TargetError::NoGrant)?;
        let scopes = granted_of(&grant, &api, &asked.api);
        found.push((api, scopes));
    }
    // RFC 8707 §2.1: each scope is asked for at every API, and has to be one of some API
    let is_somewhere = |scope: &String| found.iter().any(|(_, granted)| granted.contains(scope));
    if !asked.api.iter().all(is_somewhere) {
        return Err(TargetError::UngrantedScope);
    }
    if found.is_empty() && !asked.has_openid() {
        return Err(TargetError::Nothing);
    }
    Ok(found)
}

async fn named_or_default(
    catalog: &Catalog,
    named: &[&str],
) -> Result<Vec<Arc<ResourceServer>>, TargetError> {
    if named.is_empty() {
        let default = catalog.default_resource_server().await.map_err(Trouble::from)?;
        return Ok(default.into_iter().collect());
    }
    let mut all = Vec::with_capacity(named.len());
    for identifier in named {
        let api = by_identifier(catalog, identifier).await.map_err(Trouble::from)?;
        all.push(api.ok_or(TargetError::UnknownApi)?);
    }
    Ok(all)
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

/// A grant may name a scope that the API has given up since.
fn is_granted(grant: &ClientGrant, api: &ResourceServer, scope: &String) -> bool {
    grant.scopes.contains(scope) && api.scopes.iter().any(|s| s.value == *scope)
}

/// All granted ones where none is asked for.
fn granted_of(grant: &ClientGrant, api: &ResourceServer, asked: &[String]) -> Vec<String> {
    let wanted = if asked.is_empty() { &grant.scopes } else { asked };
    wanted.iter().filter(|scope| is_granted(grant, api, scope)).cloned().collect()
}
