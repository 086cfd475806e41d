//! Which slots of a cluster have replicas.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use redis::cluster_routing::Slot;
use redis::{RedisResult, Value, cmd, from_redis_value};

use super::link::Link;

/// A set of slots.
#[derive(Clone, Default, Eq, PartialEq)]
pub(super) struct Slots(HashSet<Slot>);

impl Slots {
    /// Those whose primary has a replica that has not failed.
    pub(super) async fn replicated(link: &Link) -> RedisResult<Self> {
        let mut command = cmd("CLUSTER");
        command.arg("SLOTS");
        let rows: Vec<Vec<Value>> = from_redis_value(link.ask_any(command).await?)?;
        Ok(Self::of(&rows))
    }

    fn of(rows: &[Vec<Value>]) -> Self {
        let ranges = rows.iter().filter_map(|row| replicated(row));
        Self(ranges.flatten().filter_map(Slot::new).collect())
    }

    pub(super) fn contain(&self, key: &str) -> bool {
        self.0.contains(&Slot::for_key(key))
    }
}

/// A row is: first slot, last slot, primary, replicas.
fn replicated(row: &[Value]) -> Option<RangeInclusive<u16>> {
    let [Value::Int(first), Value::Int(last), _primary, _replica, ..] = row else { return None };
    Some(u16::try_from(*first).ok()?..=u16::try_from(*last).ok()?)
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} slots", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_without_replicas_asks_for_no_confirmation() {
        let node = || Value::Array(vec![]);
        let with = vec![Value::Int(0), Value::Int(8191), node(), node()];
        let without = vec![Value::Int(8192), Value::Int(16383), node()];

        let slots = Slots::of(&[with, without]);

        // CRC16("123456789") is 0x31C3, slot 12739; "foo" is in slot 12182, "bar" in 5061
        assert!(slots.contain("bar") && slots.contain("x{bar}y"));
        assert!(!slots.contain("foo") && !slots.contain("123456789"));
    }
}
