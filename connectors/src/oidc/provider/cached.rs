use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::ConnectorError;

/// One remote document: read without waiting while it is fresh, loaded by one caller at a time when it is not.
#[derive(Debug)]
pub(super) struct Cached<T> {
    state: Mutex<State<T>>,
    loading: tokio::sync::Mutex<()>,
}

/// A document that was just loaded, and how long it is good.
#[derive(Debug)]
pub(super) struct Loaded<T> {
    pub(super) value: T,
    pub(super) lifetime: TimeDelta,
}

#[derive(Debug)]
struct State<T> {
    current: Option<(Arc<T>, DateTime<Utc>)>,
    last_attempt: Option<DateTime<Utc>>,
    failure: Option<ConnectorError>,
}

/// A document that can no longer be loaded is used this long after its lifetime: an outage of the provider's key
/// server does not stop logins, and a withdrawn key does not live for ever.
const GRACE: TimeDelta = TimeDelta::hours(24);
/// Between two attempts while an older document is at hand.
const RETRY: TimeDelta = TimeDelta::seconds(60);
/// Between two attempts while there is none.
const RETRY_WITHOUT: TimeDelta = TimeDelta::seconds(10);

impl<T> Cached<T> {
    /// The document; `load` runs only where it must.
    ///
    /// # Errors
    /// It cannot be loaded, or could not a moment ago, and no older one may be used.
    pub(super) async fn get(
        &self,
        now: DateTime<Utc>,
        load: impl Future<Output = Result<Loaded<T>, ConnectorError>> + Send,
    ) -> Result<Arc<T>, ConnectorError> {
        if let Some(settled) = self.state().settled(now) {
            return settled;
        }
        let _one_at_a_time = self.loading.lock().await;
        if let Some(settled) = self.state().settled(now) {
            return settled;
        }
        let loaded = load.await;
        self.state().take_in(loaded, now)
    }

    /// A document other than `seen`, if there is one or `load` brings one; else `seen`.
    ///
    /// Not oftener than once a minute: tokens with invented key ids must not make us hammer a provider.
    pub(super) async fn newer(
        &self,
        seen: Arc<T>,
        now: DateTime<Utc>,
        load: impl Future<Output = Result<Loaded<T>, ConnectorError>> + Send,
    ) -> Arc<T> {
        if let Some(newest) = self.state().newest(&seen, now) {
            return newest;
        }
        let _one_at_a_time = self.loading.lock().await;
        if let Some(newest) = self.state().newest(&seen, now) {
            return newest;
        }
        let loaded = load.await;
        self.state().take_in(loaded, now).unwrap_or(seen)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// The answer, if it can be given without loading.
    fn settled(&self, now: DateTime<Utc>) -> Option<Result<Arc<T>, ConnectorError>> {
        match &self.current {
            Some((value, until)) if now < *until => Some(Ok(Arc::clone(value))),
            Some((value, until)) if now < *until + GRACE => {
                self.tried_within(RETRY, now).then(|| Ok(Arc::clone(value)))
            }
            Some(_) | None => {
                let failure =
                    self.failure.as_ref().filter(|_| self.tried_within(RETRY_WITHOUT, now));
                failure.map(|failure| Err(failure.clone()))
            }
        }
    }

    fn newest(&self, seen: &Arc<T>, now: DateTime<Utc>) -> Option<Arc<T>> {
        let (current, _) = self.current.as_ref()?;
        let may_stay = !Arc::ptr_eq(current, seen) || self.tried_within(RETRY, now);
        may_stay.then(|| Arc::clone(current))
    }

    fn tried_within(&self, interval: TimeDelta, now: DateTime<Utc>) -> bool {
        self.last_attempt.is_some_and(|at| (now - at).abs() < interval)
    }

    /// Remembers how loading ended. An older document outlives a failure for a while.
    fn take_in(
        &mut self,
        loaded: Result<Loaded<T>, ConnectorError>,
        now: DateTime<Utc>,
    ) -> Result<Arc<T>, ConnectorError> {
        self.last_attempt = Some(now);
        match loaded {
            Ok(Loaded { value, lifetime }) => {
                let value = Arc::new(value);
                self.failure = None;
                self.current = Some((Arc::clone(&value), now + lifetime));
                Ok(value)
            }
            Err(error) => {
                self.failure = Some(error.clone());
                match &self.current {
                    Some((value, until)) if now < *until + GRACE => Ok(Arc::clone(value)),
                    Some(_) | None => Err(error),
                }
            }
        }
    }
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        let state = State { current: None, last_attempt: None, failure: None };
        Self { state: Mutex::new(state), loading: tokio::sync::Mutex::default() }
    }
}

#[cfg(test)]
mod tests;
