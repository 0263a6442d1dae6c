//! The folder of a state: who may use it, and what is in it.
//!
//! One process at a time: an OS lock, which goes with the process however that ends. Who only looks shares the lock with
//! others who do, and who wants to work waits for them a little. Only its owner may read it, since cookies and URLs with
//! passwords are in it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::failpoint;
use super::{Manifest, StateError, Store};
use crate::folders::{folder_of, sync_folder};

/// Held by who is at work, whose number is in it.
const LOCK: &str = "lock";
const MANIFEST: &str = "manifest.json";
/// On its way to be the manifest, or what it was: as long as there is only this, the folder is no state yet, or no more.
const NEW_MANIFEST: &str = "manifest.new";
const STORE: &str = "store";
/// What the output announces before it writes.
const NOTE: &str = "note";
/// Pages kept for the next run.
const PAGES: &str = "pages";

/// All that a folder may hold.
const NAMES: [&str; 6] = [LOCK, MANIFEST, NEW_MANIFEST, STORE, NOTE, PAGES];

/// Who wants to work waits so long for those who only look.
const PATIENCE: Duration = Duration::from_secs(2);
/// And asks so often meanwhile.
const PAUSE: Duration = Duration::from_millis(20);

/// So often at most a folder is made anew because another process has removed it.
const MOST_TAKES: usize = 100;

/// A folder that is ours as long as this lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Locked.
    lock: File,
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Else the number of a process that has gone would stand there. A killed one leaves it all the same.
        let _ = self.lock.set_len(0);
    }
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
        Folder::take_within(path, PATIENCE)
    }

    fn take_within(path: &Path, patience: Duration) -> Result<Folder, StateError> {
        for _ in 0..MOST_TAKES {
            match DirBuilder::new().mode(0o700).create(path) {
                Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(StateError::write(path, cause));
                }
                _ => {}
            }
            refuse_others(path)?;
            // `None`: who held it has removed it in the meantime.
            let Some(lock) = lock(path, patience)? else { continue };
            let folder = Folder { path: path.to_owned(), lock };
            folder.settle().map_err(|cause| StateError::write(path, cause))?;
            return Ok(folder);
        }
        // No race: a link that leads nowhere.
        Err(StateError::write(path, io::ErrorKind::NotFound.into()))
    }

    /// Says whose it is, and makes sure that others cannot read it and that a new one stays.
    fn settle(&self) -> io::Result<()> {
        self.lock.set_len(0)?;
        (&self.lock).seek(SeekFrom::Start(0))?;
        writeln!(&self.lock, "{}", std::process::id())?;
        hide(&self.path)?;
        // Whoever made it may have died before this.
        if !self.path.join(MANIFEST).exists() {
            sync_folder(folder_of(&self.path))?;
        }
        Ok(())
    }

    /// As [`Folder::take`], but does not make one.
    ///
    /// # Errors
    /// As [`Folder::take`], or there is none.
    pub fn take_existing(path: &Path) -> Result<Folder, StateError> {
        // Else a folder would be made.
        if read_manifest(path).is_ok_and(|manifest| manifest.is_none()) {
            return Err(StateError::Missing(path.to_owned()));
        }
        Folder::take(path)
    }

    /// Takes hold of a state only to look at it: nothing of ours in it is changed, so the holder is not told by its
    /// number. (fjall opens a store for writing, and may put its own files in order.)
    ///
    /// # Errors
    /// Somebody else holds it, there is none, or it cannot be read.
    pub fn look(path: &Path) -> Result<Looked, StateError> {
        let manifest = read_manifest(path)?.ok_or_else(|| StateError::Missing(path.to_owned()))?;
        let failed = |cause| StateError::reading(path, "its lock cannot be opened", cause);
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
                Err(TryLockError::WouldBlock) => Some(holder(lock)),
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
        let manifest = read_manifest(&self.path)?;
        let there = |name| self.path.join(name).exists();
        if manifest.is_none() && there(STORE) && !there(NEW_MANIFEST) {
            return Err(StateError::damaged(&self.path, format!("{MANIFEST} is missing")));
        }
        Ok(manifest)
    }

    /// Writes what the folder is the state of: in one step, and so that it stays.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), StateError> {
        self.prepare_manifest(manifest)?;
        let write = || -> io::Result<()> {
            fs::rename(self.path.join(NEW_MANIFEST), self.path.join(MANIFEST))?;
            failpoint::pass("manifest renamed");
            sync_folder(&self.path)
        };
        write().map_err(|cause| StateError::write(&self.path, cause))
    }

    /// Says that what is in the folder is not a state yet.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn prepare_manifest(&self, manifest: &Manifest) -> Result<(), StateError> {
        let write = || -> io::Result<()> {
            let new = self.path.join(NEW_MANIFEST);
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(manifest.to_json().as_bytes())?;
            file.sync_all()?;
            sync_folder(&self.path)
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
            match fs::rename(self.path.join(MANIFEST), self.path.join(NEW_MANIFEST)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // On a disk that loses its power, too.
            sync_folder(&self.path)?;
            failpoint::pass("manifest removed");
            remove_folder(&self.path.join(STORE))?;
            failpoint::pass("store removed");
            remove_folder(&self.path.join(PAGES))?;
            remove_file(&self.path.join(NOTE))?;
            remove_file(&self.path.join(NEW_MANIFEST))
        };
        clear().map_err(|cause| StateError::write(&self.path, cause))
    }

    /// Removes the folder. The store must be closed.
    ///
    /// # Errors
    /// Something cannot be removed.
    pub fn remove(self) -> Result<(), StateError> {
        use io::ErrorKind::{DirectoryNotEmpty, NotFound};
        self.clear()?;
        let remove = || -> io::Result<()> {
            remove_file(&self.path.join(LOCK))?;
            match fs::remove_dir(&self.path) {
                // Without the lock it is free: another process may have made its own there, or removed the folder.
                Err(error) if matches!(error.kind(), DirectoryNotEmpty | NotFound) => Ok(()),
                result => result,
            }
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
        Err(cause) => Err(StateError::reading(path, "its manifest cannot be read", cause)),
    }
}

/// A folder with anything else in it is not ours to write to, nor to remove. One that is gone is for [`lock`] to notice.
fn refuse_others(path: &Path) -> Result<(), StateError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(StateError::NotAFolder(path.to_owned()));
        }
        Err(cause) => return Err(StateError::write(path, cause)),
    };
    for entry in entries {
        let name = entry.map_err(|cause| StateError::write(path, cause))?.file_name();
        if !NAMES.iter().any(|known| *known == name) {
            let found = name.to_string_lossy().into_owned();
            return Err(StateError::NotAState { folder: path.to_owned(), found });
        }
    }
    Ok(())
}

/// Sees to it that only the owner may read what is in the folder.
fn hide(path: &Path) -> io::Result<()> {
    const STICKY: u32 = 0o1000;
    let mode = fs::metadata(path)?.mode();
    // A folder that others keep their things in, like `/tmp`, is to stay one.
    if mode & 0o077 == 0 || mode & STICKY != 0 {
        return Ok(());
    }
    match fs::set_permissions(path, Permissions::from_mode(0o700)) {
        // It is another user's who lets us write there, or the file system knows of no permissions.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Locks the folder; `None` if it is another one by now, or gone.
fn lock(path: &Path, patience: Duration) -> Result<Option<File>, StateError> {
    let failed = |cause| StateError::write(path, cause);
    let place = path.join(LOCK);
    let opened =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&place);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed(cause)),
    };
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        // Shared, it can only be had beside those who look: they are about to end.
        match file.try_lock_shared() {
            Ok(()) => file.unlock().map_err(failed)?,
            Err(TryLockError::WouldBlock) => {
                return Err(StateError::Held { folder: path.to_owned(), process: holder(&mut file) });
            }
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        if began.elapsed() >= patience {
            return Err(StateError::LookedAt(path.to_owned()));
        }
        thread::sleep(PAUSE);
    }
    let is_there = fs::metadata(&place).is_ok_and(|there| {
        file.metadata().is_ok_and(|ours| (there.dev(), there.ino()) == (ours.dev(), ours.ino()))
    });
    Ok(is_there.then_some(file))
}

/// The number of the process that holds the lock, if it has said so. One that was killed has left its own, which stands
/// there until the next one has written: where the system lists its processes, it has to be one of them.
fn holder(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.read_to_string(&mut text).ok()?;
    let number: u32 = text.trim().parse().ok()?;
    let processes = Path::new("/proc");
    let is_alive = processes.join(number.to_string()).exists() || !processes.join("self").exists();
    is_alive.then_some(number)
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
        let given = place.path().join("given");
        fs::create_dir(&given).unwrap();
        fs::set_permissions(&given, Permissions::from_mode(0o755)).unwrap();
        let _folder = Folder::take(&given).unwrap();
        assert_eq!(fs::metadata(&given).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn permissions_of_what_is_not_a_state_stay() {
        let place = tempfile::tempdir().unwrap();
        let shared = place.path().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
        drop(Folder::take(&shared).unwrap());
        assert_eq!(fs::metadata(&shared).unwrap().mode() & 0o7777, 0o1777);
        let other = place.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::set_permissions(&other, Permissions::from_mode(0o755)).unwrap();
        fs::write(other.join("thesis.tex"), "").unwrap();
        Folder::take(&other).unwrap_err();
        assert_eq!(fs::metadata(&other).unwrap().mode() & 0o777, 0o755);
    }

    #[test]
    fn who_wants_to_work_waits_for_who_looks_and_does_not_take_it_for_work() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state");
        let folder = Folder::take(&path).unwrap();
        folder.write_manifest(&Manifest::of_nothing()).unwrap();
        drop(folder);
        let looked = Folder::look(&path).unwrap();
        let error = Folder::take_within(&path, Duration::ZERO).unwrap_err();
        assert!(matches!(error, StateError::LookedAt(_)), "{error}");
        thread::scope(|scope| {
            let taken = scope.spawn(|| Folder::take_within(&path, Duration::from_secs(600)));
            drop(looked);
            taken.join().unwrap().unwrap();
        });
    }

    #[test]
    fn the_number_of_a_process_that_has_gone_is_not_told() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state");
        let folder = Folder::take(&path).unwrap();
        folder.write_manifest(&Manifest::of_nothing()).unwrap();
        let held_by = || Folder::look(&path).unwrap().held_by;
        assert_eq!(held_by(), Some(Some(std::process::id())));
        // Higher than any number that Linux gives; other systems do not list theirs here.
        fs::write(path.join(LOCK), "4194999\n").unwrap();
        if Path::new("/proc/self").exists() {
            assert_eq!(held_by(), Some(None));
        }
        drop(folder);
        assert_eq!(fs::read(path.join(LOCK)).unwrap(), b"");
    }

    #[test]
    fn what_came_into_a_folder_while_it_was_removed_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state");
        let folder = Folder::take(&path).unwrap();
        fs::write(path.join("of another process"), "").unwrap();
        folder.remove().unwrap();
        assert!(path.join("of another process").exists());
    }

    #[test]
    fn a_file_or_a_link_to_nowhere_is_no_place_for_a_state() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Folder::take(&file).unwrap_err();
        assert!(matches!(error, StateError::NotAFolder(_)) && error.hint().is_some(), "{error}");
        let link = place.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert!(matches!(Folder::take(&link).unwrap_err(), StateError::Write { .. }));
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
