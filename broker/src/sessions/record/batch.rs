//! Several operations on records in one round trip, each with its own typed outcome.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};

use super::{Handle, Record, Records, Stored, key};
use crate::sessions::{Key, Member, Operation, Outcome, StoreError};

/// Operations that are to run together; see [`crate::sessions::SessionStore::batch`] for what that means.
#[derive(Debug)]
pub struct Batch<'a> {
    records: &'a Records,
    operations: Vec<Operation>,
    now: DateTime<Utc>,
}

/// Stands for the outcome of one operation of a batch, a `T`.
#[derive(Debug)]
#[must_use = "an outcome that nobody looks at decides nothing"]
pub struct Ticket<T>(usize, PhantomData<fn() -> T>);

/// What came of a batch.
#[derive(Debug)]
pub struct Outcomes<'a> {
    records: &'a Records,
    /// Each with the key that it was on, until it is asked for.
    outcomes: Vec<Option<(Key, Outcome)>>,
}

/// What an outcome can be read as.
pub trait Answer: Sized {
    /// From the outcome of an operation on `key`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it is none, and for values that do not open.
    fn read(records: &Records, key: &Key, outcome: Outcome) -> Result<Self, StoreError>;
}

impl<'a> Batch<'a> {
    pub(super) const fn new(records: &'a Records, now: DateTime<Utc>) -> Self {
        Self { records, operations: Vec::new(), now }
    }

    /// The time that it runs at.
    pub const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// As [`Records::put`].
    ///
    /// # Errors
    /// [`StoreError`] where the record cannot be sealed.
    pub fn put<R: Record>(
        &mut self,
        handle: &(impl Handle + ?Sized),
        record: &R,
    ) -> Result<(), StoreError> {
        self.put_until(handle, record, self.now + R::LIFETIME)
    }

    /// As [`Records::put`], for a record with an end of its own.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn put_until<R: Record>(
        &mut self,
        handle: &(impl Handle + ?Sized),
        record: &R,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = key::<R>(handle);
        let value = self.records.seal(&key, record)?;
        self.operations.push(Operation::Put { key, value, expires_at });
        Ok(())
    }

    /// As [`Records::get`].
    pub fn get<R: Record>(&mut self, handle: &(impl Handle + ?Sized)) -> Ticket<Option<Stored<R>>> {
        self.add(Operation::Get { key: key::<R>(handle) })
    }

    /// As [`Records::take`].
    pub fn take<R: Record>(
        &mut self,
        handle: &(impl Handle + ?Sized),
    ) -> Ticket<Option<Stored<R>>> {
        self.add(Operation::Take { key: key::<R>(handle) })
    }

    /// As [`Records::swap`].
    ///
    /// # Errors
    /// [`StoreError`] where the record cannot be sealed.
    pub fn swap<R: Record>(
        &mut self,
        handle: &(impl Handle + ?Sized),
        read: &Stored<R>,
        new: &R,
        expires_at: DateTime<Utc>,
    ) -> Result<Ticket<bool>, StoreError> {
        let (key, expected) = (key::<R>(handle), read.raw.clone());
        let new = self.records.seal(&key, new)?;
        Ok(self.add(Operation::CompareAndSwap { key, expected, new, expires_at }))
    }

    /// As [`Records::first_use`].
    pub fn first_use(
        &mut self,
        kind: &'static str,
        value: &str,
        until: DateTime<Utc>,
    ) -> Ticket<bool> {
        let key = Key { kind, digest: value.digest() };
        self.add(Operation::InsertOnce { key, value: b"1".to_vec(), expires_at: until })
    }

    /// Lays out a voucher under a handle, to be spent once by whoever knows `claim`; `false` where one was laid out before,
    /// spent or not.
    pub fn lay_voucher(
        &mut self,
        (kind, handle): (&'static str, &str),
        claim: &str,
        until: DateTime<Utc>,
    ) -> Ticket<bool> {
        let key = Key { kind, digest: handle.digest() };
        let value = claim.digest().to_vec();
        self.add(Operation::InsertOnce { key, value, expires_at: until })
    }

    /// Spends a voucher: of many that do one gets `true`, and nobody does without the claim. It is known to be spent `until`
    /// then. No reading has to come before it, so it can run beside the reading of what it is for.
    pub fn spend_voucher(
        &mut self,
        (kind, handle): (&'static str, &str),
        claim: &str,
        until: DateTime<Utc>,
    ) -> Ticket<bool> {
        let key = Key { kind, digest: handle.digest() };
        let (expected, new) = (claim.digest().to_vec(), b"spent".to_vec());
        self.add(Operation::CompareAndSwap { key, expected, new, expires_at: until })
    }

    /// As [`Records::index_add`].
    pub fn index_add(
        &mut self,
        (kind, of): (&'static str, &str),
        member: &(impl Handle + ?Sized),
        until: DateTime<Utc>,
    ) -> Ticket<Option<Member>> {
        let (key, member) = (Key { kind, digest: of.digest() }, Member(member.digest()));
        self.add(Operation::IndexAdd { key, member, expires_at: until })
    }

    /// As [`Records::index_remove`].
    pub fn index_remove(
        &mut self,
        (kind, of): (&'static str, &str),
        member: &(impl Handle + ?Sized),
    ) {
        let (key, member) = (Key { kind, digest: of.digest() }, Member(member.digest()));
        self.operations.push(Operation::IndexRemove { key, member });
    }

    /// As [`Records::index_members`].
    pub fn index_members(&mut self, (kind, of): (&'static str, &str)) -> Ticket<Vec<Member>> {
        self.add(Operation::IndexMembers { key: Key { kind, digest: of.digest() } })
    }

    /// As [`Records::count`].
    pub fn count(
        &mut self,
        (kind, of): (&'static str, &str),
        window_end: DateTime<Utc>,
    ) -> Ticket<u64> {
        self.add(Operation::Count { key: Key { kind, digest: of.digest() }, window_end })
    }

    /// Runs them, in one round trip.
    ///
    /// # Errors
    /// [`StoreError`]: nothing is known of any of them then.
    pub async fn run(self) -> Result<Outcomes<'a>, StoreError> {
        let outcomes = self.records.store.batch(&self.operations, self.now).await?;
        if outcomes.len() != self.operations.len() {
            return Err(missing());
        }
        let keys = self.operations.into_iter().map(|operation| operation.key().clone());
        let outcomes = keys.zip(outcomes).map(Some).collect();
        Ok(Outcomes { records: self.records, outcomes })
    }

    fn add<T>(&mut self, operation: Operation) -> Ticket<T> {
        self.operations.push(operation);
        Ticket(self.operations.len() - 1, PhantomData)
    }
}

impl Outcomes<'_> {
    /// The outcome that a ticket of the same batch stands for.
    ///
    /// # Errors
    /// As [`Answer::read`].
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is good for one outcome")]
    pub fn of<T: Answer>(&mut self, ticket: Ticket<T>) -> Result<T, StoreError> {
        let outcome = self.outcomes.get_mut(ticket.0).and_then(Option::take);
        let (key, outcome) = outcome.ok_or_else(missing)?;
        T::read(self.records, &key, outcome)
    }
}

fn missing() -> StoreError {
    StoreError::Unavailable("an outcome is missing".to_owned())
}

impl Answer for bool {
    fn read(_: &Records, _: &Key, outcome: Outcome) -> Result<Self, StoreError> {
        outcome.decided()
    }
}

impl Answer for u64 {
    fn read(_: &Records, _: &Key, outcome: Outcome) -> Result<Self, StoreError> {
        outcome.counted()
    }
}

impl Answer for Option<Member> {
    fn read(_: &Records, _: &Key, outcome: Outcome) -> Result<Self, StoreError> {
        outcome.let_go()
    }
}

impl Answer for Vec<Member> {
    fn read(_: &Records, _: &Key, outcome: Outcome) -> Result<Self, StoreError> {
        outcome.members()
    }
}

impl<R: Record> Answer for Option<Stored<R>> {
    fn read(records: &Records, key: &Key, outcome: Outcome) -> Result<Self, StoreError> {
        outcome.value()?.map(|raw| records.stored(key, raw)).transpose()
    }
}
