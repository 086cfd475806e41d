//! Each operation as one command, and what its answer means.

use chrono::{DateTime, TimeDelta, Utc};
use redis::{Cmd, Value, cmd, from_redis_value};

use super::manager::unavailable;
use super::record::{self, LONGEST, MARGIN, Written, micros};
use super::scripts;
use crate::sessions::{Member, Operation, Outcome, StoreError, index};

/// Shortest life of a counter; Redis takes none that is shorter than a millisecond.
const SHORTEST: TimeDelta = TimeDelta::seconds(1);

/// `now` judges expiry, `clock` tells Redis how long to keep things.
pub(super) fn command(
    operation: &Operation,
    prefix: &str,
    now: DateTime<Utc>,
    clock: DateTime<Utc>,
) -> Cmd {
    let key = record::key(prefix, operation.key());
    match operation {
        Operation::CompareAndSwap { expected, new, expires_at, .. } => {
            let mut command = script(scripts::COMPARE_AND_SWAP, &key, now);
            lasting(&mut command, &Written::new(new, *expires_at, clock));
            command.arg(expected);
            command
        }
        Operation::Count { window_end, .. } => {
            let mut command = script(scripts::COUNT, &key, now);
            let left = (*window_end - clock).clamp(SHORTEST, LONGEST);
            command.arg(&stored_end(*window_end)).arg(left.num_milliseconds());
            command
        }
        Operation::Get { .. } | Operation::IndexMembers { .. } => plain("GET", &key),
        Operation::IndexAdd { member, expires_at, .. } => {
            on_index(&key, *member, &stored_end(*expires_at), now, clock)
        }
        Operation::IndexRemove { member, .. } => on_index(&key, *member, b"", now, clock),
        Operation::InsertOnce { value, expires_at, .. } => {
            let mut command = script(scripts::INSERT_ONCE, &key, now);
            lasting(&mut command, &Written::new(value, *expires_at, clock));
            command
        }
        Operation::Put { value, expires_at, .. } => {
            let new = Written::new(value, *expires_at, clock);
            let mut command = plain("SET", &key);
            command.arg(&new.value).arg("PX").arg(new.milliseconds);
            command
        }
        // also takes away what has ended: nobody may see that any more
        Operation::Take { .. } => plain("GETDEL", &key),
    }
}

/// Whether something changed that a replica has to confirm.
pub(super) fn changed(operation: &Operation, answer: &Value) -> bool {
    match operation {
        Operation::CompareAndSwap { .. } | Operation::InsertOnce { .. } => *answer != Value::Int(0),
        Operation::Count { .. } | Operation::Get { .. } | Operation::IndexMembers { .. } => false,
        Operation::IndexAdd { .. } | Operation::IndexRemove { .. } | Operation::Put { .. } => true,
        Operation::Take { .. } => *answer != Value::Nil,
    }
}

/// What an answer means.
///
/// # Errors
/// [`StoreError::Unavailable`] for an answer that the command does not have, and for values that are not ours.
pub(super) fn outcome(
    operation: &Operation,
    answer: Value,
    now: DateTime<Utc>,
) -> Result<Outcome, StoreError> {
    match operation {
        Operation::CompareAndSwap { .. } | Operation::InsertOnce { .. } => {
            let Value::Int(wrote @ (0 | 1)) = answer else { return Err(unexpected()) };
            Ok(Outcome::Decided(wrote == 1))
        }
        Operation::Count { .. } => {
            let Value::Int(count) = answer else { return Err(unexpected()) };
            Ok(Outcome::Counted(count.try_into().map_err(|_| unexpected())?))
        }
        Operation::Get { .. } | Operation::Take { .. } => Ok(Outcome::Value(live(answer, now)?)),
        Operation::IndexAdd { .. } => {
            let gone = bytes(answer)?.map(<[u8; 32]>::try_from).transpose();
            Ok(Outcome::LetGo(gone.map_err(|_| unexpected())?.map(Member)))
        }
        Operation::IndexMembers { .. } => {
            let stored = live(answer, now)?.unwrap_or_default();
            Ok(Outcome::Members(index::members(&stored, micros(now))?))
        }
        Operation::IndexRemove { .. } => {
            bytes(answer)?.map_or(Ok(Outcome::Done), |_| Err(unexpected()))
        }
        Operation::Put { .. } if answer == Value::Okay => Ok(Outcome::Done),
        Operation::Put { .. } => Err(unexpected()),
    }
}

fn plain(name: &'static str, key: &str) -> Cmd {
    let mut command = cmd(name);
    command.arg(key);
    command
}

/// With its text each time: EVALSHA would take a second round trip after every restart and failover.
fn script(text: &str, key: &str, now: DateTime<Utc>) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(text).arg(1).arg(key).arg(micros(now));
    command
}

fn lasting(command: &mut Cmd, new: &Written) {
    command.arg(&new.value).arg(new.milliseconds);
}

fn on_index(
    key: &str,
    member: Member,
    end: &[u8],
    now: DateTime<Utc>,
    clock: DateTime<Utc>,
) -> Cmd {
    let mut command = script(scripts::INDEX, key, now);
    command.arg(&member.0).arg(end).arg(index::MOST_MEMBERS).arg(micros(clock));
    command.arg(LONGEST.num_milliseconds()).arg(MARGIN.num_milliseconds());
    command
}

fn stored_end(at: DateTime<Utc>) -> [u8; 8] {
    micros(at).to_be_bytes()
}

fn live(answer: Value, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError> {
    bytes(answer)?.map_or(Ok(None), |stored| record::payload(stored, now))
}

fn bytes(answer: Value) -> Result<Option<Vec<u8>>, StoreError> {
    from_redis_value(answer).map_err(|_| unexpected())
}

/// Never shows the value.
fn unexpected() -> StoreError {
    unavailable("Redis gave another kind of answer than the command has")
}
