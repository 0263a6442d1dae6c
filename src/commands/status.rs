//! `pagemill status`: what a state tells, for people, as JSON, or its failed pages one by one.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::{RUN_AGAIN, fail, printable_lines, refuse_session};
use crate::cli::StatusTyped;
use crate::job;
use crate::model::{RuleId, without_userinfo};
use crate::pipeline::standing::{Fates, Standing};
use crate::settings::{self, Kind};
use crate::shell;
use crate::state::{Folder, Looked, Manifest, StateError, Store};
use crate::summary::grouped;

/// So many hosts are told of, if not all are asked for.
const MOST_HOSTS: usize = 20;

/// Why it cannot be told.
enum Unable {
    State(StateError),
    Output(io::Error),
}

impl From<StateError> for Unable {
    fn from(error: StateError) -> Unable {
        Unable::State(error)
    }
}

impl From<io::Error> for Unable {
    fn from(error: io::Error) -> Unable {
        Unable::Output(error)
    }
}

/// The state that a path means: a folder itself, or that of an output.
pub(super) fn find(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    let beside = job::state_of(path);
    if beside.is_dir() { beside } else { path.to_owned() }
}

pub(super) fn run(typed: &StatusTyped) -> ExitCode {
    let path = find(&typed.path);
    match tell(typed, &path) {
        Ok(code) => code,
        // Who read it has seen enough.
        Err(Unable::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Unable::Output(error)) => fail(format!("cannot write to standard output: {error}"), None),
        Err(Unable::State(error)) => refuse_session(&error.into()),
    }
}

fn tell(typed: &StatusTyped, path: &Path) -> Result<ExitCode, Unable> {
    let looked = Folder::look(path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    if typed.failed {
        if let Some(process) = looked.held_by {
            return Err(StateError::Held { folder: path.to_owned(), process }.into());
        }
        if let Some(store) = &looked.store {
            tell_failed(store, &looked.manifest, &mut out)?;
        }
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    // A run that is killed before its first commit has done nothing.
    let standing = looked.store.as_ref().map(Standing::read).transpose()?;
    let standing = standing.or_else(|| looked.held_by.is_none().then(Standing::default));
    match typed.json {
        true => writeln!(out, "{:#}", to_json(path, &looked, standing.as_ref()))?,
        false => {
            let most = if typed.all { usize::MAX } else { MOST_HOSTS };
            let text = to_text(path, &looked, standing.as_ref(), most);
            write!(out, "{}", printable_lines(&text))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::from(if looked.held_by.is_some() { RUN_AGAIN } else { 0 }))
}

/// A line for each.
fn tell_failed(store: &Store, manifest: &Manifest, out: &mut impl Write) -> Result<(), Unable> {
    for page in store.failed() {
        let page = page?;
        let rule = page.request.as_ref().map(|request| rule_name(manifest, request.rule));
        writeln!(out, "{}", page.to_json(rule.as_deref()))?;
    }
    Ok(())
}

fn rule_name(manifest: &Manifest, rule: RuleId) -> String {
    let name = manifest.rules.get(usize::from(rule.0));
    name.cloned().unwrap_or_else(|| format!("rule {}", rule.0))
}

/// Whether it goes on, and how.
fn next_step(path: &Path, manifest: &Manifest, standing: &Standing) -> Option<String> {
    let again = || format!("pagemill retry {}", shell::path(&path.to_string_lossy()));
    match (&standing.end, standing.is_retry) {
        (_, true) => Some(again()),
        (None, false) => Some(command_of(manifest)),
        (Some(_), false) => (standing.all.failed > standing.without_request).then(again),
    }
}

/// The command that began the run, without what is secret.
fn command_of(manifest: &Manifest) -> String {
    let mut line = "pagemill crawl".to_owned();
    let mut urls: &[String] = &[];
    if let Some(file) = &manifest.job_file {
        let _ = write!(line, " -c {}", shell::path(file));
    }
    for (name, texts) in &manifest.settings {
        if name == "url" {
            urls = texts;
            continue;
        }
        let is_switch = settings::find(name).is_some_and(|setting| setting.kind == Kind::Switch);
        for text in texts {
            let _ = match is_switch && text == "true" {
                true => write!(line, " --{name}"),
                false if is_switch => write!(line, " --{name}={text}"),
                false => write!(line, " --{name} {}", shell::word(&without_userinfo(text, 0).0)),
            };
        }
    }
    for secret in &manifest.secrets {
        let _ = match secret.as_str() {
            "url" => write!(line, " URL..."),
            _ => write!(line, " --{secret} ..."),
        };
    }
    for url in urls {
        let _ = write!(line, " {}", shell::word(&without_userinfo(url, 0).0));
    }
    line
}

/// For scripts. The keys are fixed:
///
/// | key | value |
/// | --- | --- |
/// | `state` | the folder, as it was named |
/// | `status` | `done`, `unfinished` or `at_work` |
/// | `process` | the number of the process at work; `null` if none is, or it has not said |
/// | `end` | how the run ended, as in the summary; `null` if it has not |
/// | `is_retry` | whether its failed pages are being tried again |
/// | `run` | its number, from 1: it counts the runs of a state that is kept |
/// | `keeps` | whether the state stays when all is done |
/// | `began` | when, RFC 3339 in UTC |
/// | `folder`, `command`, `job_file` | where it began, with what command (without secrets), and its job file or `null` |
/// | `job` | an object: what is fetched, by setting, for people |
/// | `secrets` | the names of settings that have to be given again |
/// | `pages` | an object of counts: `done`, `failed`, `disallowed`, `left_out`, `pending`, `waiting` |
/// | `records`, `retries` | counts |
/// | `next_due` | when the first page that waits is due, RFC 3339; `null` if it is, or none waits |
/// | `by_rule`, `by_host` | objects: `{done, failed, disallowed, left_out, records}` for each |
/// | `failures` | a list of `{kind, count, example}`, the most frequent first |
/// | `without_request` | how many of the failures are places of the source without a request, which cannot be tried again |
/// | `source` | `{drawn, lines}`: places read of the source, and lines of its lists |
/// | `output` | `{bytes}`: how long it is, as far as it is safe on disk |
/// | `next` | the command that goes on; `null` if nothing is to be done |
///
/// From `pages` on all are `null` while a process is at work: only it can read them.
fn to_json(path: &Path, looked: &Looked, standing: Option<&Standing>) -> Value {
    let manifest = &looked.manifest;
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| map.insert(key.to_owned(), value);
    put("state", path.to_string_lossy().into());
    put("status", status_of(standing).into());
    put("process", looked.held_by.flatten().into());
    put("end", standing.and_then(|standing| standing.end.clone()).into());
    put("is_retry", standing.map(|standing| standing.is_retry).into());
    put("run", manifest.run.into());
    put("keeps", manifest.keeps.into());
    put("began", manifest.began.clone().into());
    put("folder", manifest.folder.to_string_lossy().into());
    put("command", command_of(manifest).into());
    put("job_file", manifest.job_file.clone().into());
    let parts = manifest.parts.iter().map(|part| (part.name.clone(), part.shown.clone().into()));
    put("job", Value::Object(parts.collect()));
    put("secrets", manifest.secrets.clone().into());
    let of = |value: &dyn Fn(&Standing) -> Value| standing.map_or(Value::Null, value);
    put(
        "pages",
        of(&|standing| {
            let Fates { done, failed, disallowed, left_out, .. } = standing.all;
            json!({
                "done": done, "failed": failed, "disallowed": disallowed, "left_out": left_out,
                "pending": standing.pending, "waiting": standing.waiting,
            })
        }),
    );
    put("records", of(&|standing| standing.all.records.into()));
    put("retries", of(&|standing| standing.retries.into()));
    put("next_due", of(&|standing| standing.next_due.and_then(crate::summary::rfc3339).into()));
    put(
        "by_rule",
        of(&|standing| {
            let rules = standing.by_rule.iter();
            Value::Object(
                rules
                    .filter_map(|(rule, fates)| Some((rule_name(manifest, (*rule)?), fates_json(fates))))
                    .collect(),
            )
        }),
    );
    put(
        "by_host",
        of(&|standing| {
            let hosts = standing.by_host.iter().filter(|(host, _)| !host.is_empty());
            Value::Object(hosts.map(|(host, fates)| (host.clone(), fates_json(fates))).collect())
        }),
    );
    put(
        "failures",
        of(&|standing| {
            let kinds = standing.failures.iter();
            kinds
                .map(|(kind, all)| json!({"kind": kind, "count": all.count, "example": all.example}))
                .collect()
        }),
    );
    put("without_request", of(&|standing| standing.without_request.into()));
    put("source", of(&|standing| json!({"drawn": standing.source.drawn, "lines": standing.source.lines})));
    put("output", of(&|standing| json!({"bytes": standing.output_bytes})));
    put("next", of(&|standing| next_step(path, manifest, standing).into()));
    Value::Object(map)
}

fn fates_json(fates: &Fates) -> Value {
    let Fates { done, failed, disallowed, left_out, records } = *fates;
    json!({"done": done, "failed": failed, "disallowed": disallowed, "left_out": left_out, "records": records})
}

fn status_of(standing: Option<&Standing>) -> &'static str {
    match standing {
        None => "at_work",
        Some(Standing { end: Some(_), .. }) => "done",
        Some(_) => "unfinished",
    }
}

/// For people.
fn to_text(path: &Path, looked: &Looked, standing: Option<&Standing>, most_hosts: usize) -> String {
    let manifest = &looked.manifest;
    let mut text = String::new();
    let what = match standing {
        None => match looked.held_by.flatten() {
            Some(process) => format!("process {process} is at work"),
            None => "a process is at work".to_owned(),
        },
        Some(standing) if standing.is_retry => {
            "unfinished: its failed pages are being tried again".to_owned()
        }
        Some(Standing { end: Some(end), .. }) => format!("done ({})", end.replace('_', " ")),
        Some(_) => "unfinished".to_owned(),
    };
    let _ = writeln!(text, "{}: {what}", path.display());
    let run = if manifest.run > 1 { format!("run {}, ", manifest.run) } else { String::new() };
    let _ = writeln!(text, "{run}begun {} in {}:", manifest.began, manifest.folder.display());
    let _ = writeln!(text, "  {}", command_of(manifest));
    let Some(standing) = standing else {
        let _ = writeln!(text, "\nits counts can be read when that run has ended");
        return text;
    };
    let all = &standing.all;
    let _ = writeln!(text, "\npages");
    let due = standing.next_due.map(|due| {
        let time = due.duration_since(SystemTime::now()).unwrap_or_default();
        format!(", the next one in {}", crate::progress::clock(time))
    });
    let waiting = format!("waiting for another try{}", due.unwrap_or_default());
    for (count, what) in [
        (all.done, "done"),
        (standing.pending, "pending"),
        (standing.waiting, &*waiting),
        (all.failed, "failed"),
        (all.disallowed, "disallowed by robots.txt"),
        (all.left_out, "left out, since a redirect led to what is known or not followed"),
    ] {
        if count > 0 || what == "done" {
            let _ = writeln!(text, "{:>12}  {what}", grouped(count));
        }
    }
    let _ = writeln!(text, "records\n{:>12}  written", grouped(all.records));
    let rules = standing.by_rule.iter().map(|(rule, fates)| match rule {
        Some(rule) => (rule_name(manifest, *rule), *fates),
        None => ("(no request)".to_owned(), *fates),
    });
    put_table(&mut text, "rule", &rules.collect::<Vec<_>>());
    let hosts = standing.by_host.iter().take(most_hosts).map(|(host, fates)| {
        (if host.is_empty() { "(no request)".to_owned() } else { host.clone() }, *fates)
    });
    put_table(&mut text, "host", &hosts.collect::<Vec<_>>());
    if standing.by_host.len() > most_hosts {
        let more = grouped((standing.by_host.len() - most_hosts) as u64);
        let _ = writeln!(text, "{more:>12}  more hosts; --all tells all");
    }
    if !standing.failures.is_empty() {
        let _ = writeln!(text, "\nfailures");
        for (kind, all) in &standing.failures {
            let _ = writeln!(text, "{:>12}  {kind}, like {}", grouped(all.count), all.example);
        }
    }
    let (drawn, lines) = (grouped(standing.source.drawn), grouped(standing.source.lines));
    let of_lists =
        if standing.source.lines > 0 { format!(", {lines} lines of lists") } else { String::new() };
    let _ = writeln!(text, "\nsource: {drawn} pages named{of_lists}");
    let _ = writeln!(text, "output: {} bytes", grouped(standing.output_bytes));
    if let Some(next) = next_step(path, manifest, standing) {
        let _ = writeln!(text, "to go on: {next}");
    }
    text
}

/// A column of a table: its name, and what stands there.
type Column = (&'static str, fn(&Fates) -> u64);

/// Counts in columns, those with only zeros left out.
fn put_table(text: &mut String, of: &str, rows: &[(String, Fates)]) {
    let columns: [Column; 5] = [
        ("done", |fates| fates.done),
        ("failed", |fates| fates.failed),
        ("disallowed", |fates| fates.disallowed),
        ("left out", |fates| fates.left_out),
        ("records", |fates| fates.records),
    ];
    let columns: Vec<_> = columns
        .into_iter()
        .filter(|(name, count)| *name == "done" || rows.iter().any(|(_, fates)| count(fates) > 0))
        .collect();
    let _ = writeln!(text);
    for (name, _) in &columns {
        let _ = write!(text, "{name:>12}");
    }
    let _ = writeln!(text, "  by {of}");
    for (name, fates) in rows {
        for (_, count) in &columns {
            let _ = write!(text, "{:>12}", grouped(count(fates)));
        }
        let _ = writeln!(text, "  {name}");
    }
}
