//! What each kind of token may do: one table, and what is not in it is the operator's alone.
//!
//! This decides by method and address only. Whose an object is, the handlers ask: everything that an organization's token may
//! do goes through [`super::resource::find_own`].

use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;

use crate::catalog::ApiScope;

/// Where an organization's token may come, each for its own objects.
const OF_AN_ORGANIZATION: &[(&str, &[Method])] = &[
    ("/organizations/{id}", &[Method::GET]),
    ("/organizations/{id}/domains", &[Method::GET, Method::POST]),
    ("/organizations/{id}/domains/{domain}", &[Method::GET, Method::DELETE]),
    ("/organizations/{id}/domains/{domain}/verify", &[Method::POST]),
    ("/connections", &[Method::GET]),
    ("/connections/{id}", &[Method::GET, Method::PATCH]),
    ("/connections/{id}/metadata", &[Method::PUT]),
    ("/clients", &[Method::GET]),
    ("/clients/{id}", &[Method::GET, Method::PATCH]),
    ("/clients/{id}/history", &[Method::GET]),
    ("/clients/{id}/revert", &[Method::POST]),
    ("/metadata/inspect", &[Method::POST]),
];

/// Where a token that only reads may come beside GET: nothing is saved there.
const SAVES_NOTHING: &[(&str, &[Method])] =
    &[("/metadata/inspect", &[Method::POST]), ("/simulate/home-realm", &[Method::POST])];

type Table = Vec<(ResourceDef, &'static [Method])>;

static ORGANIZATION: LazyLock<Table> = LazyLock::new(|| table(OF_AN_ORGANIZATION));
static READ_ONLY: LazyLock<Table> = LazyLock::new(|| table(SAVES_NOTHING));

/// Whether a token of this scope may use `method` at `path`, which is as the router sees it.
pub(super) fn allows(scope: &ApiScope, method: &Method, path: &str) -> bool {
    match scope {
        ApiScope::Operator => true,
        ApiScope::Organization { .. } => stands_in(&ORGANIZATION, method, path),
        ApiScope::ReadOnly => method == Method::GET || stands_in(&READ_ONLY, method, path),
    }
}

fn stands_in(table: &Table, method: &Method, path: &str) -> bool {
    table.iter().any(|(known, methods)| methods.contains(method) && known.is_match(path))
}

fn table(rows: &[(&str, &'static [Method])]) -> Table {
    let whole = |pattern: &str| ResourceDef::new(format!("/api/v1{pattern}"));
    rows.iter().map(|(pattern, methods)| (whole(pattern), *methods)).collect()
}
