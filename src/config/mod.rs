//! The job file: what it says, and where, key by key.
//!
//! TOML with the tables `[source]`, `[extract.NAME]`, `[fetch]`, `[host."NAME"]`, `[output]` and `[check]`; keys are the
//! long flags, in which `_` may stand for `-`. Unknown keys are refused with the name they most likely mean. All mistakes
//! of a file are collected. What a value means is not decided here. The only user of toml.

mod fields;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::mistake::{Mistake, Slip};
use crate::model::without_userinfo;
use crate::settings::{self, Kind, SETTINGS, Section};
use crate::spelling;
use crate::written::{Layer, Place, Written};
pub use fields::{FIELD_KEYS, FOLLOW_KEYS, Literal, WrittenField, WrittenTable, WrittenValue};

/// The table of tables for single hosts.
const HOST: &str = "host";

/// A job file larger than this is none.
const LARGEST_FILE_BYTES: u64 = 1 << 20;

/// What a job file says.
#[derive(Debug, Default)]
pub struct JobFile {
    /// Where it stands; `None` if there is none.
    pub path: Option<String>,
    /// The plain settings.
    pub layer: Layer,
    /// The `[extract.NAME]` tables, in their order.
    pub rules: Vec<WrittenRule>,
    /// The `[host."NAME"]` tables, in their order.
    pub hosts: Vec<WrittenHost>,
    /// The `[extract]` tables without their layout and comments: what two files have in common that read pages alike.
    pub extract: String,
    /// It could not be read at all, so nobody knows what it would have said.
    pub is_unread: bool,
}

/// One `[host."NAME"]`: what holds at this host in place of `[fetch]`.
#[derive(Debug)]
pub struct WrittenHost {
    /// Its name, and where the table stands.
    pub name: Written,
    /// The settings that it may have, see [`HOST_KEYS`].
    pub layer: Layer,
}

/// The settings of `[fetch]` that a `[host."NAME"]` may have.
pub const HOST_KEYS: [&str; 10] = [
    "per-host",
    "throttle",
    "wait",
    "jitter",
    "rate",
    "max-pause",
    "throttle-start-delay",
    "throttle-max-delay",
    "throttle-target",
    "no-robots",
];

/// One `[extract.NAME]`.
#[derive(Debug)]
pub struct WrittenRule {
    /// Its name, and where the table stands.
    pub name: Written,
    /// `each`.
    pub each: Option<Written>,
    /// `fields`, in their order.
    pub fields: Vec<WrittenField>,
    /// `follow`, in their order.
    pub follow: Vec<WrittenField>,
    /// `namespaces`: prefix and URI.
    pub namespaces: Vec<(String, Written)>,
    /// `raw`, for all its fields.
    pub raw: Option<Written>,
    /// `with-meta`.
    pub with_meta: Option<Written>,
    /// `xpath-engine`.
    pub xpath_engine: Option<Written>,
    /// `key`: names of fields.
    pub key: Vec<Written>,
}

impl WrittenRule {
    /// A rule of which nothing is said but its name.
    pub fn new(name: Written) -> WrittenRule {
        WrittenRule {
            name,
            each: None,
            fields: Vec::new(),
            follow: Vec::new(),
            namespaces: Vec::new(),
            raw: None,
            with_meta: None,
            xpath_engine: None,
            key: Vec::new(),
        }
    }
}

/// Reads a job file. What could be read is given even when there are mistakes, so that the job can find more.
pub fn read(path: &str) -> (JobFile, Vec<Mistake>) {
    match load(Path::new(path)) {
        Ok(text) => parse(path, &text),
        Err(reason) => (
            JobFile { path: Some(path.to_owned()), is_unread: true, ..JobFile::default() },
            vec![Mistake::new(format!("--config {path}"), reason)],
        ),
    }
}

fn load(path: &Path) -> Result<String, String> {
    let about = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    };
    let metadata = std::fs::metadata(path).map_err(about)?;
    if metadata.is_dir() {
        return Err("this is a directory; name the job file in it".to_owned());
    }
    // Devices and pipes have no length, and may have no end.
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(about)?;
    file.take(LARGEST_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(about)?;
    if bytes.len() as u64 > LARGEST_FILE_BYTES {
        return Err(format!("a job file has at most {LARGEST_FILE_BYTES} bytes, this one has more"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "this is not UTF-8 text".to_owned())?;
    // Editors on Windows write a byte order mark; TOML knows none.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Reads the text of a job file that stands at `path`.
pub fn parse(path: &str, text: &str) -> (JobFile, Vec<Mistake>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let extract = toml::from_str::<toml::Table>(text)
        .ok()
        .and_then(|table| Some(table.get("extract")?.to_string()))
        .unwrap_or_default();
    let file = JobFile { path: Some(path.to_owned()), extract, ..JobFile::default() };
    let mut reader = Reader { path, text, file, mistakes: Vec::new() };
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.mistake_at(at, "", error.message().to_lowercase(), None);
    }
    // After an error in the syntax, half a table would only give follow-up mistakes.
    reader.file.is_unread = !reader.mistakes.is_empty();
    if !reader.file.is_unread {
        reader.read_sections(table.get_ref());
    }
    (reader.file, reader.mistakes)
}

type Entry<'a> = (&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>);

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    file: JobFile,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn place(&self, at: usize, key: &str) -> Place {
        let before = &self.text[..at.min(self.text.len())];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Place::File {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            key: key.to_owned(),
        }
    }

    /// Whether the value at this place may be a secret: the key that was begun last says so.
    fn is_secret_at(&self, at: usize) -> bool {
        let line_end = self.text[at.min(self.text.len())..].find('\n').map_or(self.text.len(), |i| at + i);
        let keys = |line: &'_ str| {
            let before_equals = line.match_indices('=').map(|(at, _)| line[..at].trim_end());
            let words = before_equals.filter_map(|before| {
                before
                    .trim_end_matches(['"', '\''])
                    .rsplit(|c: char| !(c.is_ascii_lowercase() || c == '-'))
                    .next()
            });
            let known: Vec<&str> = words.filter(|word| settings::find(word).is_some()).collect();
            (!known.is_empty()).then(|| known.into_iter().any(settings::is_secret))
        };
        self.text[..line_end].lines().rev().find_map(keys).unwrap_or(false)
    }

    fn mistake_at(&mut self, at: usize, key: &str, message: impl Into<String>, hint: Option<String>) {
        self.tell(at, key, message, hint, false);
    }

    fn tell(
        &mut self,
        at: usize,
        key: &str,
        message: impl Into<String>,
        hint: Option<String>,
        is_about_key: bool,
    ) {
        let slip = Slip { at, message: message.into(), hint };
        let place = self.place(at, key).to_string();
        let place = place.trim_end_matches(": ").to_owned();
        if self.is_secret_at(at) {
            let mut mistake = Mistake::new(place, slip.message);
            mistake.hint = slip.hint;
            self.mistakes.push(mistake);
            return;
        }
        // Of the whole file only the line is shown.
        let line_start = self.text[..at.min(self.text.len())].rfind('\n').map_or(0, |i| i + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        // A key that nobody knows may be a misspelt `bearer`.
        let line = match line.get(at - line_start..).and_then(|rest| rest.find('=')) {
            Some(equals) if is_about_key => line[..at - line_start + equals].trim_end(),
            _ => line,
        };
        let (line, at) = without_userinfo(line, at - line_start);
        self.mistakes.push(Mistake::from_slip(place, &line, Slip { at, ..slip }));
    }

    fn unknown_key<'n>(&mut self, at: usize, key: &str, names: impl IntoIterator<Item = &'n str>) {
        let names: Vec<&str> = names.into_iter().collect();
        let last = key.rsplit('.').next().unwrap_or(key);
        let hint = match spelling::nearest(last, names.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known here: {}", names.join(", ")),
        };
        self.tell(at, key, "unknown key", Some(hint), true);
    }

    fn read_sections(&mut self, root: &DeTable<'_>) {
        for (name, value) in root {
            let at = name.span().start;
            let name: &str = name.get_ref();
            let plain = Section::PLAIN.into_iter().find(|section| section.name() == name);
            if plain.is_none() && name != Section::Extract.name() && name != HOST {
                self.unknown_key(at, name, ["source", "extract", "fetch", HOST, "output", "check"]);
                continue;
            }
            let Some(table) = value.get_ref().as_table() else {
                let wanted = match plain {
                    Some(_) => format!("[{name}]"),
                    None if name == HOST => "[host.\"example.com\"]".to_owned(),
                    None => format!("[{name}.NAME]"),
                };
                self.mistake_at(at, name, format!("this is a table: write {wanted}"), None);
                continue;
            };
            match plain {
                Some(section) => self.read_settings(section, table),
                None if name == HOST => self.read_hosts(table),
                None => self.read_rules(table),
            }
        }
    }

    fn read_settings(&mut self, section: Section, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = format!("{}.{}", section.name(), name.get_ref());
            let found = setting_named(name.get_ref());
            match found.filter(|setting| setting.section == section) {
                Some(setting) if self.file.layer.contains_key(setting.name) => {
                    let message = format!("`{}` stands here twice, with `-` and with `_`", setting.name);
                    self.mistake_at(name.span().start, &key, message, None);
                }
                Some(setting) => {
                    let values = match setting.kind {
                        Kind::List if section == Section::Check && value.get_ref().is_table() => {
                            self.bounds(&key, "", value)
                        }
                        Kind::List => self.list(&key, value),
                        Kind::Switch | Kind::Value => self.scalar(&key, value).map(|written| vec![written]),
                    };
                    if let Some(values) = values {
                        self.file.layer.insert(setting.name, values);
                    }
                }
                None => {
                    self.misplaced_key(section, name.span().start, &key, found.map(|s| (s.name, s.section)));
                }
            }
        }
    }

    /// The bounds on fields in `max-null = { price = "10%" }` or `max-null.author.name = "10%"`, as the flag has them.
    fn bounds(&mut self, key: &str, within: &str, value: &Spanned<DeValue<'_>>) -> Option<Vec<Written>> {
        let Some(table) = value.get_ref().as_table() else {
            let Written { text, place } = self.scalar(key, value)?;
            return Some(vec![Written { text: format!("{within}={text}"), place }]);
        };
        let mut bounds = Vec::new();
        for (name, value) in table {
            let name = name.get_ref();
            let field = if within.is_empty() { name.to_string() } else { format!("{within}.{name}") };
            bounds.extend(self.bounds(&format!("{key}.{name}"), &field, value).into_iter().flatten());
        }
        Some(bounds)
    }

    fn read_hosts(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = format!("host.{}", name.get_ref());
            let at = name.span().start;
            let Some(table) = value.get_ref().as_table() else {
                let hint = format!("write [host.\"{}\"], and its settings below it", name.get_ref());
                self.mistake_at(at, &key, "a host has a name and is a table", Some(hint));
                continue;
            };
            // `[host.example.com]` is a table in a table.
            if table.iter().any(|(_, value)| value.get_ref().as_table().is_some()) {
                let hint = "put the name in quotes: [host.\"example.com\"]".to_owned();
                self.mistake_at(at, &key, "a dot ends a name here", Some(hint));
                continue;
            }
            let mut layer = Layer::new();
            for (name, value) in table {
                let key = format!("{key}.{}", name.get_ref());
                match setting_named(name.get_ref()).filter(|found| HOST_KEYS.contains(&found.name)) {
                    Some(setting) => {
                        let written = self.scalar(&key, value);
                        layer.extend(written.map(|written| (setting.name, vec![written])));
                    }
                    None => self.unknown_key(name.span().start, &key, HOST_KEYS),
                }
            }
            let name = Written { text: name.get_ref().to_string(), place: self.place(at, &key) };
            self.file.hosts.push(WrittenHost { name, layer });
        }
    }

    fn misplaced_key(&mut self, section: Section, at: usize, key: &str, found: Option<(&str, Section)>) {
        match found {
            Some((name, Section::Extract)) => {
                let hint = format!("`{name}` belongs into [extract.NAME]");
                self.mistake_at(at, key, "unknown key here", Some(hint));
            }
            Some((name, other)) => {
                let hint = format!("`{name}` belongs into [{}]", other.name());
                self.mistake_at(at, key, "unknown key here", Some(hint));
            }
            None => {
                let names = SETTINGS.iter().filter(|s| s.section == section).map(|s| s.name);
                self.unknown_key(at, key, names);
            }
        }
    }

    /// A scalar as the text a user would type for it.
    fn scalar(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Written> {
        let at = value.span().start;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Integer(_) => {
                self.mistake_at(at, key, "numbers are written in decimal digits", None);
                return None;
            }
            other => {
                let message = format!("one value is wanted here, not {}", article(other.type_str()));
                self.mistake_at(at, key, message, None);
                return None;
            }
        };
        Some(Written { text, place: self.place(at, key) })
    }

    /// A list of scalars; a single one stands for itself.
    fn list(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Vec<Written>> {
        match value.get_ref().as_array() {
            Some(items) => items.iter().map(|item| self.scalar(key, item)).collect(),
            None => self.scalar(key, value).map(|written| vec![written]),
        }
    }

    fn read_rules(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = format!("extract.{}", name.get_ref());
            match value.get_ref().as_table() {
                Some(table) => self.read_rule(name, &key, table),
                None => {
                    let hint = format!("write [extract.NAME], and `{}` below it", name.get_ref());
                    self.mistake_at(name.span().start, &key, "a rule has a name and is a table", Some(hint));
                }
            }
        }
    }

    fn read_rule(&mut self, name: &Spanned<std::borrow::Cow<'_, str>>, key: &str, table: &DeTable<'_>) {
        let name = Written { text: name.get_ref().to_string(), place: self.place(name.span().start, key) };
        let mut rule = WrittenRule::new(name);
        for (name, value) in table {
            let key = format!("{key}.{}", name.get_ref());
            match &*name.get_ref().replace('_', "-") {
                "each" => rule.each = self.scalar(&key, value),
                "raw" => rule.raw = self.scalar(&key, value),
                "with-meta" => rule.with_meta = self.scalar(&key, value),
                "key" => rule.key = self.list(&key, value).unwrap_or_default(),
                "xpath-engine" => rule.xpath_engine = self.scalar(&key, value),
                "fields" => {
                    rule.fields = self.fields(&key, value, 1);
                }
                "follow" => rule.follow = self.follow(&key, value),
                "namespaces" => {
                    for (prefix, uri) in self.entries(&key, "namespaces.atom = 'http://..'", value) {
                        let key = format!("{key}.{}", prefix.get_ref());
                        let uri = self.scalar(&key, uri);
                        rule.namespaces.extend(uri.map(|uri| (prefix.get_ref().to_string(), uri)));
                    }
                }
                _ => self.unknown_key(
                    name.span().start,
                    &key,
                    ["each", "fields", "follow", "key", "namespaces", "raw", "with-meta", "xpath-engine"],
                ),
            }
        }
        self.file.rules.push(rule);
    }

    /// The entries of a table that has names of the user's own.
    fn entries<'v>(&mut self, key: &str, example: &str, value: &'v Spanned<DeValue<'v>>) -> Vec<Entry<'v>> {
        match value.get_ref().as_table() {
            Some(table) => table.iter().collect(),
            None => {
                let hint = format!("like {example}");
                self.mistake_at(value.span().start, key, "this is a table of names", Some(hint));
                Vec::new()
            }
        }
    }
}

/// The setting that a key names. Keys are written with `-`; with `_`, as in other tools, none of them means another.
fn setting_named(key: &str) -> Option<&'static settings::Setting> {
    settings::find(&key.replace('_', "-"))
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        parse("job.toml", text).1.iter().map(ToString::to_string).collect()
    }

    const JOB: &str = r#"
[source]
url = "http://h/{page}"
pages = "0-9"
until-empty = true

[extract.book]
each = "//li"
fields.title = "./a"
fields.'tags[]' = "./b"
fields.note = { xpath = "./c", all = true, raw = true }
namespaces.x = "urn:x"

[fetch]
jobs = 4
header = ["A: b", "C: d"]
"#;

    #[test]
    fn values_come_as_text_with_their_place() {
        let (file, mistakes) = parse("job.toml", JOB);
        assert_eq!(mistakes, []);
        assert_eq!(file.layer["jobs"][0].text, "4");
        assert_eq!(file.layer["jobs"][0].place.to_string(), "job.toml:15:8: fetch.jobs");
        assert_eq!(file.layer["until-empty"][0].text, "true");
        assert_eq!(
            file.layer["header"].iter().map(|h| h.text.as_str()).collect::<Vec<_>>(),
            ["A: b", "C: d"]
        );
    }

    #[test]
    fn fields_keep_their_order_and_say_one_or_all() {
        let (file, _) = parse("job.toml", JOB);
        let rule = &file.rules[0];
        let fields: Vec<_> = rule.fields.iter().map(|f| (f.name.text.as_str(), f.all)).collect();
        assert_eq!(fields, [("title", false), ("tags", true), ("note", false)]);
        assert_eq!(rule.name.text, "book");
        assert_eq!(rule.each.as_ref().map(|each| each.text.as_str()), Some("//li"));
        assert_eq!(rule.namespaces[0].0, "x");
    }

    #[test]
    fn all_unknown_keys_are_told_with_their_place_and_nearest_name() {
        let found =
            mistakes("[sorce]\n[fetch]\njob = 3\npages = '1'\n[extract.a]\neach = '//a'\nfeilds.x = 'y'\n");
        assert_eq!(found.len(), 4);
        assert!(found[0].starts_with("job.toml:1:2: sorce: unknown key") && found[0].contains("`source`"));
        assert!(found[1].starts_with("job.toml:3:1: fetch.job: unknown key") && found[1].contains("`jobs`"));
        assert!(found[2].contains("`pages` belongs into [source]"));
        assert!(found[3].starts_with("job.toml:7:1") && found[3].contains("`fields`"));
    }

    #[test]
    fn wrong_shapes_are_told() {
        let found = mistakes("source = 1\n[fetch]\njobs = [1]\n[extract]\neach = '//a'\n");
        assert!(found[0].contains("this is a table: write [source]"), "{found:?}");
        assert!(found[1].contains("one value is wanted here, not an array"), "{found:?}");
        assert!(found[2].contains("a rule has a name"), "{found:?}");
        let found = mistakes("[fetch]\njobs = 0x10\n");
        assert!(found[0].contains("2:8: fetch.jobs: numbers are written in decimal digits"), "{found:?}");
    }

    #[test]
    fn wrong_syntax_and_double_keys_are_told_with_a_caret() {
        let found = mistakes("[fetch]\njobs = = 1\n");
        assert!(found[0].starts_with("job.toml:2:") && found[0].contains("\n    jobs = = 1\n"), "{found:?}");
        let found = mistakes("[fetch]\njobs = 1\njobs = 2\n");
        assert!(found[0].starts_with("job.toml:3:1") && found[0].contains("duplicate key"), "{found:?}");
    }

    #[test]
    fn an_underscore_may_stand_for_a_hyphen_in_a_key_but_not_beside_it() {
        let (file, found) = parse(
            "job.toml",
            "[source]\nuntil_empty = true\n[extract.a]\nwith_meta = true\n[host.h]\nper_host = 2\n",
        );
        assert_eq!(found, []);
        assert_eq!(file.layer["until-empty"][0].place.to_string(), "job.toml:2:15: source.until_empty");
        assert!(file.rules[0].with_meta.is_some() && file.hosts[0].layer.contains_key("per-host"));
        let found = mistakes("[fetch]\nmax-body = '1M'\nmax_body = '2M'\n");
        assert!(
            found[0].starts_with("job.toml:3:1: fetch.max_body: `max-body` stands here twice"),
            "{found:?}"
        );
    }

    #[test]
    fn bounds_on_fields_are_a_table_dotted_keys_or_what_the_flag_takes() {
        let bounds = |text: &str| {
            let (file, found) = parse("job.toml", &format!("[check]\n{text}\n"));
            assert_eq!(found, [], "{text}");
            file.layer["max-null"].iter().map(|written| written.text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(bounds("max_null.price = '10%'\nmax_null.a.b = 0.5"), ["price=10%", "a.b=0.5"]);
        assert_eq!(bounds("max-null = { price = '10%', 'a.b' = '5%' }"), ["price=10%", "a.b=5%"]);
        assert_eq!(bounds("[check.max-null]\nprice = '10%'"), ["price=10%"]);
        assert_eq!(bounds("max-null = ['price=10%', 'a=5%']"), ["price=10%", "a=5%"]);
        assert_eq!(bounds("max-null = []"), [""; 0]);
        let (file, _) = parse("job.toml", "[check]\nmax_null.price = '10%'\n");
        assert_eq!(file.layer["max-null"][0].place.to_string(), "job.toml:2:18: check.max_null.price");
        let found = mistakes("[check]\nmax-null.price = [1]\nmin-records = { a = 1 }\n");
        assert!(
            found[0].contains("check.max-null.price: one value is wanted here, not an array"),
            "{found:?}"
        );
        assert!(found[1].contains("check.min-records: one value is wanted here, not a table"), "{found:?}");
    }

    #[test]
    fn what_is_no_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert!(read(path).1[0].to_string().contains("this is a directory"));
        assert!(read(&format!("{path}/none")).1[0].to_string().contains("there is no such file"));
        assert!(read("/dev/zero").1[0].to_string().contains("at most 1048576 bytes"));
        let binary = format!("{path}/binary");
        std::fs::write(&binary, b"\xff\x00").unwrap();
        assert!(read(&binary).1[0].to_string().contains("not UTF-8"));
        let marked = format!("{path}/marked");
        std::fs::write(&marked, "\u{feff}[fetch]\r\njobs = 2\r\n").unwrap();
        assert_eq!(read(&marked).0.layer["jobs"][0].text, "2");
    }

    #[test]
    fn a_mistake_beside_a_secret_does_not_show_it() {
        for text in [
            "[fetch]\nuser = 'me:m4rker' x\n",
            "[fetch]\nheader = [\n  'X: m4rker',\n  'Y: m4rker' 'Z']\n",
            "fetch = { bearer = 'm4rker', jobs = = 3 }\n",
            "[source]\nurl = 'http://me:m4rker@h/' x\n",
            "[fetch]\nbearr = 'm4rker'\n",
        ] {
            let found = mistakes(text);
            assert!(!found.is_empty() && !found.concat().contains("m4rker"), "{found:?}");
        }
    }

    #[test]
    fn deep_nesting_and_garbage_do_not_break_the_reader() {
        assert!(!mistakes(&format!("x = {}", "[".repeat(100_000))).is_empty());
        assert!(!mistakes("\0\u{1}[[[").is_empty());
    }
}
