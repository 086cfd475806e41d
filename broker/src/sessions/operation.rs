//! What a store is asked to do, and what came of it.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};

use super::{Key, StoreError};

/// One atomic operation on one key.
#[derive(Clone, Eq, PartialEq)]
pub enum Operation {
    /// Replaces exactly `expected` by `new`, where that is what is there.
    CompareAndSwap {
        /// Of the record.
        key: Key,
        /// What must be there.
        expected: Vec<u8>,
        /// What is there then.
        new: Vec<u8>,
        /// Until when.
        expires_at: DateTime<Utc>,
    },
    /// One more within the window that ends at `window_end`. A counter is no promise: it may be lost with its node, and of
    /// very many some are not counted.
    Count {
        /// Of the counter.
        key: Key,
        /// When it starts again.
        window_end: DateTime<Utc>,
    },
    /// Reads a value.
    Get {
        /// Of the record.
        key: Key,
    },
    /// Adds a member to an index, or gives one that is there another end. A full index lets go of the member that would end
    /// first and names it: the caller has to end what it stands for.
    IndexAdd {
        /// Of the index.
        key: Key,
        /// To add.
        member: Member,
        /// Its own end.
        expires_at: DateTime<Utc>,
    },
    /// Reads the members that have not ended, those that were added last at the end.
    IndexMembers {
        /// Of the index.
        key: Key,
    },
    /// Takes a member out, if it is there.
    IndexRemove {
        /// Of the index.
        key: Key,
        /// To take out.
        member: Member,
    },
    /// Writes where nothing live is.
    InsertOnce {
        /// Of the record.
        key: Key,
        /// To write.
        value: Vec<u8>,
        /// Until when.
        expires_at: DateTime<Utc>,
    },
    /// Writes a value, replacing what was there.
    Put {
        /// Of the record.
        key: Key,
        /// To write.
        value: Vec<u8>,
        /// Until when.
        expires_at: DateTime<Utc>,
    },
    /// Reads and removes.
    Take {
        /// Of the record.
        key: Key,
    },
}

/// What came of an [`Operation`].
#[derive(Clone, Eq, PartialEq)]
pub enum Outcome {
    /// Of `Count`: how many it is now, this one included.
    Counted(u64),
    /// Of `CompareAndSwap` and `InsertOnce`: whether it was written.
    Decided(bool),
    /// Of `Put` and `IndexRemove`.
    Done,
    /// Of `IndexAdd`: the member that had to go.
    LetGo(Option<Member>),
    /// Of `IndexMembers`.
    Members(Vec<Member>),
    /// Of `Get` and `Take`.
    Value(Option<Vec<u8>>),
}

/// What an index holds: the SHA-256 of a handle, as it also stands in the record's [`Key`]. So a record is found through an
/// index without its handle, which is stored nowhere (RULES 33).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Member(pub [u8; 32]);

impl Operation {
    /// Where it works.
    pub const fn key(&self) -> &Key {
        match self {
            Self::CompareAndSwap { key, .. }
            | Self::Count { key, .. }
            | Self::Get { key }
            | Self::IndexAdd { key, .. }
            | Self::IndexMembers { key }
            | Self::IndexRemove { key, .. }
            | Self::InsertOnce { key, .. }
            | Self::Put { key, .. }
            | Self::Take { key } => key,
        }
    }

    /// Its name, for counting.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::CompareAndSwap { .. } => "compare_and_swap",
            Self::Count { .. } => "count",
            Self::Get { .. } => "get",
            Self::IndexAdd { .. } => "index_add",
            Self::IndexMembers { .. } => "index_members",
            Self::IndexRemove { .. } => "index_remove",
            Self::InsertOnce { .. } => "insert_once",
            Self::Put { .. } => "put",
            Self::Take { .. } => "take",
        }
    }

    /// Whether it may change what must be durable; counters need not be.
    pub const fn writes(&self) -> bool {
        match self {
            Self::Count { .. } | Self::Get { .. } | Self::IndexMembers { .. } => false,
            Self::CompareAndSwap { .. }
            | Self::IndexAdd { .. }
            | Self::IndexRemove { .. }
            | Self::InsertOnce { .. }
            | Self::Put { .. }
            | Self::Take { .. } => true,
        }
    }
}

impl Outcome {
    /// Of a read or a take.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] for the outcome of another operation; here and below.
    pub fn value(self) -> Result<Option<Vec<u8>>, StoreError> {
        if let Self::Value(value) = self { Ok(value) } else { Err(other_kind()) }
    }

    /// Of a swap or an insertion.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn decided(self) -> Result<bool, StoreError> {
        if let Self::Decided(won) = self { Ok(won) } else { Err(other_kind()) }
    }

    /// Of a put or a removal from an index.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn done(self) -> Result<(), StoreError> {
        if let Self::Done = self { Ok(()) } else { Err(other_kind()) }
    }

    /// Of an addition to an index.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn let_go(self) -> Result<Option<Member>, StoreError> {
        if let Self::LetGo(member) = self { Ok(member) } else { Err(other_kind()) }
    }

    /// Of the reading of an index.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn members(self) -> Result<Vec<Member>, StoreError> {
        if let Self::Members(members) = self { Ok(members) } else { Err(other_kind()) }
    }

    /// Of a count.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn counted(self) -> Result<u64, StoreError> {
        if let Self::Counted(count) = self { Ok(count) } else { Err(other_kind()) }
    }
}

fn other_kind() -> StoreError {
    StoreError::Unavailable("the store gave the outcome of another operation".to_owned())
}

impl Member {
    /// Of the record with this handle.
    pub fn of(handle: &str) -> Self {
        let mut member = [0; 32];
        member.copy_from_slice(digest(&SHA256, handle.as_bytes()).as_ref());
        Self(member)
    }
}

/// Never shows values.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.word(), self.key())
    }
}

/// Never shows values.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted(count) => write!(f, "Counted({count})"),
            Self::Decided(won) => write!(f, "Decided({won})"),
            Self::Done => f.write_str("Done"),
            Self::LetGo(member) => write!(f, "LetGo({})", member.is_some()),
            Self::Members(members) => write!(f, "Members({})", members.len()),
            Self::Value(value) => write!(f, "Value({})", value.is_some()),
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
