//! The job: what will be done, validated. The only place that knows how flags, environment, file and defaults merge.
//!
//! A [`Job`] is made of the policies that the leaves define; nothing in it means "default" any more. All mistakes of
//! a job are found at once, before the first request.

mod checks;
mod describe;
mod fields;
#[cfg(test)]
mod fields_tests;
mod files;
mod follow;
#[cfg(test)]
mod follow_tests;
mod form;
mod identity;
mod layers;
mod message;
mod network;
mod news;
mod pace;
mod retry;
mod rules;
mod scope;
mod seeds;
mod source;
mod state;
mod values;
mod variables;
#[cfg(test)]
mod yield_tests;

use std::path::PathBuf;
use std::time::Duration;

use crate::check::CheckPolicy;
use crate::config::JobFile;
use crate::extract::Rule;
use crate::fetch::{CachePolicy, FetchPolicy, NamedHosts, Secret, check_cache_folder, parse_header};
use crate::frontier::{FollowPolicy, PacePolicy, RetryPolicy};
use crate::html::{self, Charset};
use crate::mistake::{Mistake, Slip};
use crate::model::RuleId;
use crate::output::{PartNames, Parts, Target, check_target, names_parts};
use crate::source::{Seeds, Source};
use crate::written::{Layer, Place, Written};
pub use files::WrittenFiles;
use layers::Layers;
pub use news::NewsPolicy;
pub use rules::JobRule;
pub use state::{OF_ONE_RUN, StatePolicy, again, anchor, layer_of, state_of};

/// More threads than this is a slip of the finger, not a plan.
const MOST_JOBS: u64 = 4096;
/// More parser threads than this would only wait for each other.
const MOST_PARSERS: u64 = 256;

/// What a job is for: what it must have, and what it may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A run over the pages of its source.
    Crawl,
    /// A run over pages that are there already: it needs no source, and what it says of one does not count.
    Saved,
    /// A look at one page: source and fields are optional, and nothing is written.
    Trial,
}

/// What will be done.
#[derive(Debug)]
pub struct Job {
    /// Which pages. `None` only for a [`Purpose::Saved`], and for a [`Purpose::Trial`] that names no address.
    pub source: Option<Source>,
    /// Which sitemaps and feeds name further pages.
    pub seeds: Seeds,
    /// Whether the first page without a record ends the source.
    pub until_empty: bool,
    /// Whether the source is one range of pages and nothing else, so that one of them can say where it ends.
    pub is_one_range: bool,
    /// What pages yield, and where they lead: by [`RuleId`].
    pub rules: Vec<JobRule>,
    /// The rule that reads the pages of the source.
    pub start: RuleId,
    /// The character set of all pages; `None` to find each page's own.
    pub charset: Option<Charset>,
    /// How pages are fetched.
    pub fetch: FetchPolicy,
    /// When failed pages are tried again.
    pub retry: RetryPolicy,
    /// How fast each host is asked.
    pub pace: PacePolicy,
    /// The names that robots.txt knows us by: one of each user agent.
    pub agents: Vec<String>,
    /// Crawl threads.
    pub jobs: usize,
    /// Parser threads.
    pub parsers: usize,
    /// How links are followed, if a rule has any.
    pub follow: FollowPolicy,
    /// No more pages than this are asked for.
    pub max_pages: Option<u64>,
    /// The run ends with so many records.
    pub max_records: Option<u64>,
    /// When to stop handing out pages.
    pub max_time: Option<Duration>,
    /// Where records go.
    pub target: Target,
    /// Whether they go in the order of the pages.
    pub ordered: bool,
    /// How records are compared with those of earlier runs; `None` if all are written.
    pub news: Option<NewsPolicy>,
    /// Where the state of the run is kept; `None` if none is.
    pub state: Option<StatePolicy>,
    /// Where the cookies go when the run has ended.
    pub save_cookies: Option<PathBuf>,
    /// Where the counts of the run go.
    pub summary: Option<PathBuf>,
    /// What must hold when it has come to its end.
    pub checks: CheckPolicy,
    /// The files of those three.
    pub written_files: WrittenFiles,
    /// What is told to people.
    pub talk: Talk,
}

/// What is told on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Talk {
    /// Failures only.
    pub quiet: bool,
    /// Each page.
    pub verbose: bool,
    /// No bar and no status lines.
    pub no_progress: bool,
}

impl Job {
    /// Makes the job of what was written, or finds all that is wrong with it.
    ///
    /// # Errors
    /// The mistakes, those of `found` before it included.
    pub fn build(
        purpose: Purpose,
        flags: Layer,
        environment: Layer,
        file: JobFile,
        found: Vec<Mistake>,
    ) -> Result<Job, Vec<Mistake>> {
        Job::build_of(purpose, vec![flags, environment], file, found)
    }

    /// As [`Job::build`], of any layers above that of the file, the strongest first.
    ///
    /// # Errors
    /// As [`Job::build`].
    pub fn build_of(
        purpose: Purpose,
        given: Vec<Layer>,
        file: JobFile,
        found: Vec<Mistake>,
    ) -> Result<Job, Vec<Mistake>> {
        let saved = state::Saved::new(&given, &file);
        let are_all_read = found.is_empty();
        let mut written = given;
        written.push(file.layer);
        let mut layers = Layers::new(written, found);
        let wants_source = match purpose {
            Purpose::Crawl => true,
            Purpose::Saved => false,
            Purpose::Trial => layers.value("url").is_some(),
        };
        let first = match wants_source {
            true => source::build(&mut layers, purpose, file.is_unread),
            false => Some(source::First::default()),
        };
        let before_rules = layers.mistakes.len();
        let rules = rules::build(&mut layers, file.rules, purpose != Purpose::Trial);
        // A field that has a mistake is not unknown.
        let are_fields_known = are_all_read && layers.mistakes.len() == before_rules;
        let jobs = layers.count("jobs", 1, MOST_JOBS).and_then(|jobs| usize::try_from(jobs).ok());
        let parsers =
            layers.count("parsers", 1, MOST_PARSERS).and_then(|parsers| usize::try_from(parsers).ok());
        let named_hosts = first.as_ref().map_or(NamedHosts::OfEachRequest, source::named_hosts);
        let fetch = build_fetch(&mut layers, jobs.unwrap_or(1), named_hosts);
        let pace = pace::build(&mut layers, file.hosts);
        let max_pause = pace.as_ref().map(|pace| pace.usual.throttle.max_pause);
        let retry = build_retry(&mut layers, max_pause.unwrap_or_default());
        let charset = layers.read("charset", |text| {
            html::charset_named(text).ok_or_else(|| {
                Slip::new(0, "unknown character set")
                    .with_hint("like utf-8, gbk, big5, shift_jis, windows-1252, koi8-r")
            })
        });
        let talk = Talk {
            quiet: layers.switch("quiet"),
            verbose: layers.switch("verbose"),
            no_progress: layers.switch("no-progress"),
        };
        let ordered = layers.switch("ordered");
        let max_time = layers.duration("max-time", false);
        let max_pages = layers.count("max-pages", 1, u64::MAX);
        let max_records = layers.count("max-records", 1, u64::MAX);
        let follow = scope::build(&mut layers, ordered);
        let news = news::build(&mut layers, purpose);
        let writes = purpose != Purpose::Trial;
        let target = if writes { build_target(&mut layers) } else { Target::Stdout };
        let summary = if writes { build_summary(&mut layers) } else { None };
        let state = match purpose {
            Purpose::Crawl => state::build(&mut layers, &saved, &target, &rules.rules),
            Purpose::Saved | Purpose::Trial => None,
        };
        let checks = match writes {
            true => checks::build(
                &mut layers,
                &checks::Subject {
                    fields: are_fields_known.then(|| rules::tallied(&rules.rules, rules.start)),
                    summary: summary.as_deref(),
                    has_state: state.as_ref().is_some_and(|state| state.keeps),
                    max_records,
                },
            ),
            false => CheckPolicy::default(),
        };
        let save_cookies = if writes { identity::build_save_cookies(&mut layers) } else { None };
        let written_files = match writes {
            true => files::build(
                &mut layers,
                file.path.as_deref(),
                &target,
                summary.as_deref(),
                save_cookies.as_deref(),
            ),
            false => WrittenFiles::default(),
        };
        if first.as_ref().is_some_and(|first| first.until_empty)
            && rules.rules.iter().any(|rule| !rule.rule.follow.is_empty())
        {
            // A page of the range may have been read as a link before, so nobody can say where the range ends.
            let hint = "follow the link to the next page instead, or bound the run with --max-pages";
            layers.mistakes.push(Mistake::new("--until-empty", "does not go with --follow").with_hint(hint));
        }
        match (first, fetch, retry, pace, follow, jobs) {
            (Some(first), Some(fetch), Some(retry), Some(pace), Some(follow), Some(jobs))
                if layers.mistakes.is_empty() =>
            {
                Ok(Job {
                    source: first.source,
                    seeds: first.seeds,
                    until_empty: first.until_empty,
                    is_one_range: first.is_one_range,
                    rules: rules.rules,
                    start: rules.start,
                    charset,
                    agents: identity::names_for_robots(&fetch),
                    fetch,
                    retry,
                    pace,
                    jobs,
                    parsers: parsers.unwrap_or_else(cores),
                    follow,
                    max_pages,
                    max_records,
                    max_time,
                    target,
                    ordered,
                    news,
                    state,
                    save_cookies,
                    summary,
                    checks,
                    written_files,
                    talk,
                })
            }
            _ => Err(layers.mistakes),
        }
    }

    /// What may not be meant as it is written, though it is no mistake.
    pub fn warnings(&self) -> Vec<String> {
        let reached = self.reached();
        let mut warnings = Vec::new();
        let has_header =
            self.fetch.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        if has_header && self.fetch.credentials.named.is_some() {
            warnings.push("the header Authorization takes the place of --user or --bearer".to_owned());
        }
        for &id in &reached {
            let rule = &self.rule_of(id).rule;
            let of_rule = rule.warnings().into_iter();
            let name = if id == self.start { String::new() } else { format!("rule `{}`: ", rule.name) };
            warnings.extend(of_rule.map(|warning| format!("{name}{warning}")));
        }
        let idle = self.checks.idle.iter();
        warnings.extend(
            idle.map(|name| format!("{name} does not count: no page is read by the rule of this field")),
        );
        if self.news.is_some_and(|news| news.stop_at_seen) && !self.is_one_range && !self.follows() {
            warnings
                .push("there is nothing that --stop-at-seen could end: no range, and no links".to_owned());
        }
        for &id in reached.iter().filter(|_| self.news.is_some_and(|news| news.with_op)) {
            let rule = &self.rule_of(id).rule;
            if rule.yields_records() && rule.key.is_empty() {
                warnings.push(format!(
                    "the rule `{}` has no key, so that none of its records is ever told as changed or gone",
                    rule.name
                ));
            }
        }
        // Rules that know nothing of each other are for --rule to choose from.
        if !self.rule().follow.is_empty() {
            let ids = (0..self.rules.len()).map(rules::rule_id).filter(|id| !reached.contains(id));
            let start = &self.rule().name;
            warnings.extend(ids.map(|id| {
                let name = &self.rule_of(id).rule.name;
                format!(
                    "no link leads from the rule `{start}` to the rule `{name}`, so that it reads no page"
                )
            }));
        }
        warnings
    }

    /// A rule by its number.
    pub fn rule_of(&self, id: RuleId) -> &JobRule {
        self.rules.get(usize::from(id.0)).expect("the rules of links were found when the job was read")
    }

    /// The rule that reads the pages of the source, with what is said of it as a whole.
    pub fn start_rule(&self) -> &JobRule {
        self.rule_of(self.start)
    }

    /// The rule that reads the pages of the source.
    pub fn rule(&self) -> &Rule {
        &self.start_rule().rule
    }

    /// Whether any page leads to others.
    pub fn follows(&self) -> bool {
        self.reached().into_iter().any(|id| !self.rule_of(id).rule.follow.is_empty())
    }

    /// The rules that read pages: the first one, and those that links lead to from there.
    pub fn reached(&self) -> Vec<RuleId> {
        rules::Rules::reached(&self.rules, self.start)
    }

    /// The names of all fields, rule by rule in the order of [`Job::reached`]; with the name of their rule if more than
    /// one has fields: `book.title`.
    pub fn field_names(&self) -> Vec<String> {
        let tallied = rules::tallied(&self.rules, self.start).into_iter();
        tallied.filter(|field| field.is_read).map(|field| field.name).collect()
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn build_fetch(layers: &mut Layers, connections: usize, named_hosts: NamedHosts) -> Option<FetchPolicy> {
    let mut headers = build_headers(layers);
    // As curl does: who sends JSON wants JSON.
    if layers.strongest(&["data", "json"]) == ["json"]
        && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept"))
    {
        headers.push(("Accept".to_owned(), Secret::new("application/json, */*;q=0.5")));
    }
    let user_agents = identity::build_user_agents(layers);
    let cookies = identity::build_cookies(layers);
    let credentials = identity::build_credentials(layers);
    let own_cookies = identity::build_own_cookies(layers);
    let connect_timeout = layers.duration("connect-timeout", false);
    let read_timeout = layers.duration("read-timeout", false);
    let timeout = layers.duration("timeout", false);
    let speed_limit = layers.read("speed-limit", |text| match text.trim() {
        "0" => Ok(0),
        text => values::parse_size(text),
    });
    let speed_time = layers.duration("speed-time", false);
    let max_body_bytes = layers.size("max-body");
    let max_redirects = layers.count("max-redirs", 0, 100);
    let cache = build_cache(layers);
    let proxies = network::build_proxies(layers);
    let authorities = network::build_authorities(layers);
    let identity = network::build_identity(layers);
    let addresses = network::build_addresses(layers);
    let family = network::build_family(layers);
    Some(FetchPolicy {
        connect_timeout: connect_timeout?,
        read_timeout: read_timeout?,
        timeout: timeout?,
        speed_limit: speed_limit?,
        speed_time: speed_time?,
        max_body_bytes: max_body_bytes?,
        max_redirects: u32::try_from(max_redirects?).ok()?,
        headers,
        credentials,
        cookies,
        own_cookies,
        user_agents,
        connections,
        cache,
        addresses,
        family,
        insecure: layers.switch("insecure"),
        authorities,
        identity,
        allow_private: layers.switch("allow-private"),
        named_hosts,
        proxies_from_environment: proxies.is_some(),
        proxies: proxies.unwrap_or_default(),
        no_proxy: layers.value("no-proxy").map(|written| written.text),
    })
}

/// Where answers are kept, if they are. A folder that cannot be is a mistake now, not when the first page has come.
fn build_cache(layers: &mut Layers) -> Option<CachePolicy> {
    let max_age = layers.duration("cache-max-age", true);
    let Some(folder) = layers.path("cache") else {
        if let Some(written) = layers.value("cache-max-age").filter(|_| layers.value("cache").is_none()) {
            let slip = Slip::new(0, "there is no cache to take pages from").with_hint("add --cache DIR");
            layers.report(&written, slip);
        }
        return None;
    };
    if let Err(error) = check_cache_folder(&folder) {
        let written = layers.value("cache").expect("it was just read");
        let slip = Slip::new(0, error.to_string()).with_hint("name a folder, or a name that is not taken");
        layers.report(&written, slip);
    }
    Some(CachePolicy { folder, max_age })
}

/// The headers of all layers; one that is written again in a stronger layer is replaced.
fn build_headers(layers: &mut Layers) -> Vec<(String, Secret)> {
    let mut headers: Vec<(Place, (String, Secret))> = Vec::new();
    for written in layers.list("header") {
        match parse_header(&written.text) {
            Ok(header) => {
                let layer = |place: &Place| std::mem::discriminant(place);
                headers.retain(|(place, known)| {
                    layer(place) == layer(&written.place) || !known.0.eq_ignore_ascii_case(&header.0)
                });
                headers.push((written.place, header));
            }
            // A slip in the name shows the name; the value may be a secret.
            Err(slip) => {
                let name = written.text.split(':').next().unwrap_or_default();
                let shown = Written { text: format!("{name}:"), place: written.place.clone() };
                match slip.at <= name.len() && written.text.contains(':') {
                    true => layers.report(&shown, slip),
                    false => layers.report_hidden(&written, slip),
                }
            }
        }
    }
    headers.into_iter().map(|(_, header)| header).collect()
}

fn build_retry(layers: &mut Layers, max_pause: Duration) -> Option<RetryPolicy> {
    let retries = layers.count("retry", 0, 100);
    let first_delay = layers.duration("retry-delay", true);
    let statuses = layers.read("retry-on", retry::parse_statuses);
    let all_errors = layers.switch("retry-all-errors");
    Some(RetryPolicy {
        statuses,
        all_errors,
        retries: u32::try_from(retries?).ok()?,
        first_delay: first_delay?,
        longest_asked: max_pause,
        ..RetryPolicy::default()
    })
}

fn build_target(layers: &mut Layers) -> Target {
    let target = build_place(layers);
    if target == Target::Stdout
        && layers.mistakes.is_empty()
        && let Some(written) = layers.value("rotate")
    {
        let slip = Slip::new(0, "standard output has no parts").with_hint("add -o 'records-{part}.jsonl'");
        layers.report(&written, slip);
    }
    target
}

fn build_place(layers: &mut Layers) -> Target {
    let names = layers.strongest(&["output", "overwrite"]);
    let target = match names.as_slice() {
        [] => return Target::Stdout,
        ["overwrite"] => layers.path("overwrite").map(Target::Replace),
        ["output"] => match layers.path("output") {
            Some(path) if path.as_os_str() == "-" => return Target::Stdout,
            path => path.map(Target::Append),
        },
        _ => {
            let hint = "-o appends to a file, -O replaces it";
            layers.mistakes.push(Mistake::new("--overwrite", "cannot go with --output").with_hint(hint));
            None
        }
    };
    match target {
        Some(Target::Replace(path)) if path.as_os_str() == "-" => Target::Stdout,
        Some(target) => match build_parts(layers, names[0], target) {
            Some(target) => {
                check_output(layers, names[0], &target);
                target
            }
            None => Target::Stdout,
        },
        None => Target::Stdout,
    }
}

/// The target in parts, if it is to be rotated; `None` if the name and `--rotate` do not go together.
fn build_parts(layers: &mut Layers, name: &'static str, target: Target) -> Option<Target> {
    let written = layers.value(name)?;
    if layers.value("rotate").is_none() {
        if names_parts(&written.text) {
            let at = written.text.find("{part").unwrap_or_default();
            let slip = Slip::new(at, "nothing says how large a part may be").with_hint("add --rotate 100M");
            layers.report(&written, slip);
            return None;
        }
        return Some(target);
    }
    let most_bytes = layers.size("rotate");
    let names = PartNames::parse(&written.text).map_err(|slip| layers.report(&written, slip)).ok();
    let replaces = matches!(target, Target::Replace(_));
    Some(Target::Parts(Parts { names: names?, most_bytes: most_bytes?, replaces }))
}

fn build_summary(layers: &mut Layers) -> Option<PathBuf> {
    let written = layers.value("summary")?;
    let path = layers.path("summary")?;
    if path.as_os_str() == "-" {
        let slip = Slip::new(0, "standard output is for records")
            .with_hint("name a file; /dev/stderr is standard error");
        layers.report(&written, slip);
        return None;
    }
    check_output(layers, "summary", &Target::Replace(path.clone()));
    Some(path)
}

/// Finds out before the first request whether the file could be opened, without touching what is in it.
fn check_output(layers: &mut Layers, name: &str, target: &Target) {
    if let Err(error) = check_target(target) {
        let place =
            layers.value(name).map_or_else(|| format!("--{name}"), |written| written.place.to_string());
        let mut mistake = Mistake::new(place, error.to_string());
        mistake.hint = error.hint();
        layers.mistakes.push(mistake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(settings: &[(&'static str, &str)], place: &Place) -> Layer {
        let mut layer = Layer::new();
        for &(name, text) in settings {
            let written = Written { text: text.to_owned(), place: place.clone() };
            layer.entry(name).or_default().push(written);
        }
        layer
    }

    fn job(flags: &[(&'static str, &str)], environment: &[(&'static str, &str)]) -> Result<Job, Vec<String>> {
        let flags = layer(flags, &Place::Flag("flag"));
        let environment = layer(environment, &Place::Variable("VARIABLE".to_owned()));
        Job::build(Purpose::Crawl, flags, environment, JobFile::default(), Vec::new())
            .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_header_of_a_stronger_layer_replaces_all_of_its_name_and_one_layer_may_repeat_it() {
        let flags = [("url", "http://h/"), ("field", "a=//a"), ("header", "X: 1"), ("header", "x: 2")];
        let job = job(&flags, &[("header", "X: 0"), ("header", "Y: 0")]).unwrap();
        let headers: Vec<_> =
            job.fetch.headers.iter().map(|(name, value)| format!("{name}: {}", value.reveal())).collect();
        assert_eq!(headers, ["Y: 0", "X: 1", "x: 2"]);
    }

    #[test]
    fn a_range_without_an_end_is_ended_by_an_empty_page_or_a_number_of_pages() {
        let range = [("url", "http://h/{page}"), ("field", "a=//a"), ("pages", "1-")];
        assert!(job(&range, &[]).unwrap_err()[0].contains("this range has no end"));
        assert!(job(&range, &[("until-empty", "true")]).unwrap().until_empty);
        assert_eq!(job(&range, &[("max-pages", "3")]).unwrap().source.unwrap().total(), Some(3));
    }

    #[test]
    fn a_check_tells_who_the_job_is_and_what_it_allows_but_no_secret() {
        let flags = [
            ("url", "http://h/"),
            ("field", "a=//a"),
            ("insecure", "true"),
            ("allow-private", "true"),
            ("proxy", "http://me:secret@p:1"),
            ("user", "me:secret"),
            ("cookie", "a=secret; b=2"),
            ("header", "Authorization: secret"),
        ];
        let job = job(&flags, &[]).unwrap();
        let told = job.to_string();
        for line in [
            "any certificate is believed",
            "pages may lead to private addresses",
            "proxies: 1",
            "logged in to the host of the URL",
            "cookies of yours: 2",
        ] {
            assert!(told.contains(&format!("\n  {line}\n")), "{line} is missing in:\n{told}");
        }
        assert!(!told.contains("secret"), "{told}");
        assert!(job.warnings()[0].contains("the header Authorization takes the place"));
    }

    /// The example, or of its plain settings the URL and the pages only; the lines stay where they are.
    fn of_example(keeps_all: bool) -> Job {
        let mut section = "";
        let text: Vec<&str> = include_str!("../../config.example.toml")
            .lines()
            .map(|line| {
                if line.starts_with('[') {
                    section = line;
                }
                let is_plain = ["[source]", "[fetch]", "[output]", "[check]"].contains(&section)
                    && !line.starts_with('[');
                let is_kept =
                    keeps_all || !is_plain || line.starts_with("url =") || line.starts_with("pages =");
                if is_kept { line } else { "" }
            })
            .collect();
        let (file, mistakes) = crate::config::parse("example.toml", &text.join("\n"));
        let job = Job::build(Purpose::Crawl, Layer::new(), Layer::new(), file, mistakes).unwrap();
        // They tell where they were named.
        Job { written_files: WrittenFiles::default(), ..job }
    }

    #[test]
    fn a_job_made_of_the_example_is_one_of_the_defaults() {
        let example = of_example(true);
        let request = example.source.clone().unwrap().next().unwrap().unwrap();
        assert!(request.message.is_none(), "a plain GET");
        assert_eq!(format!("{example:#?}"), format!("{:#?}", of_example(false)));
    }
}
