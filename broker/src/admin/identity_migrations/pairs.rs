//! A table of pairs: who somebody was at the old connection, and who they are at the new one. Linked at once, all or none.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::Move;
use crate::admin::author;
use crate::admin::connections::issuer_of;
use crate::admin::failure::Failure;
use crate::admin::fields::Fields;
use crate::app::App;
use crate::catalog::store::Link;
use crate::catalog::{Connection, Identity, User};
use crate::http::error::FieldError;

/// Longest upstream subject, characters.
const SUBJECT_LIMIT: usize = 4096;

/// One row.
#[derive(Default)]
pub(super) struct Pair {
    user: Option<String>,
    old_subject: Option<String>,
    old_issuer: Option<String>,
    new_subject: Option<String>,
    new_issuer: Option<String>,
}

pub(super) fn read(fields: &mut Fields) -> Option<Vec<Pair>> {
    let rows = fields.objects("pairs")?;
    let mut pairs = Vec::with_capacity(rows.len());
    for mut row in rows {
        let user = row.text("user");
        let old_subject = row.text_up_to("old_subject", SUBJECT_LIMIT);
        let old_issuer = row.text("old_issuer");
        let new_subject = row.text_up_to("new_subject", SUBJECT_LIMIT);
        let new_subject = row.require("new_subject", new_subject);
        let new_issuer = row.text("new_issuer");
        if user.is_some() == old_subject.is_some() {
            row.refuse("user", "or `old_subject` is required, and only one of them");
        }
        pairs.push(Pair { user, old_subject, old_issuer, new_subject, new_issuer });
        fields.absorb(row);
    }
    Some(pairs)
}

/// Links every pair, or says what is in the way of which.
pub(super) async fn link(
    app: &App,
    request: &HttpRequest,
    planned: &Move,
    pairs: Vec<Pair>,
    dry_run: bool,
) -> Result<HttpResponse, Failure> {
    let (mut links, mut errors, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (place, pair) in pairs.into_iter().enumerate() {
        match resolved(app, planned, pair).await? {
            Ok((user, identity)) => {
                let twice = !seen.insert(user.id.clone()) || !seen.insert(identity.subject.clone());
                if twice {
                    errors.push(error(place, "names a user or subject a second time"));
                }
                links.push(Link {
                    author: author::of(app, request),
                    user_id: user.id.clone(),
                    identity,
                });
            }
            Err(message) => errors.push(error(place, message)),
        }
    }
    let users: Vec<_> = links.iter().map(|link| link.user_id.clone()).collect();
    if dry_run {
        let report = json!({"dry_run": true, "linked": users, "errors": errors});
        return Ok(HttpResponse::Ok().json(report));
    }
    if !errors.is_empty() {
        return Err(Failure::fields(errors));
    }
    app.catalog.audited(author::of(app, request)).link_all(links).await?;
    Ok(HttpResponse::Ok().json(json!({"dry_run": false, "linked": users, "errors": []})))
}

type Resolved = Result<(std::sync::Arc<User>, Identity), &'static str>;

async fn resolved(app: &App, planned: &Move, pair: Pair) -> Result<Resolved, Failure> {
    let identity = |connection: &Connection, issuer: Option<String>, subject: Option<String>| {
        let issuer = issuer.or_else(|| issuer_of(app, connection));
        let (issuer, subject) = issuer.zip(subject)?;
        Some(Identity { connection: connection.name.clone(), issuer, subject })
    };
    let Some(new) = identity(&planned.to, pair.new_issuer, pair.new_subject) else {
        return Ok(Err("needs `new_issuer`: the connection takes several"));
    };
    let user = match pair.user {
        Some(id) => app.catalog.get::<User>(&id).await?.map(|found| found.object),
        None => match identity(&planned.from, pair.old_issuer, pair.old_subject) {
            Some(old) => app.catalog.user_by_identity(&old).await?,
            None => return Ok(Err("needs `old_issuer`: the connection takes several")),
        },
    };
    let of_old = |user: &User| user.identities.iter().any(|i| i.connection == planned.from.name);
    let Some(user) = user.filter(|user| of_old(user)) else {
        return Ok(Err("is nobody who came by the old connection"));
    };
    if app.catalog.user_by_identity(&new).await?.is_some() {
        return Ok(Err("names a new subject that belongs to a user already"));
    }
    Ok(Ok((user, new)))
}

fn error(place: usize, message: &str) -> FieldError {
    FieldError { field: format!("pairs.{place}"), message: message.to_owned() }
}
