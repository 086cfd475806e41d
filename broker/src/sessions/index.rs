//! An index as it is stored: for each member eight bytes of its end (big endian, microseconds since 1970) and the member.
//! The script that Redis runs reads and writes the same.

use super::StoreError;
use super::operation::Member;

/// Members of one index; above that the one that would end first goes.
pub const MOST_MEMBERS: usize = 256;
/// Bytes of one member with its end.
const ENTRY: usize = 8 + 32;
/// Bytes of a full one.
pub(super) const LARGEST: usize = MOST_MEMBERS * ENTRY;

type Entry = (i64, Member);

/// An index that was changed.
pub(super) struct Changed {
    /// What is to be stored; empty where no member is left.
    pub(super) value: Vec<u8>,
    /// When the last member ends.
    pub(super) expires: i64,
    /// The member that had to go.
    pub(super) let_go: Option<Member>,
}

/// With this member until `ends`.
pub(super) fn add(
    stored: &[u8],
    member: Member,
    ends: i64,
    now: i64,
) -> Result<Changed, StoreError> {
    let mut entries = others(stored, member, now)?;
    let first = (0..entries.len()).min_by_key(|i| entries.get(*i).map(|(ends, _)| *ends));
    let full = entries.len() >= MOST_MEMBERS;
    let let_go = first.filter(|_| full).map(|first| entries.remove(first).1);
    entries.push((ends, member));
    Ok(Changed { let_go, ..changed(&entries) })
}

/// Without this member.
pub(super) fn remove(stored: &[u8], member: Member, now: i64) -> Result<Changed, StoreError> {
    Ok(changed(&others(stored, member, now)?))
}

/// The members that have not ended.
pub(super) fn members(stored: &[u8], now: i64) -> Result<Vec<Member>, StoreError> {
    Ok(live(stored, now)?.into_iter().map(|(_, member)| member).collect())
}

fn changed(entries: &[Entry]) -> Changed {
    let mut value = Vec::with_capacity(entries.len() * ENTRY);
    for (ends, member) in entries {
        value.extend_from_slice(&ends.to_be_bytes());
        value.extend_from_slice(&member.0);
    }
    let expires = entries.iter().map(|(ends, _)| *ends).max().unwrap_or(0);
    Changed { value, expires, let_go: None }
}

fn others(stored: &[u8], member: Member, now: i64) -> Result<Vec<Entry>, StoreError> {
    let mut entries = live(stored, now)?;
    entries.retain(|(_, other)| *other != member);
    Ok(entries)
}

fn live(stored: &[u8], now: i64) -> Result<Vec<Entry>, StoreError> {
    let (entries, rest) = stored.as_chunks::<ENTRY>();
    if !rest.is_empty() {
        return Err(StoreError::Unavailable("an index is not one of ours".to_owned()));
    }
    let entries = entries.iter().filter_map(|entry| {
        let (ends, member) = entry.split_first_chunk::<8>()?;
        Some((i64::from_be_bytes(*ends), Member(member.try_into().ok()?)))
    });
    Ok(entries.filter(|(ends, _)| *ends > now).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(n: usize) -> Member {
        Member::of(&n.to_string())
    }

    #[test]
    fn a_member_ends_at_its_own_moment_and_the_index_with_the_last() {
        let one = add(&[], member(1), 20, 0).unwrap();
        let two = add(&one.value, member(2), 10, 0).unwrap();

        assert_eq!((one.expires, two.expires), (20, 20));
        assert_eq!(members(&two.value, 9).unwrap(), [member(1), member(2)]);
        assert_eq!(members(&two.value, 10).unwrap(), [member(1)]);
        assert_eq!(members(&two.value, 20).unwrap(), []);
    }

    #[test]
    fn a_full_index_lets_go_of_the_member_that_would_end_first() {
        let mut stored = Vec::new();
        for n in 0..MOST_MEMBERS {
            let ends = if n == 7 { 50 } else { 100 };
            stored = add(&stored, member(n), ends, 0).unwrap().value;
        }

        let again = add(&stored, member(3), 60, 0).unwrap();
        assert_eq!(again.let_go, None, "it was a member already");
        let one_more = add(&stored, member(1000), 10, 0).unwrap();
        assert_eq!(one_more.let_go, Some(member(7)));
        assert_eq!(members(&one_more.value, 0).unwrap().len(), MOST_MEMBERS);
        let later = add(&stored, member(1000), 200, 50).unwrap();
        assert_eq!(later.let_go, None, "one had ended");
    }

    #[test]
    fn the_last_member_leaves_nothing_behind() {
        let stored = add(&[], member(1), 20, 0).unwrap().value;

        assert_eq!(remove(&stored, member(2), 0).unwrap().value, stored);
        assert!(remove(&stored, member(1), 0).unwrap().value.is_empty());
    }

    #[test]
    fn what_is_not_an_index_is_an_error() {
        let mut stored = add(&[], member(1), 20, 0).unwrap().value;
        stored.pop();

        assert!(members(&stored, 0).is_err());
        assert!(add(&stored, member(2), 20, 0).is_err());
        assert!(remove(&stored, member(2), 0).is_err());
    }
}
