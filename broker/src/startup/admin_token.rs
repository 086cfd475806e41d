//! The bootstrap token of the management API (RULES 35): kept as its SHA-256, compared in constant time.

use std::fmt;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use homerealm_certs::Random;
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::data_folder::{DataFolder, read_secret_file, write_secret_file};
use super::error::StartupError;
use crate::catalog::{Actor, ActorKind};
use crate::config::Config;
use crate::ids;

/// Beside the database.
/// Its name in the data folder.
pub const FILE: &str = "admin-token";

/// What a caller of the management API must present.
#[derive(Clone)]
pub struct AdminToken {
    sha256: [u8; 32],
    file: Option<PathBuf>,
    actor: Actor,
}

impl AdminToken {
    /// The configured token; else the one in the data folder, which is made at the first start.
    ///
    /// # Errors
    /// [`StartupError::AdminToken`] where the file cannot be read or written, or holds fewer than 32 characters.
    pub fn load(
        config: &Config,
        folder: Option<&DataFolder>,
        random: &dyn Random,
    ) -> Result<Self, StartupError> {
        if let Some(token) = &config.admin.token {
            let actor = actor(config);
            return Ok(Self { sha256: sha256(token.expose_secret()), file: None, actor });
        }
        let Some(folder) = folder else {
            let reason = "there is no data folder for it: set admin.token".to_owned();
            return Err(StartupError::AdminToken { path: PathBuf::from(FILE), reason });
        };
        let path = folder.file(FILE);
        let failed = |reason: String| StartupError::AdminToken { path: path.clone(), reason };
        let found = read_secret_file(&path).map_err(|e| failed(e.to_string()))?;
        let token = match found {
            Some(token) if token.chars().count() >= 32 => token,
            Some(_) => return Err(failed("it holds fewer than 32 characters".to_owned())),
            None => {
                let token = zeroize::Zeroizing::new(ids::secret(random));
                let line = zeroize::Zeroizing::new(format!("{}\n", token.as_str()));
                write_secret_file(&path, &line).map_err(|e| failed(e.to_string()))?;
                token
            }
        };
        Ok(Self { sha256: sha256(&token), file: Some(path), actor: actor(config) })
    }

    /// Whether this is the token.
    pub fn is(&self, presented: &str) -> bool {
        sha256(presented).ct_eq(&self.sha256).into()
    }

    /// Who its holder is to the audit log.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The file that holds it, unless it is configured.
    pub fn file(&self) -> Option<&std::path::Path> {
        self.file.as_deref()
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(…)")
    }
}

fn actor(config: &Config) -> Actor {
    if config.admin.by_command {
        Actor::new(ActorKind::Cli, "cli")
    } else {
        Actor::new(ActorKind::Token, "bootstrap")
    }
}

fn sha256(text: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use homerealm_certs::SystemRandom;

    use super::*;

    #[test]
    fn a_token_is_made_once_and_only_that_one_is_taken() {
        let temp = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(temp.path()).unwrap();
        let config = Config::embedded().unwrap();

        let made = AdminToken::load(&config, Some(&folder), &SystemRandom).unwrap();
        let found = AdminToken::load(&config, Some(&folder), &SystemRandom).unwrap();

        let text = std::fs::read_to_string(made.file().unwrap()).unwrap();
        assert!(made.is(text.trim()) && found.is(text.trim()));
        assert!(!made.is("") && !made.is(&text) && !made.is(&text.trim()[1..]));
        assert!(!format!("{made:?}").contains(text.trim()));
    }

    #[test]
    fn a_configured_token_leaves_no_file() {
        let temp = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(temp.path()).unwrap();
        let token = "0123456789abcdef0123456789abcdef";
        let config = Config::from_toml(&format!("[admin]\ntoken = \"{token}\""), []).unwrap();

        let loaded = AdminToken::load(&config, Some(&folder), &SystemRandom).unwrap();

        assert!(loaded.is(token) && loaded.file().is_none());
        assert!(!folder.file(FILE).exists());
    }

    #[test]
    fn a_short_token_in_the_file_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(temp.path()).unwrap();
        std::fs::write(folder.file(FILE), "short").unwrap();

        let refused = AdminToken::load(&Config::embedded().unwrap(), Some(&folder), &SystemRandom);

        assert!(matches!(refused, Err(StartupError::AdminToken { .. })));
    }
}
