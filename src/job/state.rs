//! Where a run keeps its state, and what makes two runs one job: `state`, `fresh`, `no-state`.
//!
//! A run goes on only with a job that fetches the same. Each setting is in one of two lists here: it is part of that, or
//! it may change from one day to the next.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::JobRule;
use super::layers::Layers;
use crate::config::JobFile;
use crate::message;
use crate::mistake::Mistake;
use crate::model::without_userinfo;
use crate::output::Target;
use crate::state::JobPart;
use crate::written::{Layer, Place};

/// Settings that say what is fetched and what is made of it.
const FIXED: &[&str] = &[
    "url",
    "pages",
    "var",
    "glob",
    "input-file",
    "sitemap",
    "feed",
    "since",
    "max-pages",
    "until-empty",
    "max-records",
    "domains",
    "accept-regex",
    "reject-regex",
    "level",
    "no-parent",
    "order",
    "sort-query",
    "max-per-shape",
    "rule",
    "each",
    "field",
    "follow",
    "raw",
    "namespace",
    "with-meta",
    "key-field",
    "method",
    "data",
    "json",
    "header",
    "charset",
    "max-body",
    "max-redirs",
    "no-robots",
    "ordered",
    "since-last",
    "with-op",
    "stop-at-seen",
];

/// Settings that say how, and what is told of it.
#[cfg(test)]
const FREE: &[&str] = &[
    "spill-dir",
    "xpath-engine",
    "jobs",
    "per-host",
    "per-ip",
    "throttle",
    "wait",
    "jitter",
    "rate",
    "max-pause",
    "throttle-start-delay",
    "throttle-max-delay",
    "throttle-target",
    "parsers",
    "connect-timeout",
    "read-timeout",
    "timeout",
    "speed-limit",
    "speed-time",
    "resolve",
    "ipv4",
    "ipv6",
    "insecure",
    "cacert",
    "cert",
    "key",
    "proxy",
    "proxy-file",
    "no-proxy",
    "allow-private",
    "retry",
    "retry-on",
    "retry-all-errors",
    "retry-delay",
    "user",
    "bearer",
    "netrc",
    "netrc-file",
    "cookie",
    "no-cookies",
    "load-cookies",
    "save-cookies",
    "user-agent",
    "user-agent-file",
    "cache",
    "cache-max-age",
    "max-time",
    "output",
    "overwrite",
    "summary",
    "quiet",
    "verbose",
    "no-progress",
    "state",
    "fresh",
    "no-state",
    "rotate",
];

/// Settings whose values are nobody's business, so that no state has them.
const SECRET: &[&str] = &["user", "bearer", "cookie", "header", "proxy"];

/// Whether a value is one that no state has: a body that is written in place, an address with a log-in in it.
fn is_secret(name: &str, text: &str) -> bool {
    match name {
        "data" | "json" => !text.starts_with('@'),
        "url" | "sitemap" | "feed" | "var" => without_userinfo(text, 0).0 != text,
        _ => SECRET.contains(&name),
    }
}

/// Settings that are of one run and not of the job.
pub const OF_ONE_RUN: &[&str] = &["state", "fresh", "no-state"];

/// Files that may be others from one day to the next. The others are what is fetched, and where it goes.
const FREE_PATHS: &[&str] = &[
    "spill-dir",
    "cacert",
    "cert",
    "key",
    "proxy-file",
    "netrc-file",
    "load-cookies",
    "save-cookies",
    "user-agent-file",
    "cache",
    "summary",
];

/// What stands behind the name of the output.
const SUFFIX: &str = ".pagemill";

/// Where a run keeps its state, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatePolicy {
    /// The folder.
    pub folder: PathBuf,
    /// Whether it stays when the run is done.
    pub keeps: bool,
    /// Whether to begin anew whatever is in it.
    pub fresh: bool,
    /// What is fetched.
    pub parts: Vec<JobPart>,
    /// What was written outside of the job file, but for settings in [`StatePolicy::secrets`].
    pub settings: Vec<(String, Vec<String>)>,
    /// Settings that have a secret there, by name: log-ins, headers, bodies, addresses with a log-in.
    pub secrets: Vec<String>,
    /// The job file.
    pub job_file: Option<String>,
    /// The names of the rules, by [`RuleId`](crate::model::RuleId).
    pub rules: Vec<String>,
}

/// Where the state is kept; `None` if none is. `given` are the flags and the environment, the stronger first.
pub(super) fn build(
    layers: &mut Layers,
    file: &Saved,
    target: &Target,
    rules: &[JobRule],
) -> Option<StatePolicy> {
    let named = layers.path("state");
    let (fresh, without) = (layers.switch("fresh"), layers.switch("no-state"));
    let since_last = layers.switch("since-last");
    if without {
        for (is_wanted, name) in [(named.is_some(), "state"), (fresh, "fresh"), (since_last, "since-last")] {
            if is_wanted {
                layers.mistakes.push(Mistake::new(format!("--{name}"), "does not go with --no-state"));
            }
        }
        return None;
    }
    let Some(folder) = named.clone().or_else(|| beside(target)) else {
        for (is_wanted, name) in [(fresh, "fresh"), (since_last, "since-last")] {
            if is_wanted {
                let message = "there is no place for a state beside this output";
                let hint = "write to a file with -o, or name a folder with --state";
                layers.mistakes.push(Mistake::new(format!("--{name}"), message).with_hint(hint));
            }
        }
        return None;
    };
    Some(StatePolicy {
        folder,
        keeps: named.is_some() || since_last,
        fresh,
        parts: parts(layers, file, target),
        settings: file.settings.clone(),
        secrets: file.secrets.clone(),
        job_file: file.job_file.clone(),
        rules: rules.iter().map(|rule| rule.rule.name.clone()).collect(),
    })
}

/// What of the job as it was written goes into its state.
#[derive(Debug, Default)]
pub(super) struct Saved {
    settings: Vec<(String, Vec<String>)>,
    secrets: Vec<String>,
    job_file: Option<String>,
    /// The `[extract]` tables.
    rules: String,
}

impl Saved {
    /// Of flags and environment, the stronger first, and the job file.
    pub(super) fn new(given: &[Layer], file: &JobFile) -> Saved {
        let mut saved =
            Saved { job_file: file.path.clone(), rules: file.extract.clone(), ..Saved::default() };
        for setting in crate::settings::SETTINGS {
            let Some(written) = given.iter().find_map(|layer| layer.get(setting.name)) else { continue };
            if OF_ONE_RUN.contains(&setting.name) {
                continue;
            }
            if written.iter().any(|written| is_secret(setting.name, &written.text)) {
                saved.secrets.push(setting.name.to_owned());
            } else {
                let texts = written.iter().map(|written| written.text.clone()).collect();
                saved.settings.push((setting.name.to_owned(), texts));
            }
        }
        saved
    }
}

/// The settings that a state has, as they were written on the command line.
pub fn layer_of(settings: &[(String, Vec<String>)]) -> Layer {
    let known = settings.iter().filter_map(|(name, texts)| Some((crate::settings::find(name)?, texts)));
    known
        .map(|(setting, texts)| {
            let place = Place::Flag(setting.name);
            let written =
                texts.iter().map(|text| crate::written::Written { text: text.clone(), place: place.clone() });
            (setting.name, written.collect())
        })
        .collect()
}

/// The layers of a job that is done again: what is typed and the environment now, and what was written then. What is
/// fetched is as it was then, whatever the environment says by now.
pub fn again(flags: Layer, mut environment: Layer, settings: &[(String, Vec<String>)]) -> Vec<Layer> {
    let then = layer_of(settings);
    environment.retain(|name, _| !OF_ONE_RUN.contains(name));
    environment.retain(|name, _| !FIXED.contains(name) || !then.contains_key(name));
    vec![flags, environment, then]
}

/// Makes names of files in `layer` absolute that are said as from this folder, before another one becomes that.
pub fn anchor(layer: &mut Layer) {
    for name in FREE_PATHS {
        for written in layer.get_mut(name).into_iter().flatten() {
            if written.text != "-" && !written.text.is_empty() {
                written.text = absolute(Path::new(&written.text)).to_string_lossy().into_owned();
            }
        }
    }
}

/// Where the state of a run is that writes to `output`, if it has one of its own.
pub fn state_of(output: &Path) -> PathBuf {
    let mut name = OsString::from(output);
    name.push(SUFFIX);
    name.into()
}

/// A file of its own has its state beside it.
fn beside(target: &Target) -> Option<PathBuf> {
    let path = target.place()?;
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return None;
    }
    Some(state_of(&path))
}

/// What is fetched and where it goes, by setting.
fn parts(layers: &mut Layers, file: &Saved, target: &Target) -> Vec<JobPart> {
    let mut parts = Vec::new();
    for &name in FIXED {
        let mut texts: Vec<String> = match crate::settings::find(name).map(|setting| setting.kind) {
            Some(crate::settings::Kind::List) => {
                layers.list(name).into_iter().map(|written| written.text).collect()
            }
            _ => layers.value(name).into_iter().map(|written| written.text).collect(),
        };
        if name == "header" {
            // A log-in may be renewed in between.
            let is_log_in = |text: &String| {
                let name = text.split(':').next().unwrap_or_default().trim();
                ["authorization", "cookie", "proxy-authorization"]
                    .iter()
                    .any(|secret| name.eq_ignore_ascii_case(secret))
            };
            texts.retain(|text| !is_log_in(text));
        }
        if !texts.is_empty() {
            let mut part = part(name, &texts, |text| shown(name, text));
            let contents: Vec<String> = texts.iter().filter_map(|text| contents(name, text)).collect();
            if !contents.is_empty() {
                part.hash = hash(&[&[part.hash], &*contents].concat());
            }
            parts.push(part);
        }
    }
    if !file.rules.is_empty() {
        parts.push(part("[extract]", std::slice::from_ref(&file.rules), |_| {
            "the tables of the job file".to_owned()
        }));
    }
    if let Some(path) = target.place().map(|path| absolute(&path)) {
        parts.push(part("output", &[path.to_string_lossy().into_owned()], |text| format!("`{text}`")));
    }
    parts
}

/// What stands for the contents of the file that a value is read from; `None` if it is no file that can be read twice. A
/// list is not such a file: it may grow while it is worked off, and is looked at as it is read.
fn contents(name: &str, text: &str) -> Option<String> {
    let value = match name {
        "data" | "json" => text,
        "var" => text.split_once('=')?.1,
        _ => return None,
    };
    let path = Path::new(value.strip_prefix('@')?);
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    // It is read as a whole for the job, too.
    Some(blake3::hash(&std::fs::read(path).ok()?).to_hex().to_string())
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn hash(texts: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_be_bytes()).update(text.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn part(name: &str, texts: &[String], shown: impl Fn(&String) -> String) -> JobPart {
    let shown: Vec<String> = texts.iter().map(shown).collect();
    JobPart { name: name.to_owned(), shown: shown.join(", "), hash: hash(texts) }
}

/// A value for people, without what may be a secret.
fn shown(name: &str, text: &str) -> String {
    match name {
        "header" => "a header".to_owned(),
        "data" | "json" if !text.starts_with('@') => format!("`{}`", message::shown(text.as_bytes())),
        "url" | "sitemap" | "feed" | "var" => format!("`{}`", without_userinfo(text, 0).0),
        _ => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{SETTINGS, Section};

    #[test]
    fn of_each_setting_it_is_known_whether_a_run_may_go_on_when_it_changes() {
        for setting in SETTINGS {
            let lists = [FIXED, FREE].iter().filter(|list| list.contains(&setting.name)).count();
            // What is checked of the data says nothing of what is fetched.
            let is_check = setting.section == Section::Check;
            assert_eq!(lists, usize::from(!is_check), "--{}", setting.name);
        }
    }

    #[test]
    fn no_secret_is_kept_or_shown() {
        let layer = layer_of(&[
            ("bearer".into(), vec!["s3cret".into()]),
            ("header".into(), vec!["X-Key: s3cret".into()]),
            ("url".into(), vec!["http://h/".into(), "http://me:s3cret@{host}/{page".into()]),
            ("sitemap".into(), vec!["http://me:s3cret@h/map.xml".into()]),
            ("feed".into(), vec!["http://h/feed".into()]),
            ("data".into(), vec!["password=s3cret".into()]),
            ("json".into(), vec!["@body.json".into()]),
            ("proxy".into(), vec!["http://me:s3cret@proxy/".into()]),
            ("jobs".into(), vec!["3".into()]),
            ("fresh".into(), vec!["true".into()]),
        ]);
        let saved = Saved::new(std::slice::from_ref(&layer), &JobFile::default());
        assert!(!format!("{saved:?}").contains("s3cret"), "{saved:?}");
        let mut secrets = saved.secrets.clone();
        secrets.sort_unstable();
        assert_eq!(secrets, ["bearer", "data", "header", "proxy", "sitemap", "url"]);
        let mut kept = saved.settings.clone();
        kept.sort_unstable();
        let of = |name: &str, text: &str| (name.to_owned(), vec![text.to_owned()]);
        assert_eq!(kept, [of("feed", "http://h/feed"), of("jobs", "3"), of("json", "@body.json")]);
        let mut layers = Layers::new(vec![layer], Vec::new());
        let parts = parts(&mut layers, &saved, &Target::Stdout);
        assert!(parts.iter().all(|part| !part.shown.contains("s3cret")), "{parts:?}");
        assert!(parts.iter().any(|part| part.name == "url" && part.shown.contains("h/")));
        assert!(parts.iter().any(|part| part.name == "header"));
    }

    #[test]
    fn a_log_in_may_be_renewed_and_any_other_header_may_not() {
        let of = |text: &str| {
            let layer = layer_of(&[("header".into(), vec![text.into()])]);
            parts(&mut Layers::new(vec![layer], Vec::new()), &Saved::default(), &Target::Stdout)
        };
        assert_eq!(of("Authorization: a"), of("cookie: b"));
        assert_ne!(of("Accept-Language: de"), of("Accept-Language: fr"));
    }

    #[test]
    fn each_file_is_known_to_be_part_of_the_job_or_free() {
        let is_path = |setting: &&crate::settings::Setting| ["FILE", "DIR"].contains(&setting.value);
        for setting in SETTINGS.iter().filter(is_path) {
            let known = FREE_PATHS.contains(&setting.name)
                || FIXED.contains(&setting.name)
                || OF_ONE_RUN.contains(&setting.name)
                || ["output", "overwrite"].contains(&setting.name);
            assert!(known, "--{}", setting.name);
        }
    }

    #[test]
    fn a_job_that_is_done_again_fetches_what_it_did_though_the_environment_has_changed() {
        let of = |pairs: &[(&str, &str)]| -> Vec<(String, Vec<String>)> {
            pairs.iter().map(|&(name, text)| (name.to_owned(), vec![text.to_owned()])).collect()
        };
        let now = layer_of(&of(&[("level", "9"), ("jobs", "7"), ("state", "x"), ("charset", "gbk")]));
        let layers = again(Layer::new(), now, &of(&[("level", "2"), ("jobs", "3")]));
        let layers = Layers::new(layers, Vec::new());
        let text = |name| layers.value(name).map(|written| written.text);
        assert_eq!((text("level"), text("jobs")), (Some("2".into()), Some("7".into())));
        assert_eq!((text("state"), text("charset")), (None, Some("gbk".into())));
    }

    #[test]
    fn a_file_that_values_are_read_from_is_the_same_only_with_the_same_contents() {
        let place = tempfile::tempdir().unwrap();
        let words = place.path().join("words");
        for (name, text) in
            [("var", format!("q=@{}", words.display())), ("data", format!("@{}", words.display()))]
        {
            let of = |contents: &str| {
                std::fs::write(&words, contents).unwrap();
                let layer = layer_of(&[(name.into(), vec![text.clone()])]);
                parts(&mut Layers::new(vec![layer], Vec::new()), &Saved::default(), &Target::Stdout)
            };
            assert_eq!(of("red\n"), of("red\n"));
            assert_ne!(of("red\n"), of("blue\n"), "{name}");
        }
    }

    #[test]
    fn a_state_stands_beside_a_file_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("out.jsonl");
        assert_eq!(beside(&Target::Append(file.clone())), Some(place.path().join("out.jsonl.pagemill")));
        std::fs::write(&file, "").unwrap();
        assert!(beside(&Target::Replace(file)).is_some());
        assert_eq!(beside(&Target::Append("/dev/null".into())), None);
        assert_eq!(beside(&Target::Stdout), None);
    }
}
