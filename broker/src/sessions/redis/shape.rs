//! Which primaries there are, and their slots in a cluster.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use redis::cluster_routing::Slot;
use redis::{ErrorKind, RedisResult, Value, cmd, from_redis_value};

use super::link::Link;

/// One primary: the server, or one that serves slots of a cluster.
#[derive(Debug, PartialEq)]
pub(super) struct Primary {
    /// How a cluster names it.
    node: Value,
    slot: Slot,
    slots: Vec<RangeInclusive<u16>>,
}

/// A set of slots.
#[derive(Clone, Default, Eq, PartialEq)]
pub(super) struct Slots(HashSet<Slot>);

impl Primary {
    /// All that serve something.
    pub(super) async fn all(link: &Link) -> RedisResult<Vec<Self>> {
        if let Link::Server(_) = link {
            return Ok(Self::from_row(0, 16_383, &Value::Nil).into_iter().collect());
        }
        let mut command = cmd("CLUSTER");
        command.arg("SLOTS");
        let rows: Vec<Vec<Value>> = from_redis_value(link.ask_any(command).await?)?;
        let primaries = Self::of(&rows);
        if primaries.is_empty() {
            return Err(
                (ErrorKind::ClusterConnectionNotFound, "the cluster serves no slots").into()
            );
        }
        Ok(primaries)
    }

    /// A slot that it serves.
    pub(super) const fn slot(&self) -> Slot {
        self.slot
    }

    /// A row is: first slot, last slot, primary, replicas. One primary may have many.
    fn of(rows: &[Vec<Value>]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for row in rows {
            let [Value::Int(first), Value::Int(last), node, ..] = row.as_slice() else { continue };
            let Some(new) = Self::from_row(*first, *last, node) else { continue };
            match all.iter_mut().find(|known| known.node == new.node) {
                Some(known) => known.slots.extend(new.slots),
                None => all.push(new),
            }
        }
        all
    }

    fn from_row(first: i64, last: i64, node: &Value) -> Option<Self> {
        let (first, last) = (u16::try_from(first).ok()?, u16::try_from(last).ok()?);
        Some(Self { node: node.clone(), slot: Slot::new(first)?, slots: vec![first..=last] })
    }
}

impl Slots {
    /// Those of these primaries.
    pub(super) fn of(primaries: &[Primary]) -> Self {
        let ranges = primaries.iter().flat_map(|primary| primary.slots.iter().cloned());
        Self(ranges.flatten().filter_map(Slot::new).collect())
    }

    pub(super) fn contain(&self, key: &str) -> bool {
        self.0.contains(&Slot::for_key(key))
    }
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} slots", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(first: i64, last: i64, node: i64) -> Vec<Value> {
        vec![Value::Int(first), Value::Int(last), Value::Array(vec![Value::Int(node)])]
    }

    #[test]
    fn a_primary_has_all_its_ranges() {
        let rows = [row(0, 5_000, 1), row(5_001, 8_191, 2), row(8_192, 16_383, 1)];

        let primaries = Primary::of(&rows);

        assert_eq!(primaries.len(), 2);
        let slots = Slots::of(&primaries[..1]);
        // CRC16("123456789") is 0x31C3, slot 12739; "foo" is in slot 12182, "bar" in 5061
        assert!(slots.contain("foo") && slots.contain("123456789"));
        assert!(!slots.contain("bar") && !slots.contain("x{bar}y"));
        assert!(Slots::of(&primaries[1..]).contain("x{bar}y"));
    }

    #[test]
    fn rows_of_another_shape_are_no_primaries() {
        let odd = [vec![Value::Int(0)], row(-1, 5, 1), row(0, 70_000, 1), row(16_384, 16_384, 1)];

        assert_eq!(Primary::of(&odd), []);
    }
}
