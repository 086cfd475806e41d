//! A database of the first schema under this binary. `schema_1.sql` is what that version left on disk, checksum of its
//! migration included: a migration that was edited after its release does not open it.

use sqlx::{Any, AnyConnection, Connection as _};

use super::samples::*;
use crate::catalog::{
    AuditFilter, Catalog, CatalogError, Client, ClientGrant, Connection, Organization,
    ResourceServer,
};
use crate::keys::KeyRing;

#[tokio::test]
async fn a_database_of_the_first_schema_opens_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let url = url(&folder);
    sqlx::any::install_default_drivers();
    let mut old = AnyConnection::connect(&format!("{url}?mode=rwc")).await.unwrap();
    sqlx::raw_sql(include_str!("schema_1.sql")).execute(&mut old).await.unwrap();
    old.close().await.unwrap();

    let catalog = Catalog::open(&url, &sealer(1)).await.unwrap();

    let acme = catalog.get::<Organization>("acme").await.unwrap().unwrap();
    assert_eq!(*acme.object, holding("acme", &["acme.example"]));
    let connections = catalog.connections_for_domain(&domain("acme.example")).await.unwrap();
    assert_eq!(*connections[0], connection("acme-saml", Some("acme"), &["acme.example"]));
    assert_eq!(*catalog.get::<Client>("portal").await.unwrap().unwrap().object, client("portal"));
    let api_id = "https://api.example";
    assert_eq!(*catalog.get::<ResourceServer>(api_id).await.unwrap().unwrap().object, api(api_id));
    assert_eq!(
        *catalog.get::<ClientGrant>("cgr_1").await.unwrap().unwrap().object,
        grant("cgr_1", "portal", api_id)
    );
    let ada = catalog.user_by_identity(&identity("ada")).await.unwrap().unwrap();
    assert_eq!(ada.id, "usr_1");
    assert_eq!(*catalog.consent("usr_1", "portal").await.unwrap(), ["openid".to_owned()]);
    assert_eq!(catalog.list_traces(9, None).await.unwrap().items, [trace(1)]);
    let again = catalog.insert(&organization("gone")).await.unwrap_err();
    assert_eq!(again, CatalogError::Tombstoned { field: "name" });
    let before = catalog.signing_keys().await.unwrap();
    KeyRing::load_or_create(&catalog, &sealer(1), now()).await.unwrap();
    let after = catalog.signing_keys().await.unwrap();
    assert!(before.len() == 2 && before.iter().all(|key| after.contains(key)));
    assert!(catalog.list_audit(&AuditFilter::default(), 1, None).await.unwrap().items.is_empty());
    catalog.list::<Connection>(1, None).await.unwrap();
}

#[tokio::test]
async fn a_database_of_a_later_schema_is_refused() {
    let store = Store::sqlite().await;
    let mut later = store.catalog.storage.begin_apart().await.unwrap();
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', 1, 'x', 0)";
    sqlx::query::<Any>(insert).execute(&mut *later).await.unwrap();
    later.commit().await.unwrap();

    let refused = Catalog::open(&url(&store.folder), &sealer(1)).await.unwrap_err();

    assert!(matches!(refused, crate::catalog::OpenError::Migration(_)), "{refused}");
}
