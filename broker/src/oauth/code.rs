//! Authorization codes and the families that begin with them (RULES 26).

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::Random;
use serde::{Deserialize, Serialize};

use super::pkce::CodeChallenge;
use super::refresh::LONGEST_FAMILY;
use super::token_issuer::LONGEST_LIFETIME;
use crate::catalog::{Name, NormalizedClaims, Organization};
use crate::ids;
use crate::login::Access;
use crate::sessions::StoreError;
use crate::sessions::record::{Batch, Record, Records, Stored, Ticket};

/// An authorization code's record, under the code's SHA-256. Once redeemed it is a tombstone: what tells a replay by the
/// client's own means from somebody's guess stays, what the code gave is gone.
#[derive(Clone, Deserialize, Serialize)]
pub struct AuthorizationGrant {
    /// Names everything that is issued from this code; from its creation on, so that it can be revoked at any time.
    pub family: String,
    /// Whose code it is.
    pub client_id: String,
    /// Must be repeated at redemption (RFC 6749 §4.1.3).
    pub redirect_uri: String,
    /// Answered by the verifier (RFC 7636 §4.6).
    pub code_challenge: CodeChallenge,
    /// Only the holder of this key redeems it (RFC 9449 §10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
    /// What it gives; `None` once it was redeemed.
    pub gives: Option<Gives>,
}

/// What a code gives.
#[derive(Clone, Deserialize, Serialize)]
pub struct Gives {
    /// Granted; a token is for one API of it.
    pub access: Access,
    /// For the ID token.
    pub nonce: Option<String>,
    /// Who signed in, and how.
    pub login: Login,
    /// When it was given: the user's consent has to stand since then.
    pub given_at: DateTime<Utc>,
}

/// What a login established, as far as tokens tell it.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Login {
    /// Local subject.
    pub user_id: String,
    /// The connection that they came by.
    pub connection: Name,
    /// The organization that they signed in to.
    pub organization: Option<LoginOrganization>,
    /// When the user authenticated, if that is known.
    pub auth_time: Option<DateTime<Utc>>,
    /// Authentication context, if the connection's table has it.
    pub acr: Option<String>,
    /// Authentication methods, likewise.
    pub amr: Vec<String>,
    /// When the IdP's answer came; a sign-out since then ends what came of it.
    #[serde(default)]
    pub signed_in_at: Option<DateTime<Utc>>,
    /// The session of the browser: `sid`; `None` where the login left none.
    #[serde(default)]
    pub session: Option<String>,
    /// Claims of this login: the user may have come by another connection since, of another organization.
    pub claims: NormalizedClaims,
}

/// An organization as tokens name it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LoginOrganization {
    /// `org_…`.
    pub id: String,
    /// Its immutable name.
    pub name: Name,
}

/// How long a mark stays after its family's end, when the last access token may have been issued; a minute for clocks that
/// differ.
const AFTER_THE_FAMILY: TimeDelta = TimeDelta::seconds(LONGEST_LIFETIME.num_seconds() + 60);

/// Written when a family is revoked; its absence means that it lives.
#[derive(Debug, Deserialize, Serialize)]
struct RevokedFamily {
    at: DateTime<Utc>,
}

impl Record for AuthorizationGrant {
    const KIND: &'static str = "code";
    /// RFC 6749 §4.1.2 asks for ten minutes at most; a client redeems at once.
    const LIFETIME: TimeDelta = TimeDelta::seconds(60);
}

impl Record for RevokedFamily {
    const KIND: &'static str = "family";
    /// Where nobody knows when the family ends: it outlives every one.
    const LIFETIME: TimeDelta =
        TimeDelta::seconds(LONGEST_FAMILY.num_seconds() + AFTER_THE_FAMILY.num_seconds());
}

impl From<&Organization> for LoginOrganization {
    fn from(organization: &Organization) -> Self {
        Self { id: organization.id.clone(), name: organization.name.clone() }
    }
}

/// A fresh family's name.
pub fn new_family(random: &dyn Random) -> String {
    ids::id("fam", random)
}

/// Stores a grant and gives out its code, 256 random bits.
///
/// # Errors
/// [`StoreError`]; no code exists then.
pub async fn issue(
    records: &Records,
    grant: &AuthorizationGrant,
    random: &dyn Random,
    now: DateTime<Utc>,
) -> Result<String, StoreError> {
    let code = ids::secret(random);
    records.put(&code, grant, now).await?;
    Ok(code)
}

/// Adds a grant to a batch and gives its code, which is good once the batch has run.
///
/// # Errors
/// [`StoreError`] where the grant cannot be sealed.
pub fn add(
    batch: &mut Batch<'_>,
    grant: &AuthorizationGrant,
    random: &dyn Random,
) -> Result<String, StoreError> {
    let code = ids::secret(random);
    batch.put(&code, grant)?;
    Ok(code)
}

/// Marks a grant as used, in a batch: of many who try one gets `true`. The tombstone stays for `family_life`, as long as a token of the
/// family may live.
///
/// # Errors
/// [`StoreError`] where the tombstone cannot be sealed; nothing may be issued then, nor where the batch fails.
pub fn redeem(
    batch: &mut Batch<'_>,
    code: &str,
    read: &Stored<AuthorizationGrant>,
    family_life: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Ticket<bool>, StoreError> {
    let tombstone = AuthorizationGrant { gives: None, ..read.record.clone() };
    // a replay within the code's own life is always seen
    let until = now + family_life.max(AuthorizationGrant::LIFETIME);
    batch.swap(code, read, &tombstone, until)
}

/// Revokes a family of which nobody knows when it ends, whether anything of it is written yet or not. One that was revoked
/// before stays so until the end that was known then.
///
/// # Errors
/// [`StoreError`] where the store did not confirm it.
pub async fn revoke(records: &Records, family: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    records.insert(family, &RevokedFamily { at: now }, now).await.map(drop)
}

/// Revokes a family that can be refreshed until `ends_at`.
///
/// # Errors
/// [`StoreError`] where the store did not confirm it.
pub async fn revoke_ending(
    records: &Records,
    family: &str,
    ends_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let until = ends_at + AFTER_THE_FAMILY;
    records.put_until(family, &RevokedFamily { at: now }, until).await
}

/// Whether a family was revoked.
///
/// # Errors
/// [`StoreError`]; then nobody knows, and the token is not taken.
pub async fn is_revoked(
    records: &Records,
    family: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    Ok(records.get::<RevokedFamily>(family, now).await?.is_some())
}

/// Shows who and by which way, not their claims.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user_id", &self.user_id)
            .field("connection", &self.connection)
            .field("organization", &self.organization)
            .field("auth_time", &self.auth_time)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gives({:?})", self.access)
    }
}

/// Shows whose and for what, not who.
impl fmt::Debug for AuthorizationGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationGrant")
            .field("family", &self.family)
            .field("client_id", &self.client_id)
            .field("used", &self.gives.is_none())
            .finish_non_exhaustive()
    }
}
