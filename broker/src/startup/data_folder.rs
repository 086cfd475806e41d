//! The data folder: made, locked for one process, and the small secret files in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::StartupError;

/// The folder of the database, held by this process until this is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// The lock goes with the file handle, also when the process is killed.
    _lock: File,
}

const LOCK: &str = "homerealm.lock";

impl DataFolder {
    /// Makes the folder (mode 0700) where it is missing, and locks it.
    ///
    /// # Errors
    /// [`StartupError::Folder`] where it cannot be made or written, [`StartupError::FolderInUse`] where another process
    /// has it.
    pub fn open(path: &Path) -> Result<Self, StartupError> {
        let failed = |source| StartupError::Folder { path: path.to_owned(), source };
        if !path.is_dir() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join(LOCK))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(StartupError::FolderInUse { path: path.to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Writes a new file, mode 0600, on disk before it returns; refuses to touch one that is there.
///
/// # Errors
/// As the file system says; [`ErrorKind::AlreadyExists`] where the file is there.
pub fn write_secret_file(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    // a file that holds half a secret would be worse than none
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = fs::remove_file(path);
        return Err(error);
    }
    match path.parent() {
        Some(parent) if parent != Path::new("") => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Reads a small secret file, without the white space around it; `None` where there is none.
///
/// # Errors
/// As the file system says; [`ErrorKind::InvalidData`] where it is larger than 4 KiB or not UTF-8.
pub fn read_secret_file(path: &Path) -> std::io::Result<Option<Zeroizing<String>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "a secret file is open to other users: chmod 600 it");
    }
    let mut text = Zeroizing::new(String::new());
    if file.take(4097).read_to_string(&mut text)? > 4096 {
        return Err(ErrorKind::InvalidData.into());
    }
    Ok(Some(Zeroizing::new(text.trim().to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_holder_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let first = DataFolder::open(&path).unwrap();

        let second = DataFolder::open(&path);

        assert!(matches!(second, Err(StartupError::FolderInUse { .. })));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        drop(first);
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();

        let error = DataFolder::open(&file.join("data")).unwrap_err();

        assert!(error.to_string().contains("file/data"), "{error}");
    }

    #[test]
    fn secret_files_are_written_once_and_for_their_user_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        write_secret_file(&path, "one\n").unwrap();

        let again = write_secret_file(&path, "two\n").unwrap_err();

        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        assert_eq!(read_secret_file(&path).unwrap().unwrap().as_str(), "one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(read_secret_file(&folder.path().join("none")).unwrap().is_none());
        fs::write(&path, "x".repeat(4097)).unwrap();
        assert_eq!(read_secret_file(&path).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
