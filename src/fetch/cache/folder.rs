//! Where the files of a cache lie, and how they get there whole.
//!
//! One file for each URL, in one of 256 folders, named by a hash. It is written under another name and then renamed, so
//! that threads and processes that share the folder see old or new files, never halves; of two that write at the same
//! time, the later wins. What a crash leaves torn, the checksum of `entry` tells.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::entry::{self, MAGIC, Stored};

/// Tells backup programs to leave the folder out (<https://bford.info/cachedir/>).
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# Pages kept by pagemill; delete this folder whenever you like.\n";

/// The folder of a cache.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: PathBuf) -> Folder {
        Folder(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The answer that is kept for a request; `None` if there is none, whatever the reason.
    pub(super) fn read(&self, method: &str, url: &str) -> Option<Stored> {
        let path = self.file_of(method, url);
        // To open a pipe that somebody put there would wait for ever.
        if !fs::metadata(&path).ok()?.is_file() {
            return None;
        }
        let mut file = File::open(&path).ok()?;
        let mut bytes = vec![0; MAGIC.len()];
        file.read_exact(&mut bytes).ok()?;
        if bytes != MAGIC {
            // A foreign file need not even be small.
            return None;
        }
        file.read_to_end(&mut bytes).ok()?;
        entry::decode(&bytes, method, url)
    }

    /// Keeps an answer.
    ///
    /// # Errors
    ///
    /// Whatever the file system says; no file is left then but the one that was there.
    pub(super) fn write(&self, method: &str, url: &str, head: &Stored, body: &[u8]) -> io::Result<()> {
        let path = self.file_of(method, url);
        let folder = path.parent().unwrap_or(&self.0);
        if !folder.is_dir() {
            self.make(folder)?;
        }
        let unfinished = path.with_extension(format!("{:016x}", fastrand::u64(..)));
        let written = File::create_new(&unfinished)
            .and_then(|mut file| file.write_all(&entry::encode(method, url, head, body)))
            .and_then(|()| fs::rename(&unfinished, &path));
        if written.is_err() {
            // If even that fails, the file is one that nobody reads.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    /// Makes a folder that only the user can look into: pages may be meant for nobody else.
    fn make(&self, folder: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        match File::create_new(self.0.join("CACHEDIR.TAG")) {
            Ok(mut tag) => tag.write_all(TAG.as_bytes()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The file for a request.
    pub(super) fn file_of(&self, method: &str, url: &str) -> PathBuf {
        let name = format!("{:032x}", hash(&[method, "\n", url]));
        self.0.join(&name[..2]).join(&name[2..])
    }
}

/// FNV-1a with 128 bits. It need not withstand anybody: the file itself says which URL it is for, and of two URLs with
/// one hash only the later is kept. The standard library's hash may change with any version.
fn hash(parts: &[&str]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(hash(&[""]), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(hash(&["a"]), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }
}
