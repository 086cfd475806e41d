//! Opening: folder, file, URL, master key.

use std::os::unix::fs::PermissionsExt as _;

use sqlx::Any;

use super::samples::*;
use crate::catalog::{Catalog, OpenError};
use crate::seal::SealError;

#[tokio::test]
async fn makes_folder_and_file_for_their_owner_only() {
    let store = Store::sqlite().await;

    let folder = store.folder.path().join("data");
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;

    assert_eq!(mode(folder.clone()), 0o700);
    for file in std::fs::read_dir(folder).unwrap() {
        assert_eq!(mode(file.unwrap().path()), 0o600);
    }
}

#[tokio::test]
async fn takes_any_path_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b%20#ü/x&y.db");

    Catalog::open(&format!("sqlite:{}", path.display()), &sealer(1)).await.unwrap();

    assert!(path.is_file());
}

#[tokio::test]
async fn says_which_folder_or_file_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();

    let below_a_file = format!("sqlite:{}/data/homerealm.db", file.display());
    let a_folder = format!("sqlite:{}", folder.path().display());

    let outcome = Catalog::open(&below_a_file, &sealer(1)).await.unwrap_err();
    assert!(matches!(outcome, OpenError::Folder { .. }), "{outcome}");
    assert!(outcome.to_string().contains("file/data"));
    let outcome = Catalog::open(&a_folder, &sealer(1)).await.unwrap_err();
    assert!(matches!(outcome, OpenError::File { .. }), "{outcome}");
}

#[tokio::test]
async fn says_that_a_file_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("homerealm.db");
    std::fs::write(&file, "something else, long enough to have a header of its own".repeat(20))
        .unwrap();

    let outcome = Catalog::open(&format!("sqlite:{}", file.display()), &sealer(1)).await;

    assert!(matches!(outcome.unwrap_err(), OpenError::Database(_)));
}

#[tokio::test]
async fn takes_paths_and_postgresql_only() {
    for url in ["", "sqlite:", "sqlite::memory:", "sqlite:a.db?mode=ro", "mysql://x", "data/a.db"] {
        let outcome = Catalog::open(url, &sealer(1)).await.unwrap_err();
        assert!(matches!(outcome, OpenError::Url(_)), "{url}: {outcome}");
    }
}

#[tokio::test]
async fn refuses_another_master_key() {
    let Store { catalog, folder, .. } = Store::sqlite().await;
    catalog.close().await;

    let outcome = Catalog::open(&url(&folder), &sealer(2)).await.unwrap_err();

    assert!(matches!(outcome, OpenError::MasterKey(SealError::OtherKey)), "{outcome}");
    Catalog::open(&url(&folder), &sealer(1)).await.unwrap();
}

#[tokio::test]
async fn refuses_a_changed_check_value_and_one_that_is_gone_beside_sealed_rows() {
    let Store { catalog, folder, .. } = Store::sqlite().await;
    let run = async |statement: &'static str| {
        let mut transaction = catalog.storage.begin_apart().await.unwrap();
        sqlx::query::<Any>(statement).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    };

    run("UPDATE settings SET value = 'AAAA'").await;
    let outcome = Catalog::open(&url(&folder), &sealer(1)).await.unwrap_err();
    assert!(matches!(outcome, OpenError::MasterKey(SealError::Broken)), "{outcome}");

    catalog.insert(&connection("shared", None, &[])).await.unwrap();
    run("DELETE FROM settings").await;
    let outcome = Catalog::open(&url(&folder), &sealer(1)).await.unwrap_err();
    assert!(matches!(outcome, OpenError::MasterKeyCheck), "{outcome}");
}

#[tokio::test]
async fn sqlite_writes_safely_and_leaves_no_deleted_data() {
    let store = Store::sqlite().await;
    let mut transaction = store.catalog.storage.begin_apart().await.unwrap();

    for (pragma, expected) in
        [("PRAGMA synchronous", 2_i64), ("PRAGMA foreign_keys", 1), ("PRAGMA secure_delete", 1)]
    {
        let value: (i64,) =
            sqlx::query_as::<Any, _>(pragma).fetch_one(&mut *transaction).await.unwrap();
        assert_eq!(value.0, expected, "{pragma}");
    }
    let mode: (String,) =
        sqlx::query_as::<Any, _>("PRAGMA journal_mode").fetch_one(&mut *transaction).await.unwrap();
    assert_eq!(mode.0, "wal");
}
