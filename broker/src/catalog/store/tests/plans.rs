//! The look-ups of a login walk no table.

use sqlx::{Any, AssertSqlSafe, Row as _};

use super::samples::*;
use crate::catalog::change_feed;
use crate::catalog::domain_index::{HOLDERS, LISTING};
use crate::catalog::store::{
    audit, client_grants, connections, consents, resource_servers, traces, users,
};
use crate::catalog::{
    Client, ClientGrant, Connection, Organization, RegistrationToken, Resource, ResourceServer,
    User,
};

#[tokio::test]
async fn every_lookup_of_a_login_goes_by_an_index() {
    let store = Store::sqlite().await;
    let mut statements = vec![
        HOLDERS,
        LISTING,
        users::BY_IDENTITY,
        consents::ALLOWED,
        consents::OF_USER,
        audit::LATEST,
        audit::OF_ACTOR,
        audit::OF_KIND,
        audit::OF_OBJECT_ID,
        audit::OF_OBJECT_NAME,
        traces::LATEST,
        traces::NTH_LATEST,
        traces::BY_ID,
        traces::BY_REFERENCE,
        client_grants::GRANT,
        client_grants::GRANTS,
        resource_servers::DEFAULT,
        connections::OWNED,
        change_feed::FROM,
        change_feed::LATEST,
    ];
    statements.extend(of::<Client>());
    statements.extend(of::<ClientGrant>());
    statements.extend(of::<Connection>());
    statements.extend(of::<Organization>());
    statements.extend(of::<RegistrationToken>());
    statements.extend(of::<ResourceServer>());
    statements.extend(of::<User>());

    let mut reader = store.catalog.storage.reader().await.unwrap();
    for statement in statements {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        for row in sqlx::query::<Any>(explain).fetch_all(&mut *reader).await.unwrap() {
            let step: String = row.get("detail");
            assert!(
                !step.starts_with("SCAN") && !step.contains("TEMP B-TREE"),
                "{statement}: {step}"
            );
        }
    }
}

fn of<T: Resource>() -> [&'static str; 3] {
    [T::SQL.by_id, T::SQL.by_name, T::SQL.list]
}
