//! What a Redis must be so that an acknowledged record stays: version, eviction, persistence, and who replicates it.

use futures_util::future::try_join_all;
use redis::{Cmd, RedisResult, Value, cmd, from_redis_value};

use super::link::{Link, says};
use super::shape::{Primary, Slots};

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// Why it must not be used; empty where it may.
    pub(super) faults: Vec<String>,
    /// What the operator should know.
    pub(super) warnings: Vec<String>,
    /// Whose writes a replica has to confirm.
    pub(super) replicated: Replicated,
    /// Identity of the data's history: another one after a restart, a restore or a failover, when acknowledged writes may be
    /// lost. `None` where we may not see it.
    pub(super) lineage: Option<String>,
}

/// Where a replica has to confirm writes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Replicated {
    /// Nowhere, and none is demanded.
    #[default]
    No,
    /// The one primary has replicas.
    Yes,
    /// These slots of a cluster do.
    Slots(Slots),
}

impl Replicated {
    /// By these primaries having replicas.
    fn by(link: &Link, primaries: &[Primary]) -> Self {
        match link {
            Link::Cluster(_) => Self::Slots(Slots::of(primaries)),
            Link::Server(_) if primaries.is_empty() => Self::No,
            Link::Server(_) => Self::Yes,
        }
    }

    pub(super) fn covers(&self, key: &str) -> bool {
        match self {
            Self::No => false,
            Self::Yes => true,
            Self::Slots(slots) => slots.contain(key),
        }
    }
}

impl Standing {
    /// Asks every primary. A user without the right to INFO gets less checked, and a warning.
    pub(super) async fn of(link: &Link) -> RedisResult<Self> {
        match Self::seen(link).await {
            Err(error) if says(&error, "NOPERM") => Self::unseen(link).await,
            standing => standing,
        }
    }

    async fn seen(link: &Link) -> RedisResult<Self> {
        let mut standing = Self::default();
        let mut lineages = Vec::new();
        let mut confirmed = Vec::new();
        for (primary, answer) in ask_each(link, cmd("INFO")).await? {
            let text: String = from_redis_value(answer)?;
            let info = Info(&text);
            standing.judge(&info);
            lineages.extend(info.get("master_replid").map(str::to_owned));
            if info.is_replicated() {
                confirmed.push(primary);
            }
        }
        lineages.sort();
        standing.lineage = (!lineages.is_empty()).then(|| lineages.join(","));
        standing.replicated = Replicated::by(link, &confirmed);
        standing.warnings.dedup();
        standing.faults.dedup();
        Ok(standing)
    }

    /// The lineage alone, asked anew: within a cluster a primary may change without our noticing.
    pub(super) async fn lineage(link: &Link) -> RedisResult<String> {
        let mut command = cmd("INFO");
        command.arg("replication");
        let mut lineages = Vec::new();
        for answer in link.ask_primaries(&command).await? {
            let text: String = from_redis_value(answer)?;
            lineages.extend(Info(&text).get("master_replid").map(str::to_owned));
        }
        lineages.sort();
        Ok(lineages.join(","))
    }

    fn judge(&mut self, info: &Info<'_>) {
        let version = info.get("redis_version").unwrap_or("unknown");
        if !is_new_enough(version) {
            self.faults.push(format!("it is version {version}; 6.2 or later is needed"));
        }
        if info.get("role") != Some("master") {
            self.faults.push("it is a replica, not the primary".to_owned());
        }
        match info.get("maxmemory_policy") {
            Some("noeviction") => {}
            policy => self.faults.push(format!(
                "its maxmemory-policy is {}, which forgets records to make room: set noeviction",
                policy.unwrap_or("unknown")
            )),
        }
        if info.get("aof_enabled") != Some("1") {
            let text = "appendonly is off: a restart of Redis ends every login under way";
            self.warnings.push(text.to_owned());
        }
        if info.has_replica() && !info.refuses_without_replica() {
            let text = "it has replicas but no min-replicas-to-write: set 1, or what a primary alone acknowledged is lost \
                        when it fails";
            self.warnings.push(text.to_owned());
        }
    }

    /// What can be seen without INFO: that it answers, and how many replicas it has (WAIT tells).
    async fn unseen(link: &Link) -> RedisResult<Self> {
        let mut count: Cmd = cmd("WAIT");
        count.arg(0).arg(1);
        let mut confirmed = Vec::new();
        for (primary, answer) in ask_each(link, count).await? {
            if from_redis_value::<u32>(answer)? > 0 {
                confirmed.push(primary);
            }
        }
        let text = "its user may not run INFO, so version, maxmemory-policy, persistence and failovers cannot be seen: add \
                    +info to the user";
        let replicated = Replicated::by(link, &confirmed);
        Ok(Self { replicated, warnings: vec![text.to_owned()], ..Self::default() })
    }
}

/// What each primary answers. Each is asked itself: what the others know of its replicas is late by seconds.
async fn ask_each(link: &Link, command: Cmd) -> RedisResult<Vec<(Primary, Value)>> {
    let primaries = Primary::all(link).await?;
    let answers = primaries.iter().map(|primary| link.ask_slot(primary.slot(), command.clone()));
    let answers = try_join_all(answers).await?;
    Ok(primaries.into_iter().zip(answers).collect())
}

/// `INFO` as it is answered: `name:value` lines.
struct Info<'a>(&'a str);

impl Info<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    /// Whether a write can be confirmed, and so must be.
    fn is_replicated(&self) -> bool {
        self.has_replica() || self.refuses_without_replica()
    }

    /// `min-replicas-to-write` is set: the line is shown only then.
    fn refuses_without_replica(&self) -> bool {
        self.get("min_slaves_good_slaves").is_some()
    }

    /// One that has confirmed something. Until then it is still copying, though Redis may call it online.
    fn has_replica(&self) -> bool {
        let nothing_to_confirm = self.get("master_repl_offset") == Some("0");
        let confirms = |line: &&str| nothing_to_confirm || !line.contains(",offset=0,");
        let online = |line: &&str| line.starts_with("slave") && line.contains("state=online");
        self.0.lines().filter(online).any(|line| confirms(&line))
    }
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) >= (6, 2),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\n\
        aof_enabled:1\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\nmaster_replid:abc\r\n";

    fn judged(info: &str) -> Standing {
        let mut standing = Standing::default();
        standing.judge(&Info(info));
        standing
    }

    #[test]
    fn a_good_server_raises_nothing() {
        let standing = judged(GOOD);
        assert!(standing.faults.is_empty() && standing.warnings.is_empty(), "{standing:?}");
    }

    #[test]
    fn what_could_lose_records_is_a_fault() {
        for (from, to, says) in [
            ("7.0.15", "6.0.16", "6.2"),
            ("7.0.15", "odd", "6.2"),
            ("noeviction", "allkeys-lru", "allkeys-lru"),
            ("noeviction", "volatile-ttl", "volatile-ttl"),
            ("role:master", "role:slave", "replica"),
        ] {
            let standing = judged(&GOOD.replace(from, to));
            assert_eq!(standing.faults.len(), 1, "{to}");
            assert!(standing.faults[0].contains(says), "{:?}", standing.faults);
        }
        assert_eq!(judged("").faults.len(), 3);
        for version in ["6.2.0", "7.4.1", "8.0.0", "10.0.0"] {
            assert!(judged(&GOOD.replace("7.0.15", version)).faults.is_empty(), "{version}");
        }
    }

    #[test]
    fn without_appendonly_it_warns() {
        let standing = judged(&GOOD.replace("aof_enabled:1", "aof_enabled:0"));
        assert!(standing.faults.is_empty());
        assert!(standing.warnings[0].contains("appendonly"));
    }

    const REPLICA: &str = "slave0:ip=127.0.0.1,port=1,state=STATE,offset=OFFSET,lag=0\r\n";

    fn replicated(state: &str, offset: &str, master: &str) -> bool {
        let replica = REPLICA.replace("STATE", state).replace("OFFSET", offset);
        let info = format!("{GOOD}{replica}master_repl_offset:{master}\r\n");
        Info(&info).is_replicated()
    }

    #[test]
    fn only_replicas_that_have_confirmed_something_count() {
        assert!(!Info(GOOD).is_replicated());
        assert!(!replicated("wait_bgsave", "14", "14"));
        assert!(!replicated("online", "0", "14"), "its stream has not begun");
        assert!(replicated("online", "14", "28"));
        assert!(replicated("online", "0", "0"), "there was nothing to confirm yet");
    }

    #[test]
    fn where_replicas_are_demanded_a_write_is_confirmed_even_before_one_is_seen() {
        assert!(Info(&format!("{GOOD}min_slaves_good_slaves:0\r\n")).is_replicated());
    }

    #[test]
    fn replicas_that_are_not_demanded_are_warned_about() {
        let replica = REPLICA.replace("STATE", "online").replace("OFFSET", "14");
        let warned = judged(&format!("{GOOD}{replica}"));
        assert!(warned.warnings[0].contains("min-replicas-to-write"));
        let set = format!("{GOOD}min_slaves_good_slaves:1\r\n{replica}");
        assert!(judged(&set).warnings.is_empty());
    }
}
