//! Names in folders, and how they get to the disk. Knows nothing of what is in the files.

use std::fs::File;
use std::io;
use std::path::Path;

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Brings the names in a folder to the disk, where the system lets us: some file systems know of no such thing
/// (`EINVAL`), and a folder that may be written to but not be read cannot be opened for it.
///
/// # Errors
/// The disk refuses, or there is no such folder.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied};
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_in_the_folder_of_now() {
        assert_eq!(folder_of(Path::new("out.jsonl")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/out.jsonl")), Path::new("a"));
        assert_eq!(folder_of(Path::new("/out.jsonl")), Path::new("/"));
    }

    #[test]
    fn a_folder_is_brought_to_the_disk_and_a_missing_one_is_told() {
        let place = tempfile::tempdir().unwrap();
        sync_folder(place.path()).unwrap();
        let error = sync_folder(&place.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
