//! Which connections and which organization a domain leads to (RULES 25).

use super::samples::*;
use crate::catalog::{Catalog, CatalogError, Connection};

async fn leads_to(catalog: &Catalog, text: &str) -> Vec<String> {
    let found = catalog.connections_for_domain(&domain(text)).await.unwrap();
    found.iter().map(|connection| connection.name.to_string()).collect()
}

async fn holder(catalog: &Catalog, text: &str) -> Option<String> {
    let found = catalog.organization_holding(&domain(text)).await.unwrap();
    found.map(|organization| organization.name.to_string())
}

#[tokio::test]
async fn exact_beats_wildcard_and_most_labels_win() {
    let store = Store::filled().await;
    for (name, domains) in [
        ("exact", &["eu.acme.example"][..]),
        ("wide", &["*.acme.example"]),
        ("narrow", &["*.eu.acme.example"]),
    ] {
        store.catalog.insert(&connection(name, Some("acme"), domains)).await.unwrap();
    }

    assert_eq!(leads_to(&store.catalog, "eu.acme.example").await, ["exact"]);
    assert_eq!(leads_to(&store.catalog, "x.eu.acme.example").await, ["narrow"]);
    assert_eq!(leads_to(&store.catalog, "y.x.eu.acme.example").await, ["narrow"]);
    assert_eq!(leads_to(&store.catalog, "us.acme.example").await, ["wide"]);
    assert!(leads_to(&store.catalog, "acme.example").await.is_empty());
    assert!(leads_to(&store.catalog, "other.example").await.is_empty());
}

/// Somebody who listed a name before its owner came does not keep the owner's users from their wildcard.
#[tokio::test]
async fn a_strangers_exact_name_does_not_stand_before_the_holders_wildcard() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    let squatter = connection("squatter", Some("globex"), &["eu.acme.example"]);
    catalog.insert(&squatter).await.unwrap();
    assert_eq!(leads_to(catalog, "eu.acme.example").await, ["squatter"]);

    let held = holding("acme", &["acme.example", "*.acme.example"]);
    catalog.update(&held, None).await.unwrap();
    catalog.insert(&connection("wide", Some("acme"), &["*.acme.example"])).await.unwrap();

    assert_eq!(leads_to(catalog, "eu.acme.example").await, ["wide"]);
}

#[tokio::test]
async fn a_domain_may_lead_to_several_connections_and_a_connection_have_several_domains() {
    let store = Store::filled().await;
    let domains = &["acme.example", "acme.test"];
    for name in ["b", "a"] {
        store.catalog.insert(&connection(name, Some("acme"), domains)).await.unwrap();
    }

    assert_eq!(leads_to(&store.catalog, "acme.example").await, ["a", "b"]);
    assert_eq!(leads_to(&store.catalog, "acme.test").await, ["a", "b"]);
}

#[tokio::test]
async fn a_change_of_domains_is_seen_at_once() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    let with = |domains| connection("acme-saml", Some("acme"), domains);
    assert!(leads_to(catalog, "eu.acme.example").await.is_empty());

    catalog.update(&with(&["eu.acme.example"]), None).await.unwrap();
    assert_eq!(leads_to(catalog, "eu.acme.example").await, ["acme-saml"]);
    catalog.update(&with(&["acme.example"]), None).await.unwrap();
    assert!(leads_to(catalog, "eu.acme.example").await.is_empty());
    catalog.update(&with(&["*.acme.example"]), None).await.unwrap();
    assert_eq!(leads_to(catalog, "eu.acme.example").await, ["acme-saml"]);
    catalog.delete::<Connection>("acme-saml", None).await.unwrap();
    assert!(leads_to(catalog, "eu.acme.example").await.is_empty());
}

#[tokio::test]
async fn very_deep_names_are_still_found() {
    let store = Store::filled().await;
    let wide = connection("wide", Some("acme"), &["*.acme.example"]);
    store.catalog.insert(&wide).await.unwrap();

    let deep = format!("{}acme.example", "a.".repeat(60));

    assert_eq!(leads_to(&store.catalog, &deep).await, ["wide"]);
}

#[tokio::test]
async fn only_a_verified_domain_is_held() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    assert_eq!(holder(catalog, "acme.example").await, None);

    catalog.update(&holding("acme", &["?acme.example"]), None).await.unwrap();
    assert_eq!(holder(catalog, "acme.example").await, None);
    catalog.update(&holding("acme", &["acme.example", "*.acme.example"]), None).await.unwrap();
    assert_eq!(holder(catalog, "acme.example").await.as_deref(), Some("acme"));
    assert_eq!(holder(catalog, "eu.acme.example").await.as_deref(), Some("acme"));
    catalog.update(&holding("acme", &["acme.example"]), None).await.unwrap();
    assert_eq!(holder(catalog, "eu.acme.example").await, None);
}

#[tokio::test]
async fn a_domain_has_one_verified_holder() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    catalog.update(&holding("acme", &["acme.example"]), None).await.unwrap();

    let second = catalog.update(&holding("globex", &["acme.example"]), None).await;

    assert_eq!(second.unwrap_err(), CatalogError::Conflict { field: "domains" });
    catalog.update(&holding("globex", &["?acme.example"]), None).await.unwrap();
    assert_eq!(holder(catalog, "acme.example").await.as_deref(), Some("acme"));
}

#[tokio::test]
async fn a_held_domain_leads_to_no_connection_of_another() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    catalog.update(&holding("acme", &["acme.example", "*.acme.example"]), None).await.unwrap();

    for pattern in ["acme.example", "*.acme.example", "eu.acme.example", "*.eu.acme.example"] {
        let foreign = connection("foreign", Some("globex"), &[pattern]);
        let outcome = catalog.insert(&foreign).await;
        assert_eq!(outcome.unwrap_err(), CatalogError::Conflict { field: "domains" }, "{pattern}");
    }
    catalog.insert(&connection("own", Some("acme"), &["acme.example"])).await.unwrap();
    catalog.insert(&connection("shared", None, &["acme.example"])).await.unwrap();
    assert_eq!(leads_to(catalog, "acme.example").await, ["own", "shared"]);
}

#[tokio::test]
async fn nobody_verifies_a_domain_that_a_connection_of_another_lists() {
    let store = Store::filled().await;
    let squat = connection("squat", Some("globex"), &["acme.example"]);
    store.catalog.insert(&squat).await.unwrap();

    let outcome = store.catalog.update(&holding("acme", &["acme.example"]), None).await;

    assert_eq!(outcome.unwrap_err(), CatalogError::Conflict { field: "domains" });
}

#[tokio::test]
async fn a_wildcard_does_not_cover_a_name_that_another_holds() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    catalog.update(&holding("acme", &["acme.example", "*.acme.example"]), None).await.unwrap();
    let wide = connection("wide", Some("acme"), &["*.acme.example"]);
    catalog.insert(&wide).await.unwrap();
    assert_eq!(leads_to(catalog, "eu.acme.example").await, ["wide"]);

    catalog.update(&holding("globex", &["eu.acme.example"]), None).await.unwrap();

    assert_eq!(holder(catalog, "eu.acme.example").await.as_deref(), Some("globex"));
    assert!(leads_to(catalog, "eu.acme.example").await.is_empty());
    let own = connection("globex-eu", Some("globex"), &["eu.acme.example"]);
    catalog.insert(&own).await.unwrap();
    assert_eq!(leads_to(catalog, "eu.acme.example").await, ["globex-eu"]);
    assert_eq!(leads_to(catalog, "us.acme.example").await, ["wide"]);
}

#[tokio::test]
async fn lists_the_connections_of_an_organization() {
    let store = Store::filled().await;
    let of = async |text| {
        let found = store.catalog.connections_of_organization(&name(text)).await.unwrap();
        found.iter().map(|connection| connection.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of("acme").await, ["acme-saml"]);
    assert!(of("globex").await.is_empty());

    store.catalog.update(&connection("acme-saml", Some("globex"), &[]), None).await.unwrap();

    assert!(of("acme").await.is_empty());
    assert_eq!(of("globex").await, ["acme-saml"]);
}
