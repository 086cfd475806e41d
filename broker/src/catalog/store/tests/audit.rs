//! The audit log: with the change or not at all, found by its filters, forgotten in time.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::samples::*;
use crate::catalog::{
    Action, Actor, ActorKind, AuditEntry, AuditFilter, AuditObject, Author, Catalog, CatalogError,
    EndedLogin, Organization,
};

pub(super) fn author(number: u32) -> Author {
    Author {
        id: format!("aud_{number:04}"),
        actor: Actor::new(ActorKind::Token, "bootstrap"),
        address: Some("192.0.2.7".parse().unwrap()),
        at: now(),
    }
}

async fn entries(catalog: &Catalog, filter: &AuditFilter) -> Vec<AuditEntry> {
    catalog.list_audit(filter, 200, None).await.unwrap().items
}

#[tokio::test]
async fn a_change_leaves_who_what_before_and_after_and_from_where() {
    let store = Store::new().await;
    let acme = organization("acme");
    let new = Organization { display_name: "ACME".to_owned(), ..acme.clone() };

    store.catalog.audited(author(1)).insert(&acme).await.unwrap();
    store.catalog.audited(author(2)).update(&new, None).await.unwrap();
    store.catalog.audited(author(3)).delete::<Organization>(&acme.id, None).await.unwrap();

    let entries = entries(&store.catalog, &AuditFilter::default()).await;
    let [gone, changed, made] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(
        [made.action, changed.action, gone.action],
        [Action::Created, Action::Updated, Action::Deleted]
    );
    assert_eq!(made.before, None);
    assert_eq!(made.after, changed.before);
    assert_eq!(changed.after.as_ref().unwrap()["display_name"], "ACME");
    assert_eq!(gone.before, changed.after);
    assert_eq!(gone.after, None);
    assert_eq!(made.actor.name, "bootstrap");
    assert_eq!(made.address, Some("192.0.2.7".parse().unwrap()));
    assert_eq!(made.at, now());
    let object = ("organization", &*acme.id, "acme");
    assert_eq!((&*made.object.kind, &*made.object.id, &*made.object.name), object);
}

#[tokio::test]
async fn a_change_whose_entry_cannot_be_written_does_not_happen() {
    let store = Store::new().await;
    let acme = organization("acme");
    store.catalog.audited(author(1)).insert(&acme).await.unwrap();

    let other = store.catalog.audited(author(1)).insert(&organization("globex")).await;
    let new = Organization { enabled: false, ..acme.clone() };
    let changed = store.catalog.audited(author(1)).update(&new, None).await;
    let gone = store.catalog.audited(author(1)).delete::<Organization>(&acme.id, None).await;

    for outcome in [other.map(|_| ()), changed.map(|_| ()), gone] {
        assert_eq!(outcome.unwrap_err(), CatalogError::Conflict { field: "id" });
    }
    assert!(store.catalog.get::<Organization>("globex").await.unwrap().is_none());
    assert!(store.catalog.get::<Organization>("acme").await.unwrap().unwrap().enabled);
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_no_entry() {
    let store = Store::new().await;
    store.catalog.insert(&organization("acme")).await.unwrap();

    let outcome = store.catalog.audited(author(1)).insert(&organization("acme")).await;

    assert!(matches!(outcome, Err(CatalogError::Conflict { .. })));
    assert!(entries(&store.catalog, &AuditFilter::default()).await.is_empty());
}

#[tokio::test]
async fn entries_are_found_by_kind_object_actor_and_time() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    let con = connection("acme-two", Some("acme"), &[]);
    catalog.audited(author(1)).insert(&organization("initech")).await.unwrap();
    catalog.audited(author(2)).insert(&con).await.unwrap();
    sign_in(catalog, 3, now() + TimeDelta::milliseconds(1)).await;
    let found = async |filter: AuditFilter| {
        let found = entries(catalog, &filter).await;
        found.iter().map(|e| e.id.chars().last().unwrap()).collect::<String>()
    };
    let text = |text: &str| Some(text.to_owned());
    let any = AuditFilter::default;

    assert_eq!(found(any()).await, "321");
    assert_eq!(found(AuditFilter { kind: text("connection"), ..any() }).await, "2");
    assert_eq!(found(AuditFilter { kind: text("login"), ..any() }).await, "3");
    assert_eq!(found(AuditFilter { kind: text("user"), ..any() }).await, "");
    assert_eq!(found(AuditFilter { object: text("initech"), ..any() }).await, "1");
    assert_eq!(found(AuditFilter { object: Some(con.id.clone()), ..any() }).await, "2");
    let both = AuditFilter { object: text("initech"), kind: text("connection"), ..any() };
    assert_eq!(found(both).await, "");
    assert_eq!(found(AuditFilter { actor: text("usr_1"), ..any() }).await, "3");
    assert_eq!(found(AuditFilter { actor: text("bootstrap"), ..any() }).await, "21");
    let later = now() + TimeDelta::milliseconds(1);
    assert_eq!(found(AuditFilter { from: Some(later), ..any() }).await, "3");
    assert_eq!(found(AuditFilter { from: Some(now()), ..any() }).await, "321");
    assert_eq!(found(AuditFilter { to: Some(later), ..any() }).await, "21");
    assert_eq!(found(AuditFilter { to: Some(now()), ..any() }).await, "");
    assert_eq!(found(AuditFilter { actor: text("nul\0"), ..any() }).await, "");
    assert_eq!(found(AuditFilter { kind: text(""), ..any() }).await, "");
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_entries_of_one_moment() {
    let store = Store::filled().await;
    for number in 1..=5 {
        sign_in(&store.catalog, number, now()).await;
    }

    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.catalog.list_audit(&AuditFilter::default(), 2, cursor.as_deref()).await;
        let page = page.unwrap();
        seen.extend(page.items.into_iter().map(|e| e.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }

    assert_eq!(seen, ["aud_0005", "aud_0004", "aud_0003", "aud_0002", "aud_0001"]);
    let bad = store.catalog.list_audit(&AuditFilter::default(), 2, Some("bm90IG9uZQ")).await;
    assert_eq!(bad.unwrap_err(), CatalogError::Cursor);
}

#[tokio::test]
async fn entries_from_before_a_moment_are_deleted() {
    let store = Store::filled().await;
    sign_in(&store.catalog, 1, now() - TimeDelta::milliseconds(1)).await;
    sign_in(&store.catalog, 2, now()).await;

    assert_eq!(store.catalog.delete_audit_before(now()).await.unwrap(), 1);

    let left = entries(&store.catalog, &AuditFilter::default()).await;
    assert_eq!(left.into_iter().map(|e| e.id).collect::<Vec<_>>(), ["aud_0002"]);
}

/// A login's trace with its entry, as the group-commit writer writes them.
async fn sign_in(catalog: &Catalog, number: u32, at: DateTime<Utc>) {
    let author = Author { actor: Actor::new(ActorKind::User, "usr_1"), at, ..author(number) };
    let object = AuditObject {
        kind: "login".to_owned(),
        id: format!("ltr_{number:04}"),
        name: format!("REF-{number:04}"),
    };
    let entry = author.entry(Action::SignedIn, object, None, Some(Value::Null));
    catalog.record_end(EndedLogin { entry: Some(entry), ..ended(trace(number)) }).await.unwrap();
}
