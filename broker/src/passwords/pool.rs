//! Argon2id beside the workers: a hash takes tens of milliseconds and 19 MiB, so few run at once and few wait.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{Error, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use homerealm_certs::Random;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::rule::normal_form;
use crate::catalog::PasswordHash;

/// Hashes and compares; clones share the pool.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    /// Those that are computed now.
    running: Semaphore,
    /// Those and the ones that wait.
    admitted: Semaphore,
    /// What is compared where there is no account: it takes the same time.
    nobodys: PasswordHash,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PasswordsError {
    /// As many as may wait, wait: try again.
    #[error("too many passwords are being checked")]
    Busy,
    /// A hash in the database cannot be read, or the library refuses.
    #[error("a password could not be hashed or compared: {0}")]
    Broken(String),
}

/// RFC 9106 §4 and OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes (RFC 9106 §3.1).
const SALT: usize = 16;
/// Waiting for each that runs: about a second.
const WAITING_FOR_EACH: usize = 24;

impl Passwords {
    /// With one computation for each core.
    ///
    /// # Errors
    /// [`PasswordsError::Broken`], which would be a bug.
    pub fn new(random: &dyn Random) -> Result<Self, PasswordsError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with(random, cores, cores * WAITING_FOR_EACH)
    }

    fn with(random: &dyn Random, running: usize, waiting: usize) -> Result<Self, PasswordsError> {
        let mut nobodys = Zeroizing::new([0; 32]);
        random.fill(nobodys.as_mut_slice());
        Ok(Self(Arc::new(Pool {
            running: Semaphore::new(running),
            admitted: Semaphore::new(running + waiting),
            nobodys: hash(nobodys.as_slice(), &salt(random))?,
        })))
    }

    /// The hash of a new password, to be stored.
    ///
    /// # Errors
    /// [`PasswordsError`].
    pub async fn hash(
        &self,
        password: &str,
        random: &dyn Random,
    ) -> Result<PasswordHash, PasswordsError> {
        let (password, salt) = (normal_form(password), salt(random));
        self.compute(move || hash(password.as_bytes(), &salt)).await
    }

    /// Whether it is the password of this hash. Where there is none the answer is no, as late as another.
    ///
    /// # Errors
    /// [`PasswordsError`].
    pub async fn matches(
        &self,
        password: &str,
        stored: Option<&PasswordHash>,
    ) -> Result<bool, PasswordsError> {
        let password = normal_form(password);
        let is_somebodys = stored.is_some();
        let stored = stored.unwrap_or(&self.0.nobodys).clone();
        let same = self.compute(move || matches(password.as_bytes(), &stored)).await?;
        Ok(same && is_somebodys)
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordsError> + Send + 'static,
    ) -> Result<T, PasswordsError> {
        let _admitted = self.0.admitted.try_acquire().map_err(|_| PasswordsError::Busy)?;
        let pool = Arc::clone(&self.0);
        // a browser that goes away does not free its place before its computation has ended
        let task = tokio::spawn(async move {
            let _running = pool.running.acquire().await.map_err(broken)?;
            tokio::task::spawn_blocking(work).await.map_err(broken)?
        });
        task.await.map_err(broken)?
    }
}

fn hash(password: &[u8], salt: &[u8]) -> Result<PasswordHash, PasswordsError> {
    let hash: Phc = argon2id()?.hash_password_with_salt(password, salt).map_err(broken)?;
    Ok(PasswordHash::new(hash.to_string()))
}

/// With the parameters that the hash itself names, in constant time.
fn matches(password: &[u8], stored: &PasswordHash) -> Result<bool, PasswordsError> {
    let stored = Phc::new(stored.as_str()).map_err(broken)?;
    match argon2id()?.verify_password(password, &stored) {
        Ok(()) => Ok(true),
        Err(Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(broken(error)),
    }
}

fn argon2id() -> Result<Argon2<'static>, PasswordsError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(broken)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn salt(random: &dyn Random) -> [u8; SALT] {
    let mut salt = [0; SALT];
    random.fill(&mut salt);
    salt
}

fn broken(error: impl std::fmt::Display) -> PasswordsError {
    PasswordsError::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use homerealm_certs::SystemRandom;

    use super::*;

    const RIGHT: &str = "correct horse battery staple";

    fn passwords(running: usize, waiting: usize) -> Passwords {
        Passwords::with(&SystemRandom, running, waiting).unwrap()
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_no_other() {
        let passwords = passwords(1, 4);
        let stored = passwords.hash(RIGHT, &SystemRandom).await.unwrap();
        let again = passwords.hash(RIGHT, &SystemRandom).await.unwrap();

        assert!(passwords.matches(RIGHT, Some(&stored)).await.unwrap());
        assert!(!passwords.matches("correct horse battery stapler", Some(&stored)).await.unwrap());
        assert!(
            stored.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            stored.as_str()
        );
        assert_ne!(stored, again, "each has a salt of its own");
    }

    #[tokio::test]
    async fn the_same_letters_match_however_a_keyboard_composes_them() {
        let passwords = passwords(1, 4);
        let stored = passwords.hash("Zwölf Boxkämpfer jagen", &SystemRandom).await.unwrap();

        let composed_otherwise = "Zwo\u{308}lf Boxka\u{308}mpfer jagen";
        assert!(passwords.matches(composed_otherwise, Some(&stored)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        let passwords = passwords(1, 4);

        assert!(!passwords.matches(RIGHT, None).await.unwrap());
        assert!(!passwords.matches("", None).await.unwrap());
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_turned_away() {
        let passwords = passwords(1, 0);
        let _taken = passwords.0.admitted.acquire().await.unwrap();

        let answer = passwords.matches(RIGHT, None).await;

        assert!(matches!(answer, Err(PasswordsError::Busy)), "{answer:?}");
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_is_trouble_and_never_a_yes() {
        let stored = PasswordHash::new("$argon2id$v=19$m=19456,t=2,p=1$".to_owned());

        let answer = passwords(1, 1).matches(RIGHT, Some(&stored)).await;

        assert!(!matches!(answer, Ok(true)), "{answer:?}");
    }
}
