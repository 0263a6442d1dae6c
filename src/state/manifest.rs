//! Which job a state is of: for people to read, for `retry` to do it again, and to refuse another one.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{FORM, StateError};

/// One thing that the job fetches by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The setting, or the table of the job file.
    pub name: String,
    /// Its value for people, without secrets.
    pub shown: String,
    /// What tells it from another value.
    pub hash: String,
}

/// What is known of the job without its store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The number of the run, from 1; it counts the runs of a state that is kept.
    pub run: u64,
    /// Whether the state stays when the run is done.
    pub keeps: bool,
    /// When the run began, as RFC 3339 in UTC.
    pub began: String,
    /// Where the command was given, so that its relative paths can be found.
    pub folder: PathBuf,
    /// What was written of the job, by setting. None of [`Manifest::secrets`] is in it.
    pub settings: Vec<(String, Vec<String>)>,
    /// Settings that were given with a secret in them, by name: their values are not kept.
    pub secrets: Vec<String>,
    /// The job file.
    pub job_file: Option<String>,
    /// What the job fetches.
    pub parts: Vec<Part>,
    /// The names of its rules, by [`RuleId`](crate::model::RuleId).
    pub rules: Vec<String>,
}

impl Manifest {
    #[cfg(test)]
    pub(super) fn of_nothing() -> Manifest {
        Manifest {
            run: 1,
            keeps: false,
            began: "2026-01-01T00:00:00Z".into(),
            folder: "/".into(),
            settings: Vec::new(),
            secrets: Vec::new(),
            job_file: None,
            parts: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// As text.
    pub fn to_json(&self) -> String {
        let settings: Map<String, Value> =
            self.settings.iter().map(|(name, texts)| (name.clone(), texts.clone().into())).collect();
        let parts: Vec<Value> = self
            .parts
            .iter()
            .map(|part| json!({"name": part.name, "shown": part.shown, "hash": part.hash}))
            .collect();
        let all = json!({
            "what": "the state of a run of pagemill; `pagemill status` reads it",
            "form": FORM,
            "pagemill": env!("CARGO_PKG_VERSION"),
            "run": self.run,
            "keeps": self.keeps,
            "began": self.began,
            "folder": self.folder.to_string_lossy(),
            "settings": settings,
            "secrets": self.secrets,
            "job_file": self.job_file,
            "parts": parts,
            "rules": self.rules,
        });
        format!("{all:#}\n")
    }

    /// From text, which is the manifest of `folder`.
    ///
    /// # Errors
    /// It is not what was written, or another version has written it.
    pub fn from_json(text: &str, folder: &Path) -> Result<Manifest, StateError> {
        let damaged = |what: &str| StateError::damaged(folder, format!("its manifest {what}"));
        let all: Value =
            serde_json::from_str(text).map_err(|error| damaged(&format!("is no JSON: {error}")))?;
        let form = all["form"].as_u64().ok_or_else(|| damaged("has no form"))?;
        if form != FORM {
            let by = all["pagemill"].as_str().unwrap_or("?").to_owned();
            return Err(StateError::OtherForm { folder: folder.to_owned(), form, by });
        }
        Manifest::from_value(&all).ok_or_else(|| damaged("lacks something"))
    }

    fn from_value(all: &Value) -> Option<Manifest> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = |value: &Value| value.as_array()?.iter().map(text).collect::<Option<Vec<_>>>();
        let settings = all["settings"].as_object()?.iter();
        let part = |part: &Value| {
            Some(Part {
                name: text(&part["name"])?,
                shown: text(&part["shown"])?,
                hash: text(&part["hash"])?,
            })
        };
        Some(Manifest {
            run: all["run"].as_u64()?,
            keeps: all["keeps"].as_bool()?,
            began: text(&all["began"])?,
            folder: text(&all["folder"])?.into(),
            settings: settings
                .map(|(name, value)| Some((name.clone(), texts(value)?)))
                .collect::<Option<_>>()?,
            secrets: texts(&all["secrets"])?,
            job_file: match &all["job_file"] {
                Value::Null => None,
                file => Some(text(file)?),
            },
            parts: all["parts"].as_array()?.iter().map(part).collect::<Option<_>>()?,
            rules: texts(&all["rules"])?,
        })
    }

    /// How the job of `other` differs from this one in what it fetches: a line for each thing.
    pub fn differences(&self, other: &[Part]) -> Vec<String> {
        let find = |parts: &[Part], name: &str| parts.iter().find(|part| part.name == name).cloned();
        let mut names: Vec<&str> = self.parts.iter().chain(other).map(|part| &*part.name).collect();
        names.dedup();
        let mut told: Vec<&str> = Vec::new();
        let mut lines = Vec::new();
        for name in names {
            if told.contains(&name) {
                continue;
            }
            told.push(name);
            let (was, is) = (find(&self.parts, name), find(other, name));
            let hash = |part: &Option<Part>| part.as_ref().map(|part| part.hash.clone());
            if hash(&was) != hash(&is) {
                let shown = |part: Option<Part>| part.map_or("not given".to_owned(), |part| part.shown);
                let (was, is) = (shown(was), shown(is));
                lines.push(match was == is {
                    true => format!("{name}: it is another one now"),
                    false => format!("{name}: it was {was}, and is {is} now"),
                });
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, value: &str) -> Part {
        Part { name: name.into(), shown: format!("`{value}`"), hash: value.into() }
    }

    fn manifest() -> Manifest {
        Manifest {
            run: 3,
            keeps: true,
            began: "2026-01-01T00:00:00Z".into(),
            folder: "/home/me".into(),
            settings: vec![
                ("url".into(), vec!["http://h/".into()]),
                ("follow".into(), vec!["a".into(), "b".into()]),
            ],
            secrets: vec!["bearer".into()],
            job_file: Some("job.toml".into()),
            parts: vec![part("url", "http://h/"), part("level", "2")],
            rules: vec!["listing".into(), "book".into()],
        }
    }

    #[test]
    fn it_reads_back() {
        let read = Manifest::from_json(&manifest().to_json(), Path::new("s")).unwrap();
        assert_eq!(read, manifest());
        let bare = Manifest { job_file: None, ..manifest() };
        assert_eq!(Manifest::from_json(&bare.to_json(), Path::new("s")).unwrap(), bare);
    }

    #[test]
    fn another_form_is_refused_by_its_name_and_damage_is_told() {
        let other = manifest().to_json().replace("\"form\": 1", "\"form\": 7");
        let error = Manifest::from_json(&other, Path::new("s")).unwrap_err().to_string();
        assert!(error.contains("form 7") && error.contains("written by pagemill"), "{error}");
        for text in ["", "{", "{}", "{\"form\": 1}"] {
            let error = Manifest::from_json(text, Path::new("s")).unwrap_err();
            assert!(matches!(error, StateError::Damaged { .. }), "{text}");
        }
    }

    #[test]
    fn what_differs_is_said_of_each_thing_once() {
        let other = [part("url", "http://h/"), part("level", "3"), part("pages", "1-9")];
        assert_eq!(
            manifest().differences(&other),
            ["level: it was `2`, and is `3` now", "pages: it was not given, and is `1-9` now"]
        );
        let hidden = Part { shown: "a secret".into(), ..part("header", "1") };
        let was = Manifest { parts: vec![hidden.clone()], ..manifest() };
        assert_eq!(
            was.differences(&[Part { hash: "2".into(), ..hidden }]),
            ["header: it is another one now"]
        );
        assert!(manifest().differences(&manifest().parts).is_empty());
    }
}
