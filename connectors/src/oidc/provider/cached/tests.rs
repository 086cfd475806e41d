use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use super::*;

const HOUR: TimeDelta = TimeDelta::hours(1);

/// A source that counts how often it is asked and yields once, so that others can come in between.
#[derive(Default)]
struct Source {
    asked: AtomicUsize,
}

impl Source {
    async fn answer(&self) -> Result<Loaded<usize>, ConnectorError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::task::yield_now().await;
        Ok(Loaded { value: number, lifetime: HOUR })
    }

    async fn fail(&self) -> Result<Loaded<usize>, ConnectorError> {
        self.answer().await?;
        Err(failure())
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn failure() -> ConnectorError {
    ConnectorError::Unreachable { what: "the key set", reason: "connection refused".to_owned() }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000, 0).unwrap()
}

fn after(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

#[tokio::test]
async fn a_fresh_document_is_not_loaded_again_and_a_stale_one_is() {
    let (cached, source) = (Cached::default(), Source::default());

    assert_eq!(*cached.get(start(), source.answer()).await.unwrap(), 1);
    assert_eq!(*cached.get(after(3599), source.answer()).await.unwrap(), 1);
    assert_eq!(*cached.get(after(3600), source.answer()).await.unwrap(), 2);
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn many_callers_at_once_load_once() {
    let (cached, source) = (Cached::default(), Source::default());

    let all = (0..50).map(|_| cached.get(start(), source.answer()));
    let values = futures_util::future::join_all(all).await;

    assert!(values.into_iter().all(|value| *value.unwrap() == 1));
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn many_callers_at_once_share_one_failure() {
    let (cached, source) = (Cached::<usize>::default(), Source::default());

    let all = (0..50).map(|_| cached.get(start(), source.fail()));
    let values = futures_util::future::join_all(all).await;

    assert!(values.into_iter().all(|value| value.unwrap_err() == failure()));
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn a_failure_is_remembered_for_ten_seconds() {
    let (cached, source) = (Cached::<usize>::default(), Source::default());

    assert!(cached.get(start(), source.fail()).await.is_err());
    assert!(cached.get(after(9), source.answer()).await.is_err());
    assert_eq!(*cached.get(after(10), source.answer()).await.unwrap(), 2);
}

#[tokio::test]
async fn an_old_document_outlives_a_failure_for_a_day_and_is_tried_once_a_minute() {
    let (cached, source) = (Cached::default(), Source::default());
    cached.get(start(), source.answer()).await.unwrap();
    let (stale, end) = (3600, 3600 + 86_400);

    assert_eq!(*cached.get(after(stale), source.fail()).await.unwrap(), 1);
    assert_eq!(*cached.get(after(stale + 59), source.fail()).await.unwrap(), 1);
    assert_eq!(source.asked(), 2);
    assert_eq!(*cached.get(after(stale + 60), source.fail()).await.unwrap(), 1);
    assert_eq!(source.asked(), 3);
    assert_eq!(*cached.get(after(end - 1), source.fail()).await.unwrap(), 1);
    assert_eq!(cached.get(after(end), source.fail()).await.unwrap_err(), failure());
}

#[tokio::test]
async fn newer_documents_are_looked_for_once_a_minute() {
    let (cached, source) = (Cached::default(), Source::default());
    let first = cached.get(start(), source.answer()).await.unwrap();

    let too_soon = cached.newer(Arc::clone(&first), after(59), source.answer()).await;
    let newer = cached.newer(Arc::clone(&first), after(60), source.answer()).await;
    let again = cached.newer(Arc::clone(&newer), after(119), source.answer()).await;

    assert_eq!((*too_soon, *newer, *again), (1, 2, 2));
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn many_callers_with_an_unknown_key_load_once_and_all_get_the_newer_document() {
    let (cached, source) = (Cached::default(), Source::default());
    let first = cached.get(start(), source.answer()).await.unwrap();

    let all = (0..50).map(|_| cached.newer(Arc::clone(&first), after(60), source.answer()));
    let values = futures_util::future::join_all(all).await;

    assert!(values.iter().all(|value| **value == 2));
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn the_old_document_stays_where_a_newer_one_cannot_be_had() {
    let (cached, source) = (Cached::default(), Source::default());
    let first = cached.get(start(), source.answer()).await.unwrap();

    let kept = cached.newer(Arc::clone(&first), after(60), source.fail()).await;

    assert_eq!(*kept, 1);
    assert_eq!(*cached.get(after(61), source.answer()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_loading_to_the_next() {
    let cached = Cached::default();
    let source = Source::default();
    let mut gone = Box::pin(cached.get(start(), source.answer()));
    let context = &mut Context::from_waker(Waker::noop());
    assert!(gone.as_mut().poll(context).is_pending());

    drop(gone);

    assert_eq!(*cached.get(start(), source.answer()).await.unwrap(), 2);
}
