//! The jar on disk: read once before a run, written once after it.
//!
//! The file is written beside its place and put there in one step, readable by its owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{Jar, netscape};

/// Far more than a full jar takes.
const MOST_BYTES: u64 = 64 << 20;

/// Why a file gives no jar.
#[derive(Debug, thiserror::Error)]
pub enum CookieFileError {
    /// The system does not let us.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("this is no cookies.txt: {0}")]
    NotCookies(&'static str),
    /// A line is wrong.
    #[error(transparent)]
    Line(#[from] netscape::BadLine),
}

/// The jar could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot save the cookies to {}: {cause}", .path.display())]
pub struct SaveError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

/// Reads a `cookies.txt`.
///
/// # Errors
/// When it cannot be read, or a line is no cookie.
pub fn load(path: &Path) -> Result<Jar, CookieFileError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(CookieFileError::NotCookies("it is too large"));
    }
    let text = String::from_utf8(bytes).map_err(|_| CookieFileError::NotCookies("it is not UTF-8"))?;
    Ok(netscape::read(&text)?)
}

/// Writes a `cookies.txt` with mode 0600. A device or FIFO is written to as it is; a symbolic link stays one.
///
/// # Errors
/// When it cannot be written.
pub fn save(jar: &Jar, path: &Path) -> Result<(), SaveError> {
    write(jar, path).map_err(|cause| SaveError { path: path.to_owned(), cause })
}

fn write(jar: &Jar, path: &Path) -> io::Result<()> {
    let text = netscape::write(jar);
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&path).is_ok_and(|file| !file.is_file()) {
        return OpenOptions::new().append(true).open(&path)?.write_all(text.as_bytes());
    }
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    // What is left of a killed process of the same number would keep its mode.
    let _ = fs::remove_file(&beside);
    let saved = write_new(&beside, text.as_bytes()).and_then(|()| fs::rename(&beside, &path));
    if saved.is_err() {
        let _ = fs::remove_file(&beside);
    }
    saved
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_file_is_the_owners_alone_even_if_it_was_everybodys() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookies.txt");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let mut jar = Jar::new();
        jar.store(b"a=1", &url::Url::parse("http://h.example/").unwrap());
        save(&jar, &path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        assert_eq!(load(&path).unwrap().len(), 1);
        assert!(save(&jar, Path::new("/dev/null")).is_ok() && !fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn what_is_no_cookies_txt_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        assert!(load(&path).unwrap_err().to_string().contains("No such file"));
        fs::write(&path, b"\xff\xfe").unwrap();
        assert_eq!(load(&path).unwrap_err().to_string(), "this is no cookies.txt: it is not UTF-8");
    }
}
