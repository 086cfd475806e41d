//! The demo's data folder: new for each run, for this user only, gone with the demo. `./data` is never touched.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use homerealm_certs::Random;

use crate::ids;

/// Removed when dropped.
#[derive(Debug)]
pub(super) struct DemoFolder(PathBuf);

impl DemoFolder {
    /// Its name cannot be guessed, and one that is there already is refused, so nobody can have prepared it.
    pub(super) fn make(random: &dyn Random) -> std::io::Result<Self> {
        let name = format!("homerealm-demo-{}", ids::transaction(random));
        let path = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for DemoFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the demo's folder was not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use homerealm_certs::{SequenceRandom, SystemRandom};

    use super::*;

    #[test]
    fn a_folder_is_for_its_user_and_goes_with_the_demo() {
        let folder = DemoFolder::make(&SystemRandom).unwrap();
        let path = folder.path().to_owned();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        std::fs::write(path.join("file"), "").unwrap();

        drop(folder);

        assert_eq!(mode & 0o777, 0o700);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_is_there_already_is_not_used() {
        let first = DemoFolder::make(&SequenceRandom::new(4711)).unwrap();

        let second = DemoFolder::make(&SequenceRandom::new(4711)).unwrap_err();

        assert_eq!(second.kind(), std::io::ErrorKind::AlreadyExists);
        drop(first);
    }
}
