//! No statement of a request walks a table. The statements are read from the catalog's own source, so that a new one is not
//! forgotten; what is put together by a macro is listed here.

use sqlx::{Any, AnyConnection, AssertSqlSafe, Connection as _, Row as _};

use super::samples::*;
use super::source;
use crate::catalog::store::audit;
use crate::catalog::{
    ApiToken, Client, ClientGrant, Connection, IdentityMigration, Invitation, Organization,
    PasswordAccount, RegistrationToken, Resource, ResourceServer, User,
};

/// What may read all of something, each with the reason.
const MAY_WALK: [(&str, &str); 8] = [
    ("DELETE FROM audit_entries WHERE id IN (SELECT id FROM audit_entries WHERE at < $1", JOINED),
    ("DELETE FROM login_traces WHERE id IN (SELECT id FROM login_traces WHERE at < $1", JOINED),
    ("SELECT kid, alg, state, since, sealed FROM signing_keys", "a handful, once a change"),
    ("SELECT kid, sealed FROM signing_keys", "a handful, by a command"),
    ("SELECT kid FROM signing_keys UNION ALL SELECT id FROM connections LIMIT 1", "the first only"),
    ("DELETE FROM changes WHERE revision < $1", "deletes nearly all, once in a thousand writes"),
    ("SELECT kid FROM signing_keys WHERE alg = $1 AND state = $2", "a handful"),
    ("UPDATE signing_keys SET state = $3, since = $4, revision = $5", "a handful"),
];

/// Upkeep: what is old is found by an index, and PostgreSQL joins it by one as soon as there are far more rows than here.
const JOINED: &str = "a thousand at a time, against a table of any size";

/// Rows of each table: so many that the planner would rather use an index.
const ROWS: u32 = 20_000;

#[tokio::test]
async fn no_statement_walks_a_table_in_sqlite() {
    let store = Store::sqlite().await;
    let mut reader = store.catalog.storage.reader().await.unwrap();
    let mut found = Vec::new();
    for statement in statements() {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        for row in sqlx::query::<Any>(explain).fetch_all(&mut *reader).await.unwrap() {
            let step: String = row.get("detail");
            if step.starts_with("SCAN") || step.contains("TEMP B-TREE") {
                found.push(format!("{statement}: {step}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[expect(clippy::print_stdout, reason = "a test that is skipped must say so")]
#[tokio::test]
async fn no_statement_walks_a_table_in_postgresql() {
    let Ok(server) = std::env::var("HOMEREALM_TEST_POSTGRES") else {
        println!("skipped: plans of PostgreSQL: HOMEREALM_TEST_POSTGRES is not set");
        return;
    };
    let url = postgres(&server).await;
    Store::at(url.clone()).await.catalog.close().await;
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    fill(&mut connection).await;
    run(&mut connection, "SET plan_cache_mode = force_generic_plan").await;
    let mut found = Vec::new();
    for statement in statements() {
        let plan = plan(&mut connection, &statement).await;
        let walks = |step: &String| {
            step.contains("Seq Scan on") || step.contains("Index Scan") && !step.contains("Cond:")
        };
        if plan.iter().any(walks) {
            found.push((statement, plan));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The steps of a plan, each with what belongs to it.
async fn plan(connection: &mut AnyConnection, statement: &str) -> Vec<String> {
    let parameters = (1..=9).take_while(|n| statement.contains(&format!("${n}"))).count();
    let values = vec!["NULL"; parameters].join(", ");
    let call = if parameters == 0 { String::new() } else { format!("({values})") };
    run(connection, &format!("PREPARE one AS {statement}")).await;
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE one{call}"));
    let rows = sqlx::raw_sql(explain).fetch_all(&mut *connection).await.unwrap();
    run(connection, "DEALLOCATE one").await;
    let mut steps: Vec<String> = Vec::new();
    for row in rows {
        let line: String = row.get(0);
        match steps.last_mut() {
            Some(step) if !line.contains("(cost=") => step.push_str(&line),
            _ => steps.push(line),
        }
    }
    steps
}

/// Every table with rows that all differ, whatever its columns are; nothing checks references meanwhile.
async fn fill(connection: &mut AnyConnection) {
    let columns = "SELECT table_name::text, string_agg(column_name::text, ', '), \
         string_agg(CASE data_type WHEN 'text' THEN '''x'' || n' ELSE 'n' END, ', ') \
         FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' GROUP BY table_name";
    let tables = sqlx::raw_sql(columns).fetch_all(&mut *connection).await.unwrap();
    run(connection, "SET session_replication_role = replica").await;
    for table in tables {
        let [name, columns, values]: [String; 3] = [0, 1, 2].map(|i| table.get(i));
        let insert = format!(
            "INSERT INTO {name} ({columns}) SELECT {values} FROM generate_series(2, {ROWS}) n \
             ON CONFLICT DO NOTHING"
        );
        run(connection, &insert).await;
    }
    run(connection, "ANALYZE").await;
}

async fn run(connection: &mut AnyConnection, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    sqlx::raw_sql(statement).execute(connection).await.unwrap();
}

fn statements() -> Vec<String> {
    let mut statements = vec![
        audit::LATEST,
        audit::OF_ACTOR,
        audit::OF_KIND,
        audit::OF_OBJECT_ID,
        audit::OF_OBJECT_NAME,
    ];
    let kinds = [
        of::<ApiToken>(),
        of::<Client>(),
        of::<ClientGrant>(),
        of::<Connection>(),
        of::<IdentityMigration>(),
        of::<Invitation>(),
        of::<Organization>(),
        of::<PasswordAccount>(),
        of::<RegistrationToken>(),
        of::<ResourceServer>(),
        of::<User>(),
    ];
    assert_eq!(source::count(" Resource for "), kinds.len(), "kinds of objects");
    statements.extend(kinds.into_iter().flatten());
    let mut statements: Vec<String> = statements.into_iter().map(str::to_owned).collect();
    let (whole, pieces) = source::statements();
    assert!(whole.len() > 40, "the source is not read any more: {whole:#?}");
    let known = |piece: &String| {
        piece.starts_with("SELECT revision, doc FROM")
            || piece.starts_with("DELETE FROM")
            || piece.starts_with("SELECT doc FROM audit_entries")
    };
    assert!(pieces.iter().all(known), "put together where this test does not see it: {pieces:#?}");
    statements.extend(whole);
    for (allowed, _) in MAY_WALK {
        assert!(statements.iter().any(|s| s.starts_with(allowed)), "not there any more: {allowed}");
    }
    statements.retain(|s| !MAY_WALK.iter().any(|(allowed, _)| s.starts_with(allowed)));
    statements
}

fn of<T: Resource>() -> [&'static str; 4] {
    [T::SQL.by_id, T::SQL.by_name, T::SQL.list, T::SQL.delete]
}
