use homerealm_certs::{UpstreamKeySet, sign_compact};
use tempfile::TempDir;

use super::*;
use crate::seal::MasterKey;

struct Ring {
    catalog: Catalog,
    keys: KeyRing,
    _folder: TempDir,
}

fn sealer() -> Sealer {
    Sealer::new(&MasterKey::new([1; 32])).unwrap()
}

fn now() -> DateTime<Utc> {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

async fn ring() -> Ring {
    let folder = tempfile::tempdir().unwrap();
    let catalog = catalog_in(&folder).await;
    let keys = KeyRing::load_or_create(&catalog, &sealer(), now()).await.unwrap();
    Ring { catalog, keys, _folder: folder }
}

async fn catalog_in(folder: &TempDir) -> Catalog {
    let url = format!("sqlite:{}/homerealm.db", folder.path().display());
    Catalog::open(&url, &sealer()).await.unwrap()
}

fn active(keys: &KeyRing) -> String {
    keys.current().active(JwsAlgorithm::Es256).unwrap().kid().to_owned()
}

async fn in_state(keys: &KeyRing, state: KeyState) -> Vec<String> {
    let all = keys.list().await.unwrap();
    let es256 = all.into_iter().filter(|key| key.algorithm == JwsAlgorithm::Es256);
    es256.filter(|key| key.state == state).map(|key| key.kid).collect()
}

#[tokio::test]
async fn the_first_start_makes_an_active_and_a_next_key_of_each_algorithm() {
    let Ring { catalog, keys, _folder } = ring().await;

    for algorithm in JwsAlgorithm::ALL {
        assert!(keys.current().active(algorithm).is_some());
    }
    let published = UpstreamKeySet::parse(keys.current().jwks().as_bytes()).unwrap();
    assert_eq!((published.iter().count(), keys.list().await.unwrap().len()), (6, 6));

    let again = KeyRing::load_or_create(&catalog, &sealer(), now()).await.unwrap();
    assert_eq!(again.current().jwks(), keys.current().jwks());
}

#[tokio::test]
async fn two_that_start_at_once_end_with_the_same_keys() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = catalog_in(&folder).await;
    let sealer = sealer();
    let start = || KeyRing::load_or_create(&catalog, &sealer, now());
    let (a, b) = tokio::join!(start(), start());

    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.current().jwks(), b.current().jwks());
    assert_eq!(a.list().await.unwrap().len(), 6);
}

#[tokio::test]
async fn rotation_moves_each_key_one_state_on() {
    let Ring { keys, _folder, .. } = ring().await;
    let (was_active, was_next) = (active(&keys), in_state(&keys, KeyState::Next).await);
    let other = keys.current().active(JwsAlgorithm::Rs256).unwrap().kid().to_owned();
    let held = keys.current();

    keys.rotate(JwsAlgorithm::Es256, now() + TimeDelta::days(1), None).await.unwrap();

    assert_eq!(vec![active(&keys)], was_next);
    assert_eq!(in_state(&keys, KeyState::Retiring).await, std::slice::from_ref(&was_active));
    assert!(keys.current().by_kid(&was_active).is_some());
    assert_eq!(in_state(&keys, KeyState::Next).await.len(), 1);
    assert_ne!(in_state(&keys, KeyState::Next).await, was_next);
    assert_eq!(keys.current().active(JwsAlgorithm::Rs256).unwrap().kid(), other);
    assert_eq!(held.active(JwsAlgorithm::Es256).unwrap().kid(), was_active);
    let all = keys.list().await.unwrap();
    assert!(
        all.iter()
            .all(|key| key.algorithm != JwsAlgorithm::Es256
                || key.since == now() + TimeDelta::days(1))
    );
}

#[tokio::test]
async fn of_two_rotations_from_the_same_state_one_is_refused() {
    let Ring { catalog, keys, _folder } = ring().await;
    let next = in_state(&keys, KeyState::Next).await.remove(0);
    let fresh = generate(&sealer(), JwsAlgorithm::Es256, KeyState::Next, now()).await.unwrap();
    let second = generate(&sealer(), JwsAlgorithm::Es256, KeyState::Next, now()).await.unwrap();

    catalog.rotate_signing_key(next.clone(), fresh, None).await.unwrap();
    let outcome = catalog.rotate_signing_key(next, second, None).await;

    assert_eq!(outcome, Err(CatalogError::Stale));
    assert_eq!(in_state(&keys, KeyState::Retiring).await.len(), 1);
}

#[tokio::test]
async fn only_a_retiring_key_can_be_retired() {
    let Ring { catalog, keys, _folder } = ring().await;
    let (was_active, was_next) = (active(&keys), in_state(&keys, KeyState::Next).await.remove(0));
    for kid in [&*was_active, &*was_next, "unknown"] {
        let outcome = keys.retire(kid, None).await;
        assert!(matches!(outcome, Err(KeyRingError::Catalog(CatalogError::NotFound))), "{kid}");
    }

    keys.rotate(JwsAlgorithm::Es256, now(), None).await.unwrap();
    keys.retire(&was_active, None).await.unwrap();

    assert!(keys.current().by_kid(&was_active).is_none());
    let again = KeyRing::load_or_create(&catalog, &sealer(), now()).await.unwrap();
    assert_eq!(again.current().jwks(), keys.current().jwks());
}

#[tokio::test]
async fn another_ring_sees_a_rotation_when_it_reads_again() {
    let Ring { catalog, keys, _folder } = ring().await;
    let other = KeyRing::load_or_create(&catalog, &sealer(), now()).await.unwrap();

    keys.rotate(JwsAlgorithm::Es256, now(), None).await.unwrap();
    assert_ne!(active(&other), active(&keys));
    other.reload().await.unwrap();

    assert_eq!(active(&other), active(&keys));
    let token = sign_compact(other.current().active(JwsAlgorithm::Es256).unwrap(), "JWT", &"x");
    assert!(token.is_ok());
}

#[tokio::test]
async fn a_key_opens_in_its_own_place_only() {
    let Ring { catalog, keys, _folder } = ring().await;
    let stored = catalog.signing_keys().await.unwrap();
    let mut moved = stored.clone();
    (moved[0].sealed, moved[1].sealed) = (stored[1].sealed.clone(), stored[0].sealed.clone());

    let outcome = open(&sealer(), &moved);

    assert!(matches!(outcome, Err(KeyRingError::Seal { source: SealError::Broken, .. })));
    assert!(!format!("{keys:?} {stored:?}").contains("PRIVATE"));
}

#[tokio::test]
async fn a_next_key_signs_after_a_day_unless_it_must_at_once() {
    let Ring { keys, _folder, .. } = ring().await;
    let next = in_state(&keys, KeyState::Next).await;
    let day = now() + TimeDelta::days(1);
    let early = day - TimeDelta::seconds(1);

    let refused = keys.rotate_published(JwsAlgorithm::Es256, early, None).await;
    let Err(KeyRingError::TooNew { kid, until }) = refused else { panic!("{refused:?}") };
    assert_eq!((&kid, until), (&next[0], day));
    assert_ne!(active(&keys), kid, "nothing has changed");

    keys.rotate_published(JwsAlgorithm::Es256, day, None).await.unwrap();
    assert_eq!(active(&keys), kid);
    let again = keys.rotate_published(JwsAlgorithm::Es256, day, None).await;
    assert!(matches!(again, Err(KeyRingError::TooNew { .. })), "its successor is a new one");
    keys.rotate(JwsAlgorithm::Es256, day, None).await.unwrap();
    assert_ne!(active(&keys), kid);
}
