//! Insert, read, change, delete, list: every kind.

use super::samples::*;
use crate::catalog::{
    CatalogError, Client, ClientGrant, ClientKind, Connection, DefaultFor, GrantHolder,
    Organization, ResourceServer, SubjectType,
};

#[tokio::test]
async fn finds_an_object_by_id_and_by_name() {
    let store = Store::filled().await;

    for text in ["acme-saml", "con_acme-saml"] {
        let found = store.catalog.get::<Connection>(text).await.unwrap().unwrap();
        assert_eq!(*found.object, connection("acme-saml", Some("acme"), &[]));
    }
    for text in ["nothing", "con_nothing", "", "a\0b", &"a".repeat(5000)] {
        assert!(store.catalog.get::<Connection>(text).await.unwrap().is_none(), "{text:?}");
    }
}

#[tokio::test]
async fn an_object_that_was_missed_is_found_once_it_is_there() {
    let store = Store::filled().await;
    assert!(store.catalog.get::<Client>("portal").await.unwrap().is_none());

    store.catalog.insert(&client("portal")).await.unwrap();

    assert!(store.catalog.get::<Client>("portal").await.unwrap().is_some());
}

#[tokio::test]
async fn refuses_a_second_object_with_the_same_name_or_id() {
    let store = Store::filled().await;
    let same_name = Organization { id: "org_other".to_owned(), ..organization("acme") };
    let same_id = Organization { id: "org_acme".to_owned(), ..organization("other") };

    for second in [same_name, same_id] {
        let outcome = store.catalog.insert(&second).await;
        assert_eq!(outcome.unwrap_err(), CatalogError::Conflict { field: "name" });
    }
    assert_eq!(store.catalog.list::<Organization>(200, None).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn an_update_is_seen_at_once_and_moves_the_revision() {
    let store = Store::filled().await;
    let before = store.catalog.get::<Organization>("acme").await.unwrap().unwrap();
    let changed = Organization { enabled: false, ..organization("acme") };

    let after = store.catalog.update(&changed, Some(before.revision)).await.unwrap();

    assert!(after.revision > before.revision);
    for text in ["acme", "org_acme"] {
        let found = store.catalog.get::<Organization>(text).await.unwrap().unwrap();
        assert_eq!((found.enabled, found.revision), (false, after.revision));
    }
}

#[tokio::test]
async fn refuses_an_update_of_another_revision_and_of_nothing() {
    let store = Store::filled().await;
    let revision = store.catalog.get::<Organization>("acme").await.unwrap().unwrap().revision;

    let stale = store.catalog.update(&organization("acme"), Some(revision + 1)).await;
    let nothing = store.catalog.update(&organization("other"), None).await;
    let deleted = store.catalog.delete::<Organization>("acme", Some(revision + 1)).await;

    assert_eq!(stale.unwrap_err(), CatalogError::Stale);
    assert_eq!(nothing.unwrap_err(), CatalogError::NotFound);
    assert_eq!(deleted.unwrap_err(), CatalogError::Stale);
}

#[tokio::test]
async fn names_never_change() {
    let store = Store::filled().await;
    let renamed = Organization { name: name("other"), ..organization("acme") };

    let outcome = store.catalog.update(&renamed, None).await;

    assert_eq!(outcome.unwrap_err(), CatalogError::Conflict { field: "name" });
}

#[tokio::test]
async fn a_third_party_client_stays_what_it_is() {
    let store = Store::filled().await;
    store.catalog.insert(&client("portal")).await.unwrap();
    let first_party = ClientKind::FirstParty { organization: None };
    let of_globex = ClientKind::ThirdParty { organization: name("globex") };

    for (kind, field) in [(first_party, "first_party"), (of_globex, "organization")] {
        let changed = Client { kind, ..client("portal") };
        let outcome = store.catalog.update(&changed, None).await;
        assert_eq!(outcome.unwrap_err(), CatalogError::Conflict { field });
    }
}

#[tokio::test]
async fn a_deleted_name_is_never_given_out_again() {
    let store = Store::filled().await;
    store.catalog.delete::<Organization>("globex", None).await.unwrap();
    assert!(store.catalog.get::<Organization>("globex").await.unwrap().is_none());

    let again = Organization { id: "org_new".to_owned(), ..organization("globex") };
    let outcome = store.catalog.insert(&again).await;

    assert_eq!(outcome.unwrap_err(), CatalogError::Tombstoned { field: "name" });
    let twice = store.catalog.delete::<Organization>("globex", None).await;
    assert_eq!(twice.unwrap_err(), CatalogError::NotFound);
}

#[tokio::test]
async fn refuses_to_name_what_does_not_exist() {
    let store = Store::filled().await;
    store.catalog.insert(&client("portal")).await.unwrap();
    store.catalog.insert(&api("https://api.example")).await.unwrap();
    let lost_connection = connection("lost", Some("nobody"), &[]);
    let lost_client = Client { connections: Some(vec![name("nothing")]), ..client("lost") };
    let no_client = grant("cgr_1", "nobody", "https://api.example");
    let no_api = grant("cgr_1", "portal", "https://other.example");

    let missing = |field| CatalogError::Missing { field };
    assert_eq!(store.catalog.insert(&lost_connection).await.unwrap_err(), missing("organization"));
    assert_eq!(store.catalog.insert(&lost_client).await.unwrap_err(), missing("connections"));
    assert_eq!(store.catalog.insert(&no_client).await.unwrap_err(), missing("client_id"));
    assert_eq!(store.catalog.insert(&no_api).await.unwrap_err(), missing("audience"));
    assert!(store.catalog.get::<Client>("lost").await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_referred_to_stays() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    let listing = Client { connections: Some(vec![name("acme-saml")]), ..client("portal") };
    catalog.insert(&listing).await.unwrap();
    catalog.insert(&api("https://api.example")).await.unwrap();
    catalog.insert(&grant("cgr_1", "portal", "https://api.example")).await.unwrap();
    let by = |by: &str| Err(CatalogError::Referenced { by: by.to_owned() });

    assert_eq!(catalog.delete::<Client>("portal", None).await, by("client grant cgr_1"));
    let api_deleted = catalog.delete::<ResourceServer>("https://api.example", None).await;
    assert_eq!(api_deleted, by("client grant cgr_1"));
    assert_eq!(catalog.delete::<Connection>("acme-saml", None).await, by("client portal"));
    let organization_deleted = catalog.delete::<Organization>("acme", None).await;
    assert_eq!(organization_deleted, by("connection acme-saml"));

    catalog.delete::<ClientGrant>("cgr_1", None).await.unwrap();
    catalog.delete::<Client>("portal", None).await.unwrap();
    catalog.delete::<Connection>("acme-saml", None).await.unwrap();
    catalog.delete::<Organization>("acme", None).await.unwrap();
    catalog.delete::<ResourceServer>("https://api.example", None).await.unwrap();
}

#[tokio::test]
async fn a_client_keeps_its_organization() {
    let store = Store::filled().await;
    let of_globex = ClientKind::ThirdParty { organization: name("globex") };
    store.catalog.insert(&Client { kind: of_globex, ..client("portal") }).await.unwrap();

    let outcome = store.catalog.delete::<Organization>("globex", None).await;

    assert_eq!(outcome, Err(CatalogError::Referenced { by: "client portal".to_owned() }));
}

#[tokio::test]
async fn one_api_at_most_is_the_default() {
    let store = Store::new().await;
    let first = ResourceServer { default: true, ..api("https://api.example") };
    let second = ResourceServer { default: true, ..api("https://second.example") };
    assert!(store.catalog.default_resource_server().await.unwrap().is_none());

    store.catalog.insert(&first).await.unwrap();

    assert_eq!(store.catalog.default_resource_server().await.unwrap().as_deref(), Some(&first));
    let outcome = store.catalog.insert(&second).await;
    assert_eq!(outcome.unwrap_err(), CatalogError::Conflict { field: "default" });
    store.catalog.update(&api("https://api.example"), None).await.unwrap();
    store.catalog.insert(&second).await.unwrap();
    assert_eq!(store.catalog.default_resource_server().await.unwrap().as_deref(), Some(&second));
}

#[tokio::test]
async fn finds_the_grant_of_a_client_for_an_api() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    catalog.insert(&client("portal")).await.unwrap();
    catalog.insert(&api("https://api.example")).await.unwrap();
    let granted = grant("cgr_1", "portal", "https://api.example");
    let ask = |subject| catalog.grant("portal", "https://api.example", subject);
    assert!(ask(SubjectType::User).await.unwrap().is_none());

    catalog.insert(&granted).await.unwrap();

    assert_eq!(ask(SubjectType::User).await.unwrap().as_deref(), Some(&granted));
    assert!(ask(SubjectType::Client).await.unwrap().is_none());
    assert_eq!(catalog.grants_of_client("portal").await.unwrap().len(), 1);
    let second = catalog.insert(&grant("cgr_2", "portal", "https://api.example")).await;
    assert_eq!(second.unwrap_err(), CatalogError::Conflict { field: "audience" });
    let moved = ClientGrant { subject_type: SubjectType::Client, ..granted };
    let moved = catalog.update(&moved, None).await;
    assert_eq!(moved.unwrap_err(), CatalogError::Conflict { field: "subject_type" });

    catalog.delete::<ClientGrant>("cgr_1", None).await.unwrap();
    assert!(ask(SubjectType::User).await.unwrap().is_none());
    assert!(catalog.grants_of_client("portal").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_default_grant_is_every_third_party_clients_that_has_none_of_its_own() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    catalog.insert(&client("portal")).await.unwrap();
    let ours = ClientKind::FirstParty { organization: None };
    let ours = Client { kind: ours, ..client("ours") };
    catalog.insert(&ours).await.unwrap();
    catalog.insert(&api("https://api.example")).await.unwrap();
    let holder = GrantHolder::Default { default_for: DefaultFor::ThirdPartyClients };
    let default = ClientGrant { holder, ..grant("cgr_d", "", "https://api.example") };
    let of = async |client: &Client, subject| {
        let grant = catalog.grant_for(client, "https://api.example", subject).await.unwrap();
        grant.map(|grant| grant.id.clone())
    };
    assert_eq!(of(&client("portal"), SubjectType::User).await, None);

    catalog.insert(&default).await.unwrap();

    assert_eq!(of(&client("portal"), SubjectType::User).await.as_deref(), Some("cgr_d"));
    assert_eq!(of(&client("portal"), SubjectType::Client).await, None, "it is for users");
    assert_eq!(of(&ours, SubjectType::User).await, None, "it is for third-party clients");
    catalog.insert(&grant("cgr_1", "portal", "https://api.example")).await.unwrap();
    assert_eq!(of(&client("portal"), SubjectType::User).await.as_deref(), Some("cgr_1"));
    let own = grant("cgr_1", "portal", "https://api.example");
    catalog.update(&ClientGrant { scopes: Vec::new(), ..own }, None).await.unwrap();
    assert_eq!(of(&client("portal"), SubjectType::User).await, None, "no scopes: a no");
    let second = catalog.insert(&ClientGrant { id: "cgr_e".to_owned(), ..default.clone() }).await;
    assert_eq!(second.unwrap_err(), CatalogError::Conflict { field: "audience" });
    let moved = ClientGrant { holder: default.holder, ..grant("cgr_1", "", "https://api.example") };
    let moved = catalog.update(&moved, None).await;
    assert_eq!(moved.unwrap_err(), CatalogError::Conflict { field: "default_for" });

    catalog.delete::<ClientGrant>("cgr_1", None).await.unwrap();
    assert_eq!(of(&client("portal"), SubjectType::User).await.as_deref(), Some("cgr_d"));
    catalog.delete::<ClientGrant>("cgr_d", None).await.unwrap();
    assert_eq!(of(&client("portal"), SubjectType::User).await, None);
}

#[tokio::test]
async fn pages_through_everything_once() {
    let store = Store::new().await;
    for i in 0..250 {
        store.catalog.insert(&organization(&format!("org-{i:03}"))).await.unwrap();
    }

    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = store.catalog.list::<Organization>(37, cursor.as_deref()).await.unwrap();
        seen.extend(page.items.iter().map(|item| item.name.to_string()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }

    let all: Vec<_> = (0..250).map(|i| format!("org-{i:03}")).collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_page_is_full_and_the_last_one_says_so() {
    let store = Store::new().await;
    for i in 0..4 {
        store.catalog.insert(&organization(&format!("org-{i}"))).await.unwrap();
    }

    let first = store.catalog.list::<Organization>(2, None).await.unwrap();
    let last = store.catalog.list::<Organization>(2, first.next.as_deref()).await.unwrap();

    assert_eq!((first.items.len(), last.items.len(), last.next), (2, 2, None));
    for bad in ["*", "", "AA"] {
        let outcome = store.catalog.list::<Organization>(2, Some(bad)).await;
        assert_eq!(outcome.unwrap_err(), CatalogError::Cursor, "{bad}");
    }
}

#[tokio::test]
async fn many_objects_come_together_or_not_at_all() {
    let store = Store::filled().await;
    let catalog = &store.catalog;

    let taken = vec![organization("one"), organization("acme")];
    let refused = catalog.insert_all(taken).await;
    assert_eq!(refused, Err(CatalogError::Conflict { field: "name" }));
    assert!(catalog.get::<Organization>("one").await.unwrap().is_none());

    catalog.insert_all(vec![organization("one"), organization("two")]).await.unwrap();
    assert!(catalog.get::<Organization>("one").await.unwrap().is_some());
    assert!(catalog.get::<Organization>("two").await.unwrap().is_some());
}
