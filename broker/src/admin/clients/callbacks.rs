//! Callbacks of a customer's own app, as the customer changes them: within the domains that its organization has verified.

use actix_web::HttpRequest;
use url::Url;

use crate::admin::caller;
use crate::admin::failure::Failure;
use crate::app::App;
use crate::catalog::{CatalogError, Client, DomainName, DomainPattern, Name};
use crate::http::error::FieldError;

/// The members that an organization's token may change.
pub(super) const OWN: [&str; 3] = ["redirect_uris", "post_logout_redirect_uris", "web_origins"];

/// What a caller with an organization's token adds has to lie within its verified domains. What stood there before is not
/// asked about: the operator may have registered it.
///
/// # Errors
/// 422 that names each address beyond.
pub(super) async fn stay_within_domains(
    app: &App,
    request: &HttpRequest,
    old: &Client,
    new: &Client,
) -> Result<(), Failure> {
    let caller = caller::of(request).ok_or_else(|| Failure::forbidden(Vec::new()))?;
    let Some(organization) = caller.organization() else { return Ok(()) };
    let mut errors = Vec::new();
    for (field, before, after) in [
        ("redirect_uris", &old.redirect_uris, &new.redirect_uris),
        (
            "post_logout_redirect_uris",
            &old.post_logout_redirect_uris,
            &new.post_logout_redirect_uris,
        ),
        ("web_origins", &old.web_origins, &new.web_origins),
    ] {
        let added = after.iter().enumerate().filter(|(_, address)| !before.contains(address));
        for (place, address) in added {
            if let Some(message) = refusal(app, organization, address).await? {
                errors.push(FieldError { field: format!("{field}.{place}"), message });
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Failure::fields(errors)) }
}

/// Why an organization may not register this address by itself.
async fn refusal(
    app: &App,
    organization: &Name,
    address: &str,
) -> Result<Option<String>, CatalogError> {
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "https");
    let host = url.as_ref().and_then(Url::host_str).and_then(|host| DomainName::parse(host).ok());
    let Some(host) = host else {
        return Ok(Some("must be an https address with a domain name".to_owned()));
    };
    if is_within(app, organization, &host).await? {
        return Ok(None);
    }
    Ok(Some(format!("{host} is in no domain that the organization has verified")))
}

/// Whether `organization` holds the nearest name at or above the host that anybody holds: what lies below a domain is its
/// holder's, up to a name that is another's.
async fn is_within(
    app: &App,
    organization: &Name,
    host: &DomainName,
) -> Result<bool, CatalogError> {
    for name in host.and_parents() {
        let Ok(name) = DomainName::parse(name) else { return Ok(false) };
        let Some(holder) = app.catalog.organization_holding(&name).await? else { continue };
        // a wildcard is held only beside the name below which it lies, which decides
        let exact = DomainPattern::Exact(name);
        if holder.domains.iter().any(|held| held.verified && held.name == exact) {
            return Ok(holder.name == *organization);
        }
    }
    Ok(false)
}
