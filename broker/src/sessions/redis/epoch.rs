//! When the store began (RULES 32): a key of its own, made where it is missing and made anew where the data's history is
//! another one than before. A restart, a restore and a failover may each have lost acknowledged replay markers.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use redis::{Cmd, Pipeline, Value, cmd, from_redis_value};

use super::checks::Standing;
use super::link::Link;
use super::manager::{Access, Manager, unavailable};
use crate::sessions::StoreError;

/// Keys: 1 the epoch. Arguments: now in microseconds, the lineage or nothing, whether to begin anew in any case.
/// The value is both, with a space between them.
const EPOCH: &str = "local v = redis.call('GET', KEYS[1]) \
    local at, lineage = string.match(v or '', '^(%d+) (.*)$') \
    if at and ARGV[3] == '0' and (ARGV[2] == '' or lineage == ARGV[2]) then return at end \
    redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2]) return ARGV[1]";

pub(super) fn key(prefix: &str) -> String {
    format!("{prefix}{{epoch}}")
}

/// On a new connection, so that the epoch is that of the change and not of the first login after it. Where the history cannot
/// be seen, a new connection may mean a new one. A failure here is told to the first who asks for the epoch.
pub(super) async fn begin(link: &Link, key: &str, lineage: Option<&str>, now: DateTime<Utc>) {
    let mut commands = Pipeline::new();
    commands.add_command(script(key, now, lineage));
    let _ = link.run(key, commands).await;
}

/// Reads it, in a cluster against the primaries of this moment.
pub(super) async fn read(manager: &Arc<Manager>) -> Result<DateTime<Utc>, StoreError> {
    let open = manager.open().await?;
    let known = open.standing().lineage.clone();
    let lineage = match known {
        Some(_) if !open.is_server() => {
            Some(manager.watched(&open, Standing::lineage(&open.link)).await?)
        }
        known => known,
    };
    let command =
        script(manager.epoch_key(), manager.now(), Some(lineage.as_deref().unwrap_or("")));
    let mut answer = manager.call(manager.epoch_key(), vec![command], Access::Write).await?;
    manager.confirmed(&answer)?;
    answer
        .values
        .pop()
        .and_then(moment)
        .ok_or_else(|| unavailable("the epoch in Redis is not one of ours"))
}

fn script(key: &str, now: DateTime<Utc>, lineage: Option<&str>) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(EPOCH).arg(1).arg(key).arg(now.timestamp_micros());
    command.arg(lineage.unwrap_or("")).arg(i32::from(lineage.is_none()));
    command
}

fn moment(value: Value) -> Option<DateTime<Utc>> {
    let micros: i64 = from_redis_value(value).ok()?;
    DateTime::from_timestamp_micros(micros)
}
