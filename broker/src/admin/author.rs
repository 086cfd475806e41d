//! Who changes something through the management API, for the audit log.

use actix_web::HttpRequest;

use super::caller;
use crate::app::App;
use crate::catalog::{Actor, ActorKind, Author};
use crate::http::client_address;
use crate::ids;

/// The author of what this request changes; only requests with a token get as far as that.
pub(super) fn of(app: &App, request: &HttpRequest) -> Author {
    let caller = caller::of(request);
    by(app, request, caller.map_or_else(unknown, |caller| caller.actor))
}

/// The author of what this request changes, where it is somebody without a token of the management API.
pub(super) fn by(app: &App, request: &HttpRequest, actor: Actor) -> Author {
    Author {
        id: ids::id("aud", app.random.as_ref()),
        actor,
        address: client_address::of(request, &app.config.http.trusted_proxies),
        at: app.now(),
    }
}

fn unknown() -> Actor {
    Actor::new(ActorKind::Token, "unknown")
}
