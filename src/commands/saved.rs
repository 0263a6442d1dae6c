//! Saved pages: which files there are below what was named, and a file as a page.
//!
//! A file goes through a run as the request for its `file:` URL. Knows nothing of rules and threads.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use url::Url;

use crate::model::{Exchange, Failure, Page, PageError, Request, RequestId, Unmade};

/// A page that was named or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Saved {
    /// Standard input.
    Stdin,
    /// A file, or what cannot be read as one, such as a directory that is closed to us: reading it will tell.
    File(PathBuf),
}

impl Saved {
    /// Whether it is the file at `path`, by whatever name.
    pub(super) fn is_same_file(&self, path: &Path) -> bool {
        let Saved::File(file) = self else { return false };
        matches!((file.canonicalize(), path.canonicalize()), (Ok(one), Ok(other)) if one == other)
    }
}

/// The address that stands for standard input.
pub(super) const STDIN_URL: &str = "file:///dev/stdin";

/// The pages below `named`, in that order, each directory's sorted by name. Hidden files and directories are left out,
/// unless they were named; so is what is neither a file nor a directory. A directory that was there before, through a
/// link for example, is not entered again.
pub(super) fn list(named: &[PathBuf]) -> Vec<Saved> {
    let mut lister = Lister { found: Vec::new(), entered: HashSet::new() };
    for path in named {
        if path.as_os_str() == "-" {
            if !lister.found.contains(&Saved::Stdin) {
                lister.found.push(Saved::Stdin);
            }
        } else if path.is_dir() {
            lister.enter(path);
        } else {
            lister.found.push(Saved::File(path.clone()));
        }
    }
    lister.found
}

struct Lister {
    found: Vec<Saved>,
    /// Directories by their real path.
    entered: HashSet<PathBuf>,
}

impl Lister {
    /// Walks without recursion: how deep directories go is not ours to say.
    fn enter(&mut self, directory: &Path) {
        let mut open = vec![directory.to_owned()];
        while let Some(path) = open.pop() {
            match path.metadata() {
                Ok(metadata) if metadata.is_file() => self.found.push(Saved::File(path)),
                Ok(metadata) if metadata.is_dir() => {
                    if path.canonicalize().is_ok_and(|real| self.entered.insert(real)) {
                        match visible_entries(&path) {
                            // The last one is taken first.
                            Ok(entries) => open.extend(entries.into_iter().rev()),
                            Err(_) => self.found.push(Saved::File(path)),
                        }
                    }
                }
                // Closed to us, which is not the same as not there.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    self.found.push(Saved::File(path));
                }
                // A pipe, a device, a link to nowhere.
                Ok(_) | Err(_) => {}
            }
        }
    }
}

fn visible_entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let is_hidden =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if !is_hidden(&path) {
            entries.push(path);
        }
    }
    entries.sort();
    Ok(entries)
}

/// The requests for `pages`, numbered in their order.
pub(super) fn requests(pages: Vec<Saved>) -> impl Iterator<Item = Result<Request, Unmade>> {
    (0..).map(RequestId).zip(pages).map(|(id, page)| request(id, &page))
}

fn request(id: RequestId, page: &Saved) -> Result<Request, Unmade> {
    let url = match page {
        Saved::Stdin => Ok(Url::parse(STDIN_URL).expect("it is an address")),
        Saved::File(path) => file_url(path).map_err(|reason| unreadable(path, &reason)),
    };
    match url {
        Ok(url) => Ok(Request::new(id, url, None)),
        Err(error) => Err(Unmade { id, whom: "the file".to_owned(), error }),
    }
}

fn unreadable(path: &Path, reason: &str) -> PageError {
    PageError::Unreadable(format!("{}: {reason}", path.display()))
}

/// The `file:` URL of a path (RFC 8089), absolute; links stay as they were named.
fn file_url(path: &Path) -> Result<Url, String> {
    let absolute = std::path::absolute(path).map_err(|error| error.to_string())?;
    Url::from_file_path(absolute).map_err(|()| "this path has no address".to_owned())
}

/// Reads the page that a request of [`requests`] stands for, up to `limit` bytes. When it was fetched is when the file
/// was last changed.
///
/// # Errors
/// The request, and that the file cannot be read or is too large.
pub(super) fn read(request: Request, limit: u64) -> Result<Page, Box<Failure>> {
    match load(&request.url, limit) {
        Ok((body, fetched_at)) => Ok(Page {
            final_url: request.url.clone(),
            request,
            status: 200,
            content_type: None,
            body,
            robots_tag: Vec::new(),
            fetched_at,
            exchange: Exchange::default(),
        }),
        Err(error) => Err(Box::new(Failure { request, error, exchange: Exchange::default() })),
    }
}

/// Reads a page that was named by itself.
///
/// # Errors
/// It cannot be read or is too large.
pub(super) fn read_named(name: &str, limit: u64) -> Result<Page, PageError> {
    let saved = if name == "-" { Saved::Stdin } else { Saved::File(PathBuf::from(name)) };
    let request = request(RequestId(0), &saved).map_err(|unmade| unmade.error)?;
    read(request, limit).map_err(|failure| failure.error)
}

fn load(url: &Url, limit: u64) -> Result<(Vec<u8>, SystemTime), PageError> {
    let about = |error: io::Error| {
        PageError::Unreadable(match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::IsADirectory => "this is a directory".to_owned(),
            _ => error.to_string(),
        })
    };
    let now = SystemTime::now();
    let (body, fetched_at) = if url.as_str() == STDIN_URL {
        (take(io::stdin().lock(), limit).map_err(about)?, now)
    } else {
        let path =
            url.to_file_path().map_err(|()| PageError::Unreadable("this path has no file".to_owned()))?;
        let file = File::open(path).map_err(about)?;
        let changed = file.metadata().and_then(|metadata| metadata.modified());
        (take(file, limit).map_err(about)?, changed.unwrap_or(now))
    };
    if body.len() as u64 > limit { Err(PageError::TooLarge(limit)) } else { Ok((body, fetched_at)) }
}

/// What can be read, one byte more than the limit at most.
fn take(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    from.take(limit.saturating_add(1)).read_to_end(&mut body)?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn names(found: &[Saved], below: &Path) -> Vec<String> {
        let name = |saved: &Saved| match saved {
            Saved::File(path) => path.strip_prefix(below).unwrap().display().to_string(),
            other => format!("{other:?}"),
        };
        found.iter().map(name).collect()
    }

    #[test]
    fn a_directory_is_walked_in_sorted_order_without_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.html", "a/2.html", "a/1.html", ".hidden.html", ".git/x.html", "c/d/e.html"] {
            write(&folder.path().join(name), "");
        }
        let found = list(&[folder.path().to_owned()]);
        assert_eq!(names(&found, folder.path()), ["a/1.html", "a/2.html", "b.html", "c/d/e.html"]);
    }

    #[test]
    fn what_is_named_is_kept_even_if_hidden_or_missing_and_standard_input_once() {
        let named = ["x/.a", "gone", "-", "-"].map(PathBuf::from);
        assert_eq!(list(&named), [Saved::File("x/.a".into()), Saved::File("gone".into()), Saved::Stdin]);
    }

    #[cfg(unix)]
    #[test]
    fn a_circle_of_links_ends_and_a_link_to_a_file_is_read() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("a/page.html"), "");
        symlink(folder.path(), folder.path().join("a/up")).unwrap();
        symlink(folder.path().join("a"), folder.path().join("z")).unwrap();
        symlink(folder.path().join("a/page.html"), folder.path().join("link.html")).unwrap();
        symlink("self.html", folder.path().join("self.html")).unwrap();
        symlink(folder.path().join("nowhere"), folder.path().join("broken.html")).unwrap();
        let found = list(&[folder.path().to_owned()]);
        assert_eq!(names(&found, folder.path()), ["a/page.html", "link.html"]);
    }

    #[test]
    fn a_file_is_read_up_to_the_limit_and_its_address_is_absolute() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ä b.html");
        write(&path, "12345");
        let read = |limit| read_named(path.to_str().unwrap(), limit);
        let page = read(5).unwrap();
        assert_eq!(page.body, b"12345");
        assert_eq!(page.final_url.scheme(), "file");
        assert!(page.final_url.path().ends_with("/%C3%A4%20b.html"), "{}", page.final_url);
        assert_eq!(read(4).unwrap_err(), PageError::TooLarge(4));
        let gone = read_named("no/such", 9).unwrap_err();
        assert_eq!(gone.to_string(), "cannot read it: there is no such file");
        assert!(matches!(read_named(folder.path().to_str().unwrap(), 9), Err(PageError::Unreadable(_))));
    }
}
