//! Refresh tokens: one record a family, rotated at each use (RFC 6749 §6, RFC 9700 §4.14; RULES 27).
//!
//! A token's value names its family, so that using it is one read and one compare-and-swap of one record. The record knows
//! hashes only: of the token that counts now and of the one before it.

mod successor;
mod token;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::Random;
use serde::{Deserialize, Serialize};

pub use self::token::RefreshToken;
use self::token::{Mark, equal};
use super::code::{self, Login};
use super::confirmation::Confirmation;
use super::error::Trouble;
use crate::catalog::{Client, ClientAuthMethod};
use crate::config;
use crate::login::Access;
use crate::sessions::StoreError;
use crate::sessions::record::{Record, Records, Stored};

/// No family lives longer, whatever its client asks for.
pub const LONGEST_FAMILY: TimeDelta = TimeDelta::days(365);

/// How often a rotated token may still be answered with its successor (RULES 27).
const GRACE_ANSWERS: u8 = 3;

/// Everything that can be refreshed from one login, under its family's name.
#[derive(Clone, Deserialize, Serialize)]
pub struct RefreshFamily {
    /// Whose tokens they are.
    pub client_id: String,
    /// Who signed in, and how.
    pub login: Login,
    /// What was granted; each refresh is for one API of it.
    #[serde(flatten)]
    pub access: Access,
    /// What each refresh must show: a public client's key or certificate (RFC 9449 §5, RFC 8705 §7.1).
    pub confirmation: Option<Confirmation>,
    /// When the login was answered.
    pub issued_at: DateTime<Utc>,
    /// Its end, however often it is used.
    pub ends_at: DateTime<Utc>,
    /// Its end when it is not used, seconds from its last use.
    pub idle_seconds: i64,
    /// Tells tokens that were ours once from made-up ones.
    mark: Mark,
    /// Counts rotations.
    generation: u64,
    /// SHA-256 of the token that counts.
    current: String,
    predecessor: Option<Predecessor>,
}

/// How a refresh was asked for: what a repeated request must have in common with the first.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Manner {
    /// How the client authenticated.
    pub method: ClientAuthMethod,
    /// What key or certificate it showed.
    pub confirmation: Option<Confirmation>,
    /// For which API.
    pub audience: Option<String>,
    /// With which scopes.
    pub scopes: Vec<String>,
}

/// The token before the current one.
#[derive(Clone, Deserialize, Serialize)]
struct Predecessor {
    sha256: String,
    rotated_at: DateTime<Utc>,
    manner: Manner,
    /// Sealed under the token itself, base64url.
    successor: String,
    answers: u8,
}

/// What a presented token is to its family.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It counts.
    Current,
    /// It was rotated a moment ago and its successor was not used yet.
    InGrace,
    /// Not one of ours: whoever sends it knows the family's name only, which every API knows.
    MadeUp,
    /// It was used before: somebody has it who should not (RFC 9700 §4.14.2).
    Reused,
}

/// How long a family lives.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// At most.
    pub absolute: TimeDelta,
    /// Without use.
    pub idle: TimeDelta,
}

impl Record for RefreshFamily {
    const KIND: &'static str = "refresh";
    const LIFETIME: TimeDelta = LONGEST_FAMILY;
}

impl Lifetimes {
    /// The client's own, else those of the configuration.
    pub fn of(client: &Client, config: &config::RefreshTokens) -> Self {
        let own = client.refresh_tokens;
        let or =
            |own: Option<u32>, all: TimeDelta| own.map_or(all, |s| TimeDelta::seconds(s.into()));
        Self {
            absolute: or(own.refresh_token_lifetime_seconds, config.lifetime).min(LONGEST_FAMILY),
            idle: or(own.refresh_token_idle_lifetime_seconds, config.idle_lifetime),
        }
    }
}

/// What begins a family.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// Its name.
    pub family: &'a str,
    /// Whose it is.
    pub client_id: &'a str,
    /// Who signed in.
    pub login: Login,
    /// What was granted.
    pub access: Access,
    /// What it is bound to.
    pub confirmation: Option<Confirmation>,
    /// How long it lives.
    pub lifetimes: Lifetimes,
}

/// A family and its first token. Nothing is stored yet.
pub fn begin(
    beginning: Beginning<'_>,
    random: &dyn Random,
    now: DateTime<Utc>,
) -> (RefreshFamily, RefreshToken) {
    let mark = Mark::new(random);
    let token = RefreshToken::new(beginning.family, &mark, random);
    let family = RefreshFamily {
        client_id: beginning.client_id.to_owned(),
        login: beginning.login,
        access: beginning.access,
        confirmation: beginning.confirmation,
        issued_at: now,
        ends_at: now + beginning.lifetimes.absolute,
        idle_seconds: beginning.lifetimes.idle.num_seconds(),
        mark,
        generation: 0,
        current: token.sha256(),
        predecessor: None,
    };
    (family, token)
}

/// Writes a new family.
///
/// # Errors
/// [`StoreError`]; its token must not be given out then.
pub async fn store(
    records: &Records,
    name: &str,
    family: &RefreshFamily,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    records.put_until(name, family, family.expires_at(now)).await
}

/// The family that a token names, unless it ended or was revoked.
///
/// # Errors
/// [`StoreError`]; then nobody knows, and nothing is given.
pub async fn find(
    records: &Records,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Option<Stored<RefreshFamily>>, StoreError> {
    let (found, revoked) = futures_util::try_join!(
        records.get::<RefreshFamily>(name, now),
        code::is_revoked(records, name, now)
    )?;
    Ok(found.filter(|found| !revoked && now < found.record.ends_at))
}

/// Puts a successor in the place of the current token; `None` where another request was faster.
///
/// # Errors
/// [`Trouble`]; then the token that was presented still counts, or its repetition brings the successor.
pub async fn rotate(
    records: &Records,
    read: &Stored<RefreshFamily>,
    presented: &RefreshToken,
    manner: Manner,
    (random, now): (&dyn Random, DateTime<Utc>),
) -> Result<Option<RefreshToken>, Trouble> {
    let old = &read.record;
    let token = RefreshToken::new(presented.family(), &old.mark, random);
    let sealed = successor::seal(presented, &token, random);
    let successor = sealed.map_err(|e| Trouble::Broken(format!("a successor: {e}")))?;
    let rotated = RefreshFamily {
        generation: old.generation.saturating_add(1),
        current: token.sha256(),
        predecessor: Some(Predecessor {
            sha256: presented.sha256(),
            rotated_at: now,
            manner,
            successor,
            answers: 0,
        }),
        ..old.clone()
    };
    let until = rotated.expires_at(now);
    let won = records.swap(presented.family(), read, &rotated, until, now).await?;
    Ok(won.then_some(token))
}

/// The successor of a token in its grace, once more. `None` where another request was faster.
///
/// # Errors
/// [`Trouble`].
pub async fn repeat(
    records: &Records,
    read: &Stored<RefreshFamily>,
    presented: &RefreshToken,
    now: DateTime<Utc>,
) -> Result<Option<RefreshToken>, Trouble> {
    let mut counted = read.record.clone();
    let Some(predecessor) = &mut counted.predecessor else { return Ok(None) };
    predecessor.answers = predecessor.answers.saturating_add(1);
    let opened = successor::open(presented, &predecessor.successor);
    let token = opened.map_err(|e| Trouble::Broken(format!("a successor: {e}")))?;
    // a repetition is no use of the successor: it does not postpone the idle end
    let used_at = predecessor.rotated_at;
    let until = counted.expires_at(used_at);
    let won = records.swap(presented.family(), read, &counted, until, now).await?;
    Ok(won.then_some(token))
}

/// Revokes a family with everything that was issued in it, and drops what it holds.
///
/// # Errors
/// [`StoreError`] where the store did not confirm it.
pub async fn end(records: &Records, name: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    match records.get::<RefreshFamily>(name, now).await? {
        Some(found) => code::revoke_ending(records, name, found.record.ends_at, now).await?,
        // none was begun, it has ended, or it is being written at this moment
        None => code::revoke(records, name, now).await?,
    }
    records.take::<RefreshFamily>(name, now).await.map(drop)
}

impl RefreshFamily {
    /// What a presented token is.
    pub fn standing(
        &self,
        presented: &RefreshToken,
        grace: TimeDelta,
        now: DateTime<Utc>,
    ) -> Standing {
        let hash = presented.sha256();
        if equal(&self.current, &hash) {
            return Standing::Current;
        }
        let predecessor = self.predecessor.as_ref().filter(|p| equal(&p.sha256, &hash));
        match predecessor {
            // timed from the first rotation
            Some(predecessor) if now < predecessor.rotated_at + grace => Standing::InGrace,
            Some(_) => Standing::Reused,
            None if self.mark.is_on(presented) => Standing::Reused,
            None => Standing::MadeUp,
        }
    }

    /// Whether a token in its grace may be answered once more: asked for in the same manner, not too often.
    pub fn answers_again(&self, manner: &Manner) -> bool {
        let predecessor = self.predecessor.as_ref();
        predecessor.is_some_and(|p| p.manner == *manner && p.answers < GRACE_ANSWERS)
    }

    /// Whether who refreshes shows what the tokens are bound to, if they are. A public client's must be, once it is
    /// registered to bind them (RFC 9449 §5, §5.2): what was issued before, a thief could bind to a key of their own.
    pub fn is_bound_to(&self, shown: Option<&Confirmation>, client: &Client) -> bool {
        let wants = client.requests;
        let binds =
            wants.dpop_bound_access_tokens || wants.tls_client_certificate_bound_access_tokens;
        match &self.confirmation {
            Some(bound) => Some(bound) == shown,
            None => !binds || client.token_endpoint_auth_method != ClientAuthMethod::None,
        }
    }

    /// When it was rotated last, or began.
    pub fn last_use(&self) -> DateTime<Utc> {
        self.predecessor.as_ref().map_or(self.issued_at, |predecessor| predecessor.rotated_at)
    }

    /// When it ends if its last use was at `used_at`.
    pub fn expires_at(&self, used_at: DateTime<Utc>) -> DateTime<Utc> {
        self.ends_at.min(used_at + TimeDelta::seconds(self.idle_seconds))
    }

    /// Whether this is the token that counts.
    pub fn counts(&self, presented: &RefreshToken) -> bool {
        equal(&self.current, &presented.sha256())
    }

    /// Whether this token counts, or did once.
    pub fn issued(&self, presented: &RefreshToken) -> bool {
        self.counts(presented) || self.mark.is_on(presented)
    }
}

/// Shows whose and how old, neither who nor what.
impl fmt::Debug for RefreshFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshFamily")
            .field("client_id", &self.client_id)
            .field("generation", &self.generation)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Predecessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Predecessor({}, {} answers)", self.rotated_at, self.answers)
    }
}
