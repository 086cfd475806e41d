//! Who changes something through the management API, for the audit log.

use actix_web::HttpRequest;

use crate::app::App;
use crate::catalog::Author;
use crate::http::client_address;
use crate::ids;

/// The author of what this request changes; only requests with the token get as far as that.
pub(super) fn of(app: &App, request: &HttpRequest) -> Author {
    Author {
        id: ids::id("aud", app.random.as_ref()),
        actor: app.admin_token.actor().clone(),
        address: client_address::of(request, &app.config.http.trusted_proxies),
        at: app.now(),
    }
}
