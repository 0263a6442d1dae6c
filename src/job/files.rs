//! All files that a run reads and writes, to refuse the run that would lose one: two things written to one file, or one
//! written to what is read.
//!
//! The one place that knows them all: a new setting with a file has its line here. What a file is written or read for is
//! none of its business, nor what is in it.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::layers::Layers;
use crate::mistake::Mistake;
use crate::output::{PartNames, Parts, Target};
use crate::written::Place;

/// Settings that name a file to be read.
const READ: [&str; 7] =
    ["load-cookies", "netrc-file", "user-agent-file", "cacert", "cert", "key", "proxy-file"];

/// Settings whose text is a file behind an `@`.
const READ_BEHIND_AT: [&str; 2] = ["data", "json"];

/// As many links as the system itself would follow.
const MOST_LINKS: u32 = 40;

/// What makes two files one. Devices, pipes and folders are none: they may well be shared.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Identity {
    /// It is there: its device and number, which hard links share.
    Inode(u64, u64),
    /// It is not there yet: where it will be.
    Path(PathBuf),
    /// Any part of an output, be it there or not: the folder, the names, and the parts that are there.
    Parts(PathBuf, PartNames, Vec<Identity>),
}

impl Identity {
    fn is_same(&self, other: &Identity) -> bool {
        match (self, other) {
            (Identity::Parts(folder, names, existing), other)
            | (other, Identity::Parts(folder, names, existing)) => match other {
                Identity::Path(path) => {
                    let name = path.file_name().and_then(|name| name.to_str());
                    path.parent() == Some(folder) && name.is_some_and(|name| names.number_of(name).is_some())
                }
                other => existing.contains(other),
            },
            (one, other) => one == other,
        }
    }
}

/// A file that is written.
#[derive(Debug, Clone)]
struct Written {
    /// Its setting.
    name: &'static str,
    place: String,
    /// What is written to it: `records`.
    what: &'static str,
    identity: Identity,
}

/// The files that a run writes.
#[derive(Debug, Clone, Default)]
pub struct WrittenFiles(Vec<Written>);

impl WrittenFiles {
    /// What is wrong with `read` being read, which `whose` names, in a run that writes these files.
    ///
    /// # Errors
    /// The mistake.
    pub fn may_read(&self, read: &Path, whose: &str) -> Result<(), Mistake> {
        let identity = if read.as_os_str() == "-" { of_handle(&io::stdin()) } else { of_path(read) };
        identity.map_or(Ok(()), |identity| self.keep(&identity, "", whose))
    }

    /// Whether nothing is written to the file of this identity, that `reader` reads.
    fn keep(&self, identity: &Identity, reader: &str, whose: &str) -> Result<(), Mistake> {
        // The cookies are read before the run and written after it: that is how a jar is carried on.
        let is_jar = |written: &Written| reader == "load-cookies" && written.name == "save-cookies";
        match self.0.iter().find(|written| written.identity.is_same(identity) && !is_jar(written)) {
            Some(written) => {
                let message = format!("this file is read too, by {whose}");
                Err(Mistake::new(&written.place, message)
                    .with_hint(format!("name another file for the {}", written.what)))
            }
            None => Ok(()),
        }
    }

    fn add(
        &mut self,
        layers: &mut Layers,
        name: &'static str,
        what: &'static str,
        identity: Option<Identity>,
    ) {
        let Some(identity) = identity else { return };
        let place = place_of(layers, name);
        if let Some(other) = self.0.iter().find(|other| other.identity.is_same(&identity)) {
            let message = format!("the {} are written to this file", other.what);
            let hint = format!("name another file for the {what}");
            layers.mistakes.push(Mistake::new(&place, message).with_hint(hint));
        }
        self.0.push(Written { name, place, what, identity });
    }
}

/// The files that a run writes, none of which is another one or is read: what is wrong with them goes to the mistakes.
/// `config` is the job file.
pub(super) fn build(
    layers: &mut Layers,
    config: Option<&str>,
    target: &Target,
    summary: Option<&Path>,
    save_cookies: Option<&Path>,
) -> WrittenFiles {
    let mut files = WrittenFiles::default();
    match target {
        Target::Stdout => files.add(layers, "output", "records", of_handle(&io::stdout())),
        Target::Append(path) => files.add(layers, "output", "records", of_path(path)),
        Target::Replace(path) => files.add(layers, "overwrite", "records", of_path(path)),
        Target::Parts(parts) => {
            let name = if parts.replaces { "overwrite" } else { "output" };
            files.add(layers, name, "records", of_parts(parts));
        }
    }
    // What is open already is written to behind what is there, whoever wrote that.
    if let Some(path) = summary.filter(|path| !crate::summary::is_own_handle(path)) {
        files.add(layers, "summary", "counts", of_path(path));
    }
    if let Some(path) = save_cookies {
        files.add(layers, "save-cookies", "cookies", of_path(path));
    }
    for (reader, identity, whose) in read_files(layers, config) {
        if let Err(mistake) = files.keep(&identity, reader, &whose) {
            layers.mistakes.push(mistake);
        }
    }
    files
}

/// The setting, the file, and the place of the setting.
fn read_files(layers: &mut Layers, config: Option<&str>) -> Vec<(&'static str, Identity, String)> {
    let mut found = Vec::new();
    let mut add = |name: &'static str, identity: Option<Identity>, whose: String| {
        found.extend(identity.map(|identity| (name, identity, whose)));
    };
    if let Some(path) = config {
        add("config", of_path(Path::new(path)), "--config".to_owned());
    }
    for name in READ {
        if let Some(written) = layers.value(name) {
            add(name, of_path(Path::new(&written.text)), written.place.to_string());
        }
    }
    if layers.switch("netrc")
        && layers.value("netrc-file").is_none()
        && let Some(home) = std::env::var_os("HOME")
    {
        add("netrc", of_path(&Path::new(&home).join(".netrc")), place_of(layers, "netrc"));
    }
    // A list of the job file that another takes the place of in this run is not to be lost either.
    for written in layers.list("input-file") {
        let identity = match written.text.as_str() {
            "-" => of_handle(&io::stdin()),
            path => of_path(Path::new(path)),
        };
        add("input-file", identity, written.place.to_string());
    }
    for name in READ_BEHIND_AT {
        for written in layers.list(name) {
            if let Some(path) = written.text.strip_prefix('@') {
                add(name, of_path(Path::new(path)), written.place.to_string());
            }
        }
    }
    found
}

fn place_of(layers: &Layers, name: &'static str) -> String {
    layers.value(name).map_or(Place::Flag(name), |written| written.place).to_string()
}

fn of_path(path: &Path) -> Option<Identity> {
    match fs::metadata(path) {
        Ok(metadata) => of_metadata(&metadata),
        Err(_) => Some(Identity::Path(future_place(path)?)),
    }
}

fn of_parts(parts: &Parts) -> Option<Identity> {
    let numbers = parts.names.existing().ok()?;
    let existing = numbers.into_iter().filter_map(|part| of_path(&parts.names.path(part))).collect();
    let folder = parts.names.folder().canonicalize().ok()?;
    Some(Identity::Parts(folder, parts.names.clone(), existing))
}

/// What standard input or output is connected to.
fn of_handle(handle: &impl AsFd) -> Option<Identity> {
    let file = File::from(handle.as_fd().try_clone_to_owned().ok()?);
    of_metadata(&file.metadata().ok()?)
}

fn of_metadata(metadata: &Metadata) -> Option<Identity> {
    metadata.is_file().then(|| Identity::Inode(metadata.dev(), metadata.ino()))
}

/// Where a file will be that is not there yet: its real folder, and through links that lead to nowhere so far.
fn future_place(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        let place = folder.join(path.file_name()?);
        match fs::read_link(&place) {
            Ok(leads_to) => path = folder.join(leads_to),
            Err(_) => return Some(place),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::written::{Layer, Written};

    /// The mistakes of a job with these settings, beginning with the place.
    fn mistakes(settings: &[(&'static str, &Path)], config: Option<&Path>) -> Vec<String> {
        let mut layer = Layer::new();
        for &(name, path) in settings {
            let text = path.to_str().unwrap().to_owned();
            layer.entry(name).or_default().push(Written { text, place: Place::Flag(name) });
        }
        let path = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, path)| *path);
        let target = match (path("output"), path("overwrite")) {
            (Some(path), _) => Target::Append(path.to_owned()),
            (_, Some(path)) => Target::Replace(path.to_owned()),
            _ => Target::Append("/dev/null".into()),
        };
        let mut layers = Layers::new(vec![layer], Vec::new());
        let config = config.map(|path| path.to_str().unwrap());
        build(&mut layers, config, &target, path("summary"), path("save-cookies"));
        layers.mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn two_things_are_not_written_to_one_file_be_it_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        for _ in ["not there yet", "there"] {
            for (one, other) in [
                ("output", "save-cookies"),
                ("overwrite", "save-cookies"),
                ("output", "summary"),
                ("summary", "save-cookies"),
            ] {
                let found = mistakes(&[(one, &file), (other, &file)], None);
                assert!(found.len() == 1 && found[0].starts_with(&format!("--{other}: the ")), "{found:?}");
            }
            fs::write(&file, "").unwrap();
        }
    }

    #[test]
    fn nothing_is_written_to_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for read in READ.into_iter().chain(["input-file"]) {
            for write in ["output", "overwrite", "summary", "save-cookies"] {
                let found = mistakes(&[(write, &file), (read, &file)], None);
                let expected = usize::from((read, write) != ("load-cookies", "save-cookies"));
                assert_eq!(found.len(), expected, "{read} {write} {found:?}");
                assert!(
                    found
                        .iter()
                        .all(|told| told
                            .starts_with(&format!("--{write}: this file is read too, by --{read}")))
                );
            }
        }
        for read in READ_BEHIND_AT {
            let at = PathBuf::from(format!("@{}", file.display()));
            assert_eq!(mistakes(&[("overwrite", &file), (read, &at)], None).len(), 1, "{read}");
        }
        assert_eq!(mistakes(&[("overwrite", &file)], Some(&file)).len(), 1, "the job file");
    }

    #[test]
    fn links_and_roundabout_ways_are_seen_through() {
        let folder = tempfile::tempdir().unwrap();
        let [file, hard, soft, nowhere, dangling] =
            ["file", "hard", "soft", "nowhere", "dangling"].map(|name| folder.path().join(name));
        fs::write(&file, "").unwrap();
        fs::hard_link(&file, &hard).unwrap();
        symlink("file", &soft).unwrap();
        symlink("nowhere", &dangling).unwrap();
        let roundabout = folder.path().join(".").join("nowhere");
        for (one, other) in
            [(&file, &hard), (&file, &soft), (&soft, &hard), (&nowhere, &dangling), (&roundabout, &dangling)]
        {
            assert_eq!(mistakes(&[("output", one), ("summary", other)], None).len(), 1, "{one:?} {other:?}");
        }
        assert!(mistakes(&[("output", &file), ("summary", &nowhere)], None).is_empty());
    }

    #[test]
    fn nothing_else_is_written_to_a_part_be_it_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("b-1.jsonl"), "").unwrap();
        symlink("b-1.jsonl", path("link")).unwrap();
        let names = PartNames::parse(path("b-{part}.jsonl").to_str().unwrap()).unwrap();
        for replaces in [true, false] {
            let target = Target::Parts(Parts { names: names.clone(), most_bytes: 1, replaces });
            let is_refused = |name: &str| {
                let mut layers = Layers::new(vec![], Vec::new());
                build(&mut layers, None, &target, Some(&path(name)), None);
                !layers.mistakes.is_empty()
            };
            assert!(is_refused("b-1.jsonl") && is_refused("b-7.jsonl") && is_refused("link"));
            assert!(!is_refused("b-07.jsonl") && !is_refused("counts.json"));
        }
    }

    #[test]
    fn devices_may_be_shared() {
        let null = Path::new("/dev/null");
        assert!(mistakes(&[("output", null), ("summary", null), ("load-cookies", null)], None).is_empty());
    }
}
