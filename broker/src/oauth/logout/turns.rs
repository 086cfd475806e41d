//! Who may speak when: a client that is slow or away keeps nobody else waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

/// Messages to one client that wait, those for a later attempt included.
const MOST_PENDING_OF_ONE: usize = 1_000;
/// Messages that wait, of all clients.
const MOST_PENDING: u32 = 10_000;
/// Attempts at one client at the same time.
const AT_ONCE_OF_ONE: usize = 4;
/// Attempts at the same time.
const AT_ONCE: usize = 256;

/// The limits of all clients together, and those of each that is being told just now.
#[derive(Debug)]
pub(super) struct Turns {
    pending: Semaphore,
    speaking: Semaphore,
    clients: Mutex<HashMap<String, Arc<OfClient>>>,
}

/// The limits of one client.
#[derive(Debug)]
struct OfClient {
    pending: Semaphore,
    speaking: Semaphore,
}

/// A message's place among those that wait.
pub(super) struct Place<'a> {
    turns: &'a Turns,
    client_id: &'a str,
    client: Arc<OfClient>,
    _pending: SemaphorePermit<'a>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            pending: Semaphore::new(MOST_PENDING as usize),
            speaking: Semaphore::new(AT_ONCE),
            clients: Mutex::default(),
        }
    }
}

impl Turns {
    /// A place for a message to this client, unless too many wait already.
    pub(super) fn place<'a>(&'a self, client_id: &'a str) -> Option<Place<'a>> {
        let pending = self.pending.try_acquire().ok()?;
        let client = {
            let mut clients = self.clients();
            Arc::clone(
                clients.entry(client_id.to_owned()).or_insert_with(|| Arc::new(OfClient::new())),
            )
        };
        // given back by the place's end: a permit cannot borrow from what it is kept beside
        client.pending.try_acquire().ok()?.forget();
        Some(Place { turns: self, client_id, client, _pending: pending })
    }

    /// Ends when nothing waits any more.
    pub(super) async fn until_all_is_said(&self) {
        // it is never closed
        let _: Result<SemaphorePermit<'_>, AcquireError> =
            self.pending.acquire_many(MOST_PENDING).await;
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<String, Arc<OfClient>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfClient {
    fn new() -> Self {
        Self {
            pending: Semaphore::new(MOST_PENDING_OF_ONE),
            speaking: Semaphore::new(AT_ONCE_OF_ONE),
        }
    }
}

impl Place<'_> {
    /// One attempt's turn: first among the client's own, so that only who really speaks takes from what all share.
    ///
    /// # Errors
    /// [`AcquireError`], never: nothing closes these.
    pub(super) async fn turn(
        &self,
    ) -> Result<(SemaphorePermit<'_>, SemaphorePermit<'_>), AcquireError> {
        let own = self.client.speaking.acquire().await?;
        Ok((own, self.turns.speaking.acquire().await?))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.client.pending.add_permits(1);
        let mut clients = self.turns.clients();
        // the map's own and this one: nobody else is at it
        if Arc::strong_count(&self.client) == 2 {
            clients.remove(self.client_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_client_whose_turns_are_taken_keeps_no_other_waiting() {
        let turns = Turns::default();
        let slow: Vec<_> = (0..=AT_ONCE_OF_ONE).map(|_| turns.place("slow").unwrap()).collect();
        let mut held = Vec::new();
        for place in slow.iter().take(AT_ONCE_OF_ONE) {
            held.push(place.turn().await.unwrap());
        }

        assert!(slow[AT_ONCE_OF_ONE].turn().now_or_never().is_none());
        let other = turns.place("other").unwrap();
        assert!(other.turn().now_or_never().is_some());
    }

    #[test]
    fn a_client_with_too_many_waiting_takes_no_place_of_another() {
        let turns = Turns::default();
        let places: Vec<_> =
            (0..MOST_PENDING_OF_ONE).map(|_| turns.place("slow").unwrap()).collect();

        assert!(turns.place("slow").is_none());
        assert!(turns.place("other").is_some());
        drop(places);
        assert!(turns.clients().is_empty(), "nothing is kept of who is not told any more");
        assert!(turns.place("slow").is_some());
    }
}
