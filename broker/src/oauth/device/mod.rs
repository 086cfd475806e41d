//! The device authorization grant (RFC 8628): a device without a browser shows a code, which its user types into one.
//!
//! A device's request lies under a random handle. The device code is that handle and a secret, of which the record holds the
//! SHA-256: what a login carries through the browser's side, the handle, cannot ask in the device's name. The user code
//! leads to the handle.

mod request;
#[cfg(test)]
mod tests;
pub mod user_code;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

pub use request::{DeviceAuthorization, authorize};
pub use user_code::UserCode;

use super::client_authentication::registered;
use super::code::{self, Gives};
use super::error::Trouble;
use crate::app::App;
use crate::ids;
use crate::login::{Access, AnswerTo, AuthorizationRequest};
use crate::sessions::StoreError;
use crate::sessions::record::{Batch, Record, Stored, Ticket};

/// How long a user has, from the device's request to their word.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// Seconds between two polls, unless told to slow down.
pub const INTERVAL: u32 = 5;
/// What each poll that comes too early adds (RFC 8628 §3.5).
const SLOWER_BY: u32 = 5;
/// A poll that follows another this closely is told to slow down and not written.
const UNNOTED: TimeDelta = TimeDelta::seconds(1);
/// How long after its end a device is still told that it was too late.
const EPILOGUE: TimeDelta = TimeDelta::minutes(5);
/// How long after its tokens a device that asks again is taken for one that did not get them.
const RETRIES: TimeDelta = TimeDelta::seconds(30);
/// A fresh user code that is taken is that unlikely.
const MOST_COLLISIONS: usize = 8;
/// Device and user may come at the same moment.
const MOST_ATTEMPTS: usize = 10;
/// Between the two parts of a device code; neither holds it.
const SEPARATOR: char = '.';

/// A device's request, and what became of it.
#[derive(Clone, Deserialize, Serialize)]
pub struct DeviceGrant {
    /// Names everything that is issued from it, from its creation on.
    pub family: String,
    /// Whose device code it is.
    pub client_id: String,
    /// From then on it is too late.
    pub expires_at: DateTime<Utc>,
    /// What became of it.
    pub state: DeviceState,
    access: Access,
    secret_sha256: String,
    user_code: UserCode,
    interval: u32,
    polled_at: Option<DateTime<Utc>>,
    /// When the device got its tokens.
    #[serde(default)]
    spent_at: Option<DateTime<Utc>>,
}

/// What became of a device's request.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// The user said yes; the device has not come yet.
    Allowed(Box<Gives>),
    /// The user said no.
    Denied,
    /// The device has its tokens.
    Spent,
    /// Nobody has decided yet.
    Waiting,
}

/// What a user decided.
pub enum Verdict {
    /// The device gets this.
    Allow(Box<Gives>),
    /// It gets nothing.
    Deny,
}

/// What a device gets to show and to keep (RFC 8628 §3.2).
pub struct DeviceCodes {
    /// The device's own.
    pub device_code: String,
    /// To be shown.
    pub user_code: UserCode,
}

/// Whether a device that polls comes too early.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pace {
    /// As it should.
    Fine,
    /// Too early; it has to wait longer from now on.
    TooFast,
}

/// Where a user code leads.
#[derive(Deserialize, Serialize)]
struct UserCodeEntry {
    device: String,
}

impl Record for DeviceGrant {
    const KIND: &'static str = "device";
    const LIFETIME: TimeDelta = TimeDelta::seconds(LIFETIME.num_seconds() + EPILOGUE.num_seconds());
}

impl Record for UserCodeEntry {
    const KIND: &'static str = "user-code";
    const LIFETIME: TimeDelta = LIFETIME;
}

/// Writes a device's request.
///
/// # Errors
/// [`Trouble`]; the device gets no code then.
pub async fn begin(
    app: &App,
    client_id: &str,
    access: Access,
    now: DateTime<Utc>,
) -> Result<DeviceCodes, Trouble> {
    let random = app.random.as_ref();
    let (device, secret) = (ids::secret(random), ids::secret(random));
    let user_code = free_user_code(app, &device, now).await?;
    let grant = DeviceGrant {
        family: code::new_family(random),
        client_id: client_id.to_owned(),
        expires_at: now + LIFETIME,
        state: DeviceState::Waiting,
        access,
        secret_sha256: ids::sha256_hex(&secret),
        user_code: user_code.clone(),
        interval: INTERVAL,
        polled_at: None,
        spent_at: None,
    };
    app.records.put(&device, &grant, now).await?;
    Ok(DeviceCodes { device_code: format!("{device}{SEPARATOR}{secret}"), user_code })
}

/// The login that a user code asks for; `None` where no device waits under it.
///
/// # Errors
/// [`Trouble`].
pub async fn asked(
    app: &App,
    user_code: &UserCode,
    now: DateTime<Utc>,
) -> Result<Option<AuthorizationRequest>, Trouble> {
    let entry = app.records.get::<UserCodeEntry>(user_code.letters(), now).await?;
    let Some(UserCodeEntry { device }) = entry.map(|entry| entry.record) else { return Ok(None) };
    let grant = app.records.get::<DeviceGrant>(&device, now).await?;
    let Some(grant) = grant.map(|grant| grant.record).filter(|grant| grant.waits(now)) else {
        return Ok(None);
    };
    let answer = AnswerTo::Device { device, user_code: grant.user_code.to_string() };
    let request = AuthorizationRequest::new(grant.client_id, answer);
    let client = registered(&app.catalog, &request.client_id).await?;
    let max_age = client.and_then(|client| client.session.default_max_age).map(i64::from);
    Ok(Some(AuthorizationRequest { access: grant.access, max_age, ..request }))
}

/// Remembers what the user decided, once; `false` where it was decided before, or is too late.
///
/// # Errors
/// [`Trouble`]; the device waits on then.
pub async fn decide(
    app: &App,
    device: &str,
    verdict: Verdict,
    now: DateTime<Utc>,
) -> Result<bool, Trouble> {
    let state = match verdict {
        Verdict::Allow(gives) => DeviceState::Allowed(gives),
        Verdict::Deny => DeviceState::Denied,
    };
    for _ in 0..MOST_ATTEMPTS {
        let found = app.records.get::<DeviceGrant>(device, now).await?;
        let Some(found) = found.filter(|found| found.record.waits(now)) else { return Ok(false) };
        let decided = DeviceGrant { state: state.clone(), ..found.record.clone() };
        let until = found.record.expires_at + EPILOGUE;
        if app.records.swap(device, &found, &decided, until, now).await? {
            app.records.take::<UserCodeEntry>(decided.user_code.letters(), now).await?;
            return Ok(true);
        }
    }
    Err(Trouble::Away("a device polls without a pause".to_owned()))
}

/// The request that a device code belongs to.
///
/// # Errors
/// [`Trouble`].
pub async fn find(
    app: &App,
    device_code: &str,
    now: DateTime<Utc>,
) -> Result<Option<Stored<DeviceGrant>>, Trouble> {
    let Some((device, secret)) = device_code.split_once(SEPARATOR) else { return Ok(None) };
    let found = app.records.get::<DeviceGrant>(device, now).await?;
    let hash = ids::sha256_hex(secret);
    let is_own = |known: &str| bool::from(known.as_bytes().ct_eq(hash.as_bytes()));
    Ok(found.filter(|found| is_own(&found.record.secret_sha256)))
}

/// Notes that a device polled; not a flood of polls, each of which would be a write.
///
/// # Errors
/// [`Trouble`].
pub async fn polled(
    app: &App,
    device_code: &str,
    found: &Stored<DeviceGrant>,
    now: DateTime<Utc>,
) -> Result<Pace, Trouble> {
    let is_flood = |before: DateTime<Utc>| now < before + UNNOTED;
    if found.record.polled_at.is_some_and(is_flood) {
        return Ok(Pace::TooFast);
    }
    let mut grant = found.record.clone();
    let pace = grant.pace(now);
    if pace == Pace::TooFast {
        grant.interval = grant.interval.saturating_add(SLOWER_BY);
    }
    grant.polled_at = Some(now);
    let until = grant.expires_at + EPILOGUE;
    let noted = app.records.swap(handle(device_code), found, &grant, until, now).await?;
    // two polls at once, or the user decided just now: either way the next one is soon enough
    Ok(if noted { pace } else { Pace::Fine })
}

/// Marks an allowed request as spent, in a batch: of many who try one gets `true`. The tombstone stays for `family_life`.
///
/// # Errors
/// [`StoreError`] where the tombstone cannot be sealed; nothing may be issued then, nor where the batch fails.
pub fn redeem(
    batch: &mut Batch<'_>,
    device_code: &str,
    found: &Stored<DeviceGrant>,
    family_life: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Ticket<bool>, StoreError> {
    let tombstone =
        DeviceGrant { state: DeviceState::Spent, spent_at: Some(now), ..found.record.clone() };
    let until = (now + family_life).max(found.record.expires_at + EPILOGUE);
    batch.swap(handle(device_code), found, &tombstone, until)
}

impl DeviceGrant {
    fn waits(&self, now: DateTime<Utc>) -> bool {
        matches!(self.state, DeviceState::Waiting) && now < self.expires_at
    }

    /// Whether it was spent a moment ago: a device that got no answer asks again (RFC 8628 §3.5).
    pub fn may_be_asked_again(&self, now: DateTime<Utc>) -> bool {
        self.spent_at.is_some_and(|spent| now < spent + RETRIES)
    }

    /// RFC 8628 §3.5.
    fn pace(&self, now: DateTime<Utc>) -> Pace {
        let pause = TimeDelta::seconds(i64::from(self.interval));
        match self.polled_at {
            Some(before) if now < before + pause => Pace::TooFast,
            Some(_) | None => Pace::Fine,
        }
    }
}

/// A user code under which no other device waits, leading to `device`.
async fn free_user_code(app: &App, device: &str, now: DateTime<Utc>) -> Result<UserCode, Trouble> {
    let entry = UserCodeEntry { device: device.to_owned() };
    for _ in 0..MOST_COLLISIONS {
        let user_code = UserCode::generate(app.random.as_ref());
        if app.records.insert(user_code.letters(), &entry, now).await? {
            return Ok(user_code);
        }
    }
    Err(Trouble::Broken("every fresh user code was taken".to_owned()))
}

fn handle(device_code: &str) -> &str {
    device_code.split(SEPARATOR).next().unwrap_or_default()
}

/// Shows whose and for what.
impl fmt::Debug for DeviceGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceGrant")
            .field("family", &self.family)
            .field("client_id", &self.client_id)
            .field("access", &self.access)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DeviceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allowed(_) => "Allowed",
            Self::Denied => "Denied",
            Self::Spent => "Spent",
            Self::Waiting => "Waiting",
        })
    }
}

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow(_) => "Allow",
            Self::Deny => "Deny",
        })
    }
}

impl fmt::Debug for DeviceCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceCodes(..)")
    }
}
