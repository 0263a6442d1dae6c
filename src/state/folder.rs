//! The folder of a state: who may use it, and what is in it.
//!
//! One process at a time: an OS lock, which goes with the process however that ends. Only its owner may read it, since
//! cookies and URLs with passwords are in it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::failpoint;
use super::{Manifest, StateError, Store};

/// Held by who is at work.
const LOCK: &str = "lock";
const MANIFEST: &str = "manifest.json";
/// On its way to be the manifest.
const NEW_MANIFEST: &str = "manifest.new";
const STORE: &str = "store";
/// What the output announces before it writes.
const NOTE: &str = "note";
/// Pages kept for the next run.
const PAGES: &str = "pages";

/// All that a folder may hold.
const NAMES: [&str; 6] = [LOCK, MANIFEST, NEW_MANIFEST, STORE, NOTE, PAGES];

/// A folder that is ours as long as this lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Locked.
    _lock: File,
}

/// A state that is only looked at.
#[derive(Debug)]
pub struct Looked {
    /// Which job it is of.
    pub manifest: Manifest,
    /// Whether a process is at it, and its number if it has said so.
    pub held_by: Option<Option<u32>>,
    /// What it has done; `None` if nothing yet, or if a process is at it.
    pub store: Option<Store>,
    /// Shared by all who look.
    _lock: Option<File>,
}

impl Folder {
    /// Takes hold of the folder at `path`, which is made if it is not there.
    ///
    /// # Errors
    /// Somebody else holds it, it holds something else, or it cannot be made.
    pub fn take(path: &Path) -> Result<Folder, StateError> {
        loop {
            let made = DirBuilder::new().mode(0o700).create(path);
            match made {
                Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(StateError::write(path, cause));
                }
                _ => {}
            }
            refuse_others(path)?;
            match lock(path)? {
                Some(lock) => return Ok(Folder { path: path.to_owned(), _lock: lock }),
                // Who held it has removed it in the meantime.
                None => continue,
            }
        }
    }

    /// As [`Folder::take`], but does not make one.
    ///
    /// # Errors
    /// As [`Folder::take`], or there is none.
    pub fn take_existing(path: &Path) -> Result<Folder, StateError> {
        if !path.join(MANIFEST).is_file() {
            return Err(StateError::Missing(path.to_owned()));
        }
        Folder::take(path)
    }

    /// Takes hold of a state only to look at it: nothing in it is changed, so the holder is not told by its number.
    ///
    /// # Errors
    /// Somebody else holds it, there is none, or it cannot be read.
    pub fn look(path: &Path) -> Result<Looked, StateError> {
        let manifest = read_manifest(path)?.ok_or_else(|| StateError::Missing(path.to_owned()))?;
        let failed = |cause| StateError::damaged(path, format!("its lock cannot be opened: {cause}"));
        let mut lock = match File::open(path.join(LOCK)) {
            Ok(lock) => Some(lock),
            // A copy may have come without.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(failed(cause)),
        };
        let held_by = match &mut lock {
            None => None,
            Some(lock) => match lock.try_lock_shared() {
                Ok(()) => None,
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    let _ = lock.read_to_string(&mut text);
                    Some(text.trim().parse().ok())
                }
                Err(TryLockError::Error(cause)) => return Err(failed(cause)),
            },
        };
        let store = match held_by {
            None => Store::look(path, &path.join(STORE))?,
            Some(_) => None,
        };
        Ok(Looked { manifest, held_by, store, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the output announces what it writes.
    pub fn note(&self) -> PathBuf {
        self.path.join(NOTE)
    }

    /// Where pages are kept for the next run.
    pub fn pages(&self) -> PathBuf {
        self.path.join(PAGES)
    }

    /// What the folder is the state of; `None` if it is of nothing yet.
    ///
    /// # Errors
    /// It cannot be read, or another version wrote it.
    pub fn manifest(&self) -> Result<Option<Manifest>, StateError> {
        read_manifest(&self.path)
    }

    /// Writes what the folder is the state of: in one step, and so that it stays.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), StateError> {
        let write = || -> io::Result<()> {
            let new = self.path.join(NEW_MANIFEST);
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(manifest.to_json().as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, self.path.join(MANIFEST))?;
            failpoint::pass("manifest renamed");
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|cause| StateError::write(&self.path, cause))
    }

    /// Opens the store.
    ///
    /// # Errors
    /// It is damaged, or cannot be made.
    pub fn open_store(&self) -> Result<Store, StateError> {
        Store::open(&self.path, &self.path.join(STORE))
    }

    /// Forgets everything but who holds it. The store must be closed.
    ///
    /// # Errors
    /// Something cannot be removed.
    pub fn clear(&self) -> Result<(), StateError> {
        // Without a manifest, what is left is of nobody: so it goes first.
        let clear = || -> io::Result<()> {
            remove_file(&self.path.join(MANIFEST))?;
            // On a disk that loses its power, too.
            File::open(&self.path)?.sync_all()?;
            failpoint::pass("manifest removed");
            remove_file(&self.path.join(NEW_MANIFEST))?;
            remove_folder(&self.path.join(STORE))?;
            failpoint::pass("store removed");
            remove_folder(&self.path.join(PAGES))?;
            remove_file(&self.path.join(NOTE))
        };
        clear().map_err(|cause| StateError::write(&self.path, cause))
    }

    /// Removes the folder. The store must be closed.
    ///
    /// # Errors
    /// Something cannot be removed.
    pub fn remove(self) -> Result<(), StateError> {
        self.clear()?;
        let remove = || -> io::Result<()> {
            remove_file(&self.path.join(LOCK))?;
            fs::remove_dir(&self.path)
        };
        remove().map_err(|cause| StateError::write(&self.path, cause))
    }
}

/// What the folder at `path` is the state of; `None` if it is of nothing, or there is none. Looks without taking hold.
///
/// # Errors
/// It cannot be read, or another version wrote it.
fn read_manifest(path: &Path) -> Result<Option<Manifest>, StateError> {
    match fs::read_to_string(path.join(MANIFEST)) {
        Ok(text) => Manifest::from_json(&text, path).map(Some),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(StateError::damaged(path, format!("{MANIFEST} cannot be read: {error}"))),
    }
}

/// A folder with anything else in it is not ours to write to, nor to remove.
fn refuse_others(path: &Path) -> Result<(), StateError> {
    for entry in fs::read_dir(path).map_err(|cause| StateError::write(path, cause))? {
        let name = entry.map_err(|cause| StateError::write(path, cause))?.file_name();
        if !NAMES.iter().any(|known| *known == name) {
            let found = name.to_string_lossy().into_owned();
            return Err(StateError::NotAState { folder: path.to_owned(), found });
        }
    }
    Ok(())
}

/// Locks the folder; `None` if it is another one by now, or gone.
fn lock(path: &Path) -> Result<Option<File>, StateError> {
    let failed = |cause| StateError::write(path, cause);
    let place = path.join(LOCK);
    let opened =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&place);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed(cause)),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            return Err(StateError::Held { folder: path.to_owned(), process: text.trim().parse().ok() });
        }
        Err(TryLockError::Error(cause)) => return Err(failed(cause)),
    }
    let is_there = fs::metadata(&place).is_ok_and(|there| {
        file.metadata().is_ok_and(|ours| (there.dev(), there.ino()) == (ours.dev(), ours.ino()))
    });
    if !is_there {
        return Ok(None);
    }
    let mut say = || -> io::Result<()> {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        writeln!(file, "{}", std::process::id())
    };
    say().map_err(failed)?;
    Ok(Some(file))
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_holder_who_is_named_and_is_free_again_afterwards() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("out.pagemill");
        let folder = Folder::take(&path).unwrap();
        let error = Folder::take(&path).unwrap_err();
        let process = std::process::id();
        assert!(matches!(error, StateError::Held { process: Some(held_by), .. } if held_by == process));
        drop(folder);
        Folder::take(&path).unwrap().remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn only_its_owner_may_look_into_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state");
        let _folder = Folder::take(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_folder_of_something_else_is_not_touched() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("thesis.tex"), "").unwrap();
        let error = Folder::take(place.path()).unwrap_err();
        assert!(matches!(error, StateError::NotAState { found, .. } if found == "thesis.tex"));
        assert!(!place.path().join(LOCK).exists());
        let missing = place.path().join("none/deeper");
        assert!(matches!(Folder::take(&missing).unwrap_err(), StateError::Write { .. }));
    }

    #[test]
    fn who_looks_at_a_state_changes_nothing_and_sees_who_is_at_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state");
        assert!(matches!(Folder::look(&path), Err(StateError::Missing(_))));
        assert!(!path.exists());
        let folder = Folder::take(&path).unwrap();
        let manifest = Manifest::of_nothing();
        folder.write_manifest(&manifest).unwrap();
        let looked = Folder::look(&path).unwrap();
        assert_eq!(looked.held_by, Some(Some(std::process::id())));
        assert_eq!(looked.manifest, manifest);
        drop((folder, looked));
        let looked = Folder::look(&path).unwrap();
        assert!(looked.held_by.is_none() && looked.store.is_none());
        assert!(!path.join(STORE).exists(), "nothing is made");
    }

    #[test]
    fn a_folder_without_a_state_is_told() {
        let place = tempfile::tempdir().unwrap();
        assert!(matches!(Folder::take_existing(place.path()), Err(StateError::Missing(_))));
    }
}
