//! Where the master key comes from (RULES 34).

use std::path::{Path, PathBuf};

use homerealm_certs::Random;
use zeroize::Zeroizing;

use super::data_folder::{read_secret_file, write_secret_file};
use super::error::StartupError;
use crate::config::Config;
use crate::seal::MasterKey;

/// Beside the database, where no other place is configured.
const FILE: &str = "master.key";

/// Reads the configured key, or the one beside the database; makes that one where nothing sealed exists yet.
///
/// # Errors
/// [`StartupError::MasterKeyMissing`] where sealed data stands without its key: a new key would not open it;
/// [`StartupError::MasterKey`] where the file cannot be read or written.
pub fn load(config: &Config, random: &dyn Random) -> Result<MasterKey, StartupError> {
    if let Some(path) = &config.keys.master_key_file {
        return read(path)?.ok_or_else(|| StartupError::MasterKeyMissing { path: path.clone() });
    }
    let path = path(config);
    if let Some(key) = read(&path)? {
        return Ok(key);
    }
    let sessions = path.with_file_name(crate::sessions::embedded::FILE);
    if config.database.file.as_deref().is_some_and(holds_data) || holds_data(&sessions) {
        return Err(StartupError::MasterKeyMissing { path });
    }
    let key = MasterKey::generate(random);
    write(&path, &key)?;
    Ok(key)
}

/// Reads a key that must be there.
///
/// # Errors
/// As [`load`].
pub fn read_file(path: &Path) -> Result<MasterKey, StartupError> {
    read(path)?.ok_or_else(|| StartupError::MasterKey {
        path: path.to_owned(),
        reason: "there is no such file".to_owned(),
    })
}

/// Where the key is, or would be.
pub fn path(config: &Config) -> PathBuf {
    let beside = || config.database.folder().unwrap_or(Path::new(".")).join(FILE);
    config.keys.master_key_file.clone().unwrap_or_else(beside)
}

/// Writes a key to a new file, mode 0600, as 64 hexadecimal digits.
///
/// # Errors
/// [`StartupError::MasterKey`], also where the file is there.
pub fn write(path: &Path, key: &MasterKey) -> Result<(), StartupError> {
    let text = Zeroizing::new(format!("{}\n", hex::encode(key.bytes())));
    write_secret_file(path, &text).map_err(|e| unreadable(path, e.to_string()))
}

fn read(path: &Path) -> Result<Option<MasterKey>, StartupError> {
    let text = read_secret_file(path).map_err(|e| unreadable(path, e.to_string()))?;
    let Some(text) = text else { return Ok(None) };
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.as_str(), bytes.as_mut())
        .map_err(|_| unreadable(path, "it does not hold 64 hexadecimal digits".to_owned()))?;
    Ok(Some(MasterKey::new(*bytes)))
}

fn unreadable(path: &Path, reason: String) -> StartupError {
    StartupError::MasterKey { path: PathBuf::from(path), reason }
}

/// A database is made only after its key is on disk, so one that holds anything had a key.
fn holds_data(file: &Path) -> bool {
    file.metadata().is_ok_and(|m| m.len() > 0)
}

#[cfg(test)]
mod tests {
    use homerealm_certs::SystemRandom;

    use super::*;

    fn config(folder: &Path, keys: &str) -> Config {
        let toml =
            format!("[database]\nurl = \"sqlite:{}\"\n{keys}", folder.join("hr.db").display());
        Config::from_toml(&toml, []).unwrap()
    }

    #[test]
    fn the_key_is_made_once_and_found_again() {
        let temp = tempfile::tempdir().unwrap();
        let config = config(temp.path(), "");

        let first = load(&config, &SystemRandom).unwrap();
        let second = load(&config, &SystemRandom).unwrap();

        assert_eq!(first.bytes(), second.bytes());
    }

    #[test]
    fn a_missing_key_beside_a_database_is_a_refusal() {
        for database in ["hr.db", "sessions.db"] {
            let temp = tempfile::tempdir().unwrap();
            std::fs::write(temp.path().join(database), "SQLite format 3").unwrap();

            let refused = load(&config(temp.path(), ""), &SystemRandom);

            assert!(matches!(refused, Err(StartupError::MasterKeyMissing { .. })), "{database}");
            assert!(!temp.path().join(FILE).exists());
        }
    }

    #[test]
    fn a_configured_key_is_never_made_up() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("mk");
        let config =
            config(temp.path(), &format!("[keys]\nmaster_key_file = \"{}\"", file.display()));

        assert!(matches!(load(&config, &SystemRandom), Err(StartupError::MasterKeyMissing { .. })));

        let key = MasterKey::generate(&SystemRandom);
        write(&file, &key).unwrap();
        assert_eq!(load(&config, &SystemRandom).unwrap().bytes(), key.bytes());
        assert!(matches!(write(&file, &key), Err(StartupError::MasterKey { .. })));

        for bad in ["", "ab", &"g".repeat(64), &"a".repeat(66)] {
            std::fs::write(&file, bad).unwrap();
            assert!(
                matches!(load(&config, &SystemRandom), Err(StartupError::MasterKey { .. })),
                "{bad}"
            );
        }
    }
}
