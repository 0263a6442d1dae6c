//! What is new: `since-last`, `with-op`, `stop-at-seen`, and what records are known by.

use super::Purpose;
use super::layers::Layers;
use crate::extract::{Field, Meta, Shape};
use crate::mistake::Slip;
use crate::spelling;
use crate::written::Written;

/// How records are compared with those of earlier runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewsPolicy {
    /// Whether each line says if its record is new, has changed or is gone.
    pub with_op: bool,
    /// Whether a page with a record that an earlier run has met ends its list.
    pub stop_at_seen: bool,
}

/// How records are compared, if they are.
pub(super) fn build(layers: &mut Layers, purpose: Purpose) -> Option<NewsPolicy> {
    let since_last = layers.switch("since-last");
    let policy =
        NewsPolicy { with_op: layers.switch("with-op"), stop_at_seen: layers.switch("stop-at-seen") };
    if since_last {
        return Some(policy);
    }
    let mut pointless = Vec::new();
    pointless.extend(policy.with_op.then(|| layers.value("with-op")).flatten());
    // Where one page is tried, and for saved pages, there is no list that could end.
    let has_list = purpose == Purpose::Crawl;
    pointless.extend((policy.stop_at_seen && has_list).then(|| layers.value("stop-at-seen")).flatten());
    if purpose != Purpose::Trial {
        pointless.extend(layers.strongest_list("key-field").into_iter().next());
    }
    for written in pointless {
        let slip = Slip::new(0, "there are no earlier runs to compare with").with_hint("add --since-last");
        layers.report(&written, slip);
    }
    None
}

/// What a name in a key can mean.
struct Candidate {
    path: Vec<String>,
    /// Why it cannot be in a key.
    refused: Option<(&'static str, &'static str)>,
}

impl Candidate {
    fn name(&self) -> String {
        self.path.join(".")
    }
}

/// The names down to each field of a key, in a rule with these fields.
pub(super) fn read_key(
    layers: &mut Layers,
    written: &[Written],
    fields: &[Field],
    with_meta: bool,
) -> Vec<Vec<String>> {
    let mut candidates = Vec::new();
    collect(fields, &[], false, &mut candidates);
    for meta in Meta::ALL {
        let path = vec![format!("_{}", meta.name())];
        let missing = ("this is not in the records", "add with-meta");
        candidates.push(Candidate { path, refused: refusal(meta).or((!with_meta).then_some(missing)) });
    }
    let mut key: Vec<Vec<String>> = Vec::new();
    for written in written {
        let name = written.text.trim();
        let name = name.strip_suffix("[]").unwrap_or(name);
        let slip = match candidates.iter().find(|candidate| candidate.name() == name) {
            Some(Candidate { path, refused: None }) => {
                if !key.contains(path) {
                    key.push(path.clone());
                }
                continue;
            }
            Some(Candidate { refused: Some((message, hint)), .. }) => Slip::new(0, *message).with_hint(*hint),
            None => unknown(name, &candidates),
        };
        layers.report(written, slip);
    }
    key
}

fn unknown(name: &str, candidates: &[Candidate]) -> Slip {
    let names: Vec<String> = candidates.iter().filter(|c| c.refused.is_none()).map(Candidate::name).collect();
    let hint = match spelling::nearest(name, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => "the rule has no fields".to_owned(),
        None => format!("the rule has {}", names.join(", ")),
    };
    Slip::new(0, "there is no field of this name").with_hint(hint)
}

fn refusal(meta: Meta) -> Option<(&'static str, &'static str)> {
    let hint = "take what stays the same, like the link";
    (meta == Meta::FetchedAt).then_some(("this is another in each run", hint))
}

fn collect(fields: &[Field], parent: &[String], is_in_list: bool, candidates: &mut Vec<Candidate>) {
    for field in fields {
        let mut path = parent.to_vec();
        path.push(field.name.clone());
        let refused = match field.shape {
            _ if is_in_list => {
                Some(("a record may have several of these, since they stand in a list", "take the list"))
            }
            Shape::Meta(meta) => refusal(meta),
            _ => None,
        };
        let is_list = matches!(field.shape, Shape::List { .. });
        collect(field.nested(), &path, is_in_list || is_list, candidates);
        candidates.push(Candidate { path, refused });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::job::Job;
    use crate::written::{Layer, Place};

    fn job(file: &str, flags: &[(&'static str, &str)]) -> Result<Job, Vec<String>> {
        let (file, mistakes) = config::parse("job.toml", file);
        let mut layer = Layer::new();
        for &(name, text) in flags {
            let written = Written { text: text.to_owned(), place: Place::Flag(name) };
            layer.entry(name).or_default().push(written);
        }
        let state = Written { text: "kept".to_owned(), place: Place::Flag("state") };
        layer.entry("state").or_default().push(state);
        Job::build(Purpose::Crawl, layer, Layer::new(), file, mistakes)
            .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
    }

    const FILE: &str = "[source]\nurl = 'http://h/{page}'\npages = '1-9'\n[extract.a]\nfields.link = '//a'\n\
                        fields.author.fields.name = '//b'\nfields.items = { each = '//li', fields = { x = '.' } }\n\
                        fields.when.meta = 'fetched_at'\nfields.where.meta = 'url'\n";

    fn key(key: &str, flags: &[(&'static str, &str)]) -> Result<Vec<String>, Vec<String>> {
        let job = job(&format!("{FILE}key = {key}\n[output]\nsince-last = true\n"), flags)?;
        Ok(job.rule().key.iter().map(|path| path.join(".")).collect())
    }

    #[test]
    fn a_key_is_a_field_or_several_and_the_flag_replaces_that_of_the_rule() {
        assert_eq!(key("'link'", &[]).unwrap(), ["link"]);
        assert_eq!(
            key("['author.name', 'items[]', 'link', 'link']", &[]).unwrap(),
            ["author.name", "items", "link"]
        );
        assert_eq!(key("['link']", &[("key-field", "where")]).unwrap(), ["where"]);
        assert_eq!(key("'_url'", &[("with-meta", "true")]).unwrap(), ["_url"]);
    }

    #[test]
    fn a_key_that_is_no_field_or_cannot_be_one_is_told_with_what_may_be_meant() {
        let told = |name: &str, part: &str| {
            let mistakes = key(&format!("'{name}'"), &[]).unwrap_err();
            assert!(mistakes[0].starts_with("job.toml:10:7: extract.a.key: "), "{mistakes:?}");
            assert!(mistakes.len() == 1 && mistakes[0].contains(part), "{mistakes:?}");
        };
        told("lnik", "did you mean `link`?");
        told("author.nam", "did you mean `author.name`?");
        told("zzz", "the rule has link, author.name, author, items, where");
        told("items.x", "stand in a list");
        told("when", "another in each run");
        told("_fetched_at", "another in each run");
        told("_url", "add with-meta");
    }

    #[test]
    fn a_mistake_in_a_field_is_not_one_in_the_key_too() {
        let file = "[source]\nurl = 'http://h/'\n[extract.a]\nfields.a = '//a['\nkey = 'a'\n";
        assert_eq!(job(file, &[]).unwrap_err().len(), 1);
    }

    #[test]
    fn what_compares_with_earlier_runs_goes_with_since_last_only() {
        for flag in [("with-op", "true"), ("stop-at-seen", "true"), ("key-field", "link")] {
            let mistakes = job(FILE, &[flag]).unwrap_err();
            assert!(mistakes.len() == 1 && mistakes[0].contains("add --since-last"), "{mistakes:?}");
            assert!(job(FILE, &[flag, ("since-last", "true")]).is_ok());
        }
        assert_eq!(job(FILE, &[]).unwrap().news, None);
        let news = job(FILE, &[("since-last", "true"), ("with-op", "true")]).unwrap().news;
        assert_eq!(news, Some(NewsPolicy { with_op: true, stop_at_seen: false }));
    }

    #[test]
    fn a_record_that_was_seen_ends_one_range_and_no_others() {
        let of = |flags: &[(&'static str, &str)]| {
            let all =
                [("since-last", "true"), ("stop-at-seen", "true"), ("key-field", "a"), ("field", "a=//a")];
            job("", &[&all, flags].concat()).map(|job| job.is_one_range)
        };
        assert!(of(&[("url", "http://h/{page}"), ("pages", "1-9")]).unwrap());
        assert!(of(&[("url", "http://h/{n}"), ("var", "n=1-9")]).unwrap());
        assert!(of(&[("url", "http://h/[1-9]"), ("glob", "true")]).unwrap());
        assert!(!of(&[("url", "http://h/"), ("url", "http://i/"), ("follow", "//a")]).unwrap());
        for several in [
            &[("url", "http://h/{c}/{page}"), ("pages", "1-9"), ("var", "c=a,b")][..],
            &[("url", "http://h/{page}"), ("url", "http://i/"), ("pages", "1-9")][..],
        ] {
            let mistakes = of(several).unwrap_err();
            assert!(mistakes[0].contains("of one range end, and there are several"), "{mistakes:?}");
        }
        let warnings = job(
            "",
            &[
                ("since-last", "true"),
                ("stop-at-seen", "true"),
                ("url", "http://h/"),
                ("field", "a=//a"),
                ("with-op", "true"),
            ],
        );
        let warnings = warnings.unwrap().warnings();
        assert!(warnings[0].contains("nothing that --stop-at-seen could end"), "{warnings:?}");
        assert!(warnings[1].contains("has no key"), "{warnings:?}");
    }
}
