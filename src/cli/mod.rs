//! The command line: what was typed, by subcommand, and nothing of what it means.
//!
//! The flags that make a job are made from the table in [`crate::settings`]. Reads and writes nothing.

mod help;

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::settings::{Kind, SETTINGS, Section, Setting};
use crate::written::{Layer, Place, Written};

/// Settings that a state has itself.
const OF_ONE_RUN: [&str; 3] = ["state", "fresh", "no-state"];

/// What was typed.
#[derive(Debug)]
pub enum Typed {
    /// `pagemill crawl`.
    Crawl(CrawlTyped),
    /// `pagemill check`.
    Check(CrawlTyped),
    /// `pagemill try`.
    Try(TryTyped),
    /// `pagemill extract`.
    Extract(ExtractTyped),
    /// `pagemill status`.
    Status(StatusTyped),
    /// `pagemill retry`.
    Retry(RetryTyped),
    /// `pagemill demo`.
    Demo(DemoTyped),
}

/// The arguments of `status`.
#[derive(Debug)]
pub struct StatusTyped {
    /// The folder of a state, or the output that has one beside it.
    pub path: PathBuf,
    /// As one JSON object.
    pub json: bool,
    /// Only the failed pages, as JSON Lines.
    pub failed: bool,
    /// All hosts.
    pub all: bool,
}

/// The arguments of `retry`.
#[derive(Debug)]
pub struct RetryTyped {
    /// The folder of a state, or the output that has one beside it.
    pub path: PathBuf,
    /// The rest.
    pub flags: Layer,
}

/// The arguments of `crawl` and `check`, and what other subcommands share with them.
#[derive(Debug, Clone)]
pub struct CrawlTyped {
    /// The job file.
    pub config: Option<String>,
    /// The flags.
    pub flags: Layer,
}

/// The arguments of `try`.
#[derive(Debug)]
pub struct TryTyped {
    /// An address, a file, or `-`; `None` for the source of the job file.
    pub page: Option<String>,
    /// Which page of a source.
    pub number: Option<i64>,
    /// The rest.
    pub job: CrawlTyped,
}

/// The arguments of `extract`.
#[derive(Debug)]
pub struct ExtractTyped {
    /// Files, directories, `-`.
    pub paths: Vec<PathBuf>,
    /// The rest.
    pub job: CrawlTyped,
}

/// The arguments of `demo`.
#[derive(Debug)]
pub struct DemoTyped {
    /// Leave the shop open instead of crawling it.
    pub serve: bool,
    /// The shop's port; 0 lets the system choose.
    pub port: u16,
    /// Where all records go; without it the first ones are shown.
    pub output: Option<String>,
}

/// Reads the command line of this process. Help, version and wrong usage end the process here, as is the custom.
pub fn parse() -> Typed {
    typed(&command().get_matches())
}

fn typed(matches: &ArgMatches) -> Typed {
    match matches.subcommand() {
        Some(("crawl", matches)) => Typed::Crawl(crawl_typed(matches, "URL")),
        Some(("check", matches)) => {
            let mut typed = crawl_typed(matches, "JOB|URL");
            // `check job.toml` and `check https://..` both read well.
            if typed.config.is_none()
                && let Some(mut urls) = typed.flags.remove("url")
            {
                if !looks_like_address(&urls[0].text) {
                    typed.config = Some(urls.remove(0).text);
                }
                if !urls.is_empty() {
                    typed.flags.insert("url", urls);
                }
            }
            Typed::Check(typed)
        }
        Some(("try", matches)) => Typed::Try(TryTyped {
            page: matches.get_one("page").cloned(),
            number: matches.get_one("number").copied(),
            job: crawl_typed(matches, "URL"),
        }),
        Some(("extract", matches)) => Typed::Extract(ExtractTyped {
            paths: matches.get_many("paths").into_iter().flatten().cloned().collect(),
            job: crawl_typed(matches, "URL"),
        }),
        Some(("status", matches)) => Typed::Status(StatusTyped {
            path: path_of_state(matches),
            json: matches.get_flag("json-object"),
            failed: matches.get_flag("failed"),
            all: matches.get_flag("all"),
        }),
        Some(("retry", matches)) => Typed::Retry(RetryTyped {
            path: path_of_state(matches),
            flags: crawl_typed(matches, "URL").flags,
        }),
        Some(("demo", matches)) => Typed::Demo(DemoTyped {
            serve: matches.get_flag("serve"),
            port: *matches.get_one("port").expect("it has a default"),
            output: matches.get_one("output").cloned(),
        }),
        _ => unreachable!("clap asks for one of the subcommands"),
    }
}

/// Only an address has a scheme. Or is meant as one: to say of `me:password@host/list` that there is no such file would
/// tell the password, where what is wrong with an address is told without.
pub fn looks_like_address(text: &str) -> bool {
    let has_login = text.split_once('@').is_some_and(|(login, _)| login.contains(':'));
    text.contains("://") || (has_login && !text.ends_with(".toml"))
}

fn crawl_typed(matches: &ArgMatches, argument: &'static str) -> CrawlTyped {
    let mut flags = Layer::new();
    for setting in SETTINGS {
        let place = if setting.name == "url" { Place::Argument(argument) } else { Place::Flag(setting.name) };
        let values: Vec<Written> = matches
            // Not every subcommand has every flag.
            .try_get_many::<String>(setting.name)
            .ok()
            .into_iter()
            .flatten()
            .flatten()
            .map(|text| Written { text: text.clone(), place: place.clone() })
            .collect();
        if !values.is_empty() {
            flags.insert(setting.name, values);
        }
    }
    // Nor the file.
    CrawlTyped { config: matches.try_get_one("config").ok().flatten().cloned(), flags }
}

/// The whole command line, for parsing and for the tests of the documents.
pub fn command() -> Command {
    Command::new("pagemill")
        .version(env!("CARGO_PKG_VERSION"))
        .about(help::ABOUT)
        .after_help(help::AFTER)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(crawl_command("crawl", help::CRAWL, "URL").after_help(help::AFTER_CRAWL))
        .subcommand(crawl_command("check", help::CHECK, "JOB|URL"))
        .subcommand(try_command())
        .subcommand(extract_command())
        .subcommand(status_command())
        .subcommand(retry_command())
        .subcommand(demo_command())
}

fn config_argument() -> Arg {
    Arg::new("config")
        .long("config")
        .short('c')
        .value_name("JOB.toml")
        .help("Read the job from this file; flags win over it. See config.example.toml")
}

fn crawl_command(name: &'static str, about: &'static str, argument: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .arg(config_argument())
        .args(SETTINGS.iter().map(|setting| argument_of(setting, argument)))
}

fn try_command() -> Command {
    let of_a_run = [
        "jobs",
        "parsers",
        "retry",
        "retry-on",
        "retry-all-errors",
        "retry-delay",
        "save-cookies",
        "max-time",
    ];
    let is_for_one_page = |setting: &&Setting| match setting.section {
        Section::Source => setting.name == "rule",
        Section::Extract => true,
        Section::Fetch => !of_a_run.contains(&setting.name),
        Section::Output => setting.name == "verbose",
        Section::Check => false,
    };
    Command::new("try")
        .about(help::TRY)
        .after_help(help::AFTER_TRY)
        .arg(
            Arg::new("page").value_name("URL|FILE").help_heading("Arguments").help(
                "The page: an address, a saved file, or - for standard input; if not said, the job file's",
            ),
        )
        .arg(
            Arg::new("number")
                .long("page")
                .value_name("N")
                .allow_negative_numbers(true)
                .value_parser(clap::value_parser!(i64))
                .help_heading(Section::Source.heading())
                .help("Which page of a URL with {page}, or of the job file; the first one if not said"),
        )
        .arg(config_argument())
        .args(SETTINGS.iter().filter(is_for_one_page).map(|setting| argument_of(setting, "URL")))
}

fn extract_command() -> Command {
    let of_reading = ["rule", "parsers", "charset", "max-body", "max-time"];
    let is_for_saved_pages = |setting: &&Setting| match setting.section {
        Section::Extract | Section::Output | Section::Check => true,
        Section::Source | Section::Fetch => of_reading.contains(&setting.name),
    };
    Command::new("extract")
        .about(help::EXTRACT)
        .after_help(help::AFTER_EXTRACT)
        .arg(
            Arg::new("paths")
                .value_name("FILE|DIR|-")
                .num_args(1..)
                .required(true)
                .value_parser(clap::value_parser!(PathBuf))
                .help_heading("Arguments")
                .help("Saved pages; of a directory all files below it, but hidden ones; - is one page from standard input"),
        )
        .arg(config_argument())
        .args(SETTINGS.iter().filter(is_for_saved_pages).map(|setting| argument_of(setting, "URL")))
}

/// The state that a command is about.
fn state_argument() -> Arg {
    Arg::new("path")
        .value_name("STATE")
        .required(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help_heading("Arguments")
        .help("The folder of the state, like out.jsonl.pagemill; or the output that it stands beside, out.jsonl")
}

fn path_of_state(matches: &ArgMatches) -> PathBuf {
    matches.get_one("path").cloned().expect("it is required")
}

fn status_command() -> Command {
    let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("status")
        .about(help::STATUS)
        .after_help(help::AFTER_STATUS)
        .arg(state_argument())
        .arg(switch("json-object").long("json").help("Tell all of it as one JSON object, with fixed keys"))
        .arg(switch("failed").conflicts_with_all(["json-object", "all"]).help(
            "List the failed pages instead, as JSON Lines: url, kind, reason, status, attempts and more",
        ))
        .arg(switch("all").help("Tell of all hosts, not only of those with the most pages"))
}

fn retry_command() -> Command {
    let is_of_state = |name: &str| name == "url" || OF_ONE_RUN.contains(&name);
    Command::new("retry").about(help::RETRY).after_help(help::AFTER_RETRY).arg(state_argument()).args(
        SETTINGS
            .iter()
            .filter(|setting| !is_of_state(setting.name))
            .map(|setting| argument_of(setting, "URL")),
    )
}

fn argument_of(setting: &'static Setting, argument: &'static str) -> Arg {
    let arg = Arg::new(setting.name).help(help_of(setting)).help_heading(setting.section.heading());
    if setting.name == "url" {
        return arg.value_name(argument).num_args(0..).action(ArgAction::Append).help_heading("Arguments");
    }
    let arg = arg.long(setting.name).value_name(setting.value);
    let arg = match setting.short {
        Some(letter) => arg.short(letter),
        None => arg,
    };
    match setting.kind {
        // `--ordered=false` takes back what the job file says.
        Kind::Switch => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .hide_possible_values(true)
            .overrides_with(setting.name),
        // A page range may begin with a minus. The last of several wins, so that an alias can be overruled.
        Kind::Value => arg.allow_hyphen_values(setting.name == "pages").overrides_with(setting.name),
        Kind::List => arg.action(ArgAction::Append),
    }
}

fn help_of(setting: &Setting) -> String {
    match (setting.kind, setting.default) {
        (Kind::Value, Some(default)) => format!("{} [default: {default}]", setting.help),
        _ => setting.help.to_owned(),
    }
}

fn demo_command() -> Command {
    Command::new("demo")
        .about(help::DEMO)
        .arg(
            Arg::new("serve")
                .long("serve")
                .action(ArgAction::SetTrue)
                .help("Leave the shop open for commands of your own, until Ctrl-C"),
        )
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("PORT")
                .default_value("0")
                .value_parser(clap::value_parser!(u16))
                .help("Listen on this port of 127.0.0.1; 0 takes a free one"),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("FILE")
                .help("Write all records to FILE (- is standard output) instead of showing the first ones"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &[&str]) -> Typed {
        typed(&command().try_get_matches_from(line).unwrap())
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn typed_values_keep_their_text_order_and_place() {
        let Typed::Crawl(typed) = parse_line(&[
            "pagemill",
            "crawl",
            "http://h/{page}",
            "-p",
            "-5--1",
            "-f",
            "a=./a",
            "-f",
            "b=./b",
            "--ordered",
        ]) else {
            panic!("not a crawl")
        };
        let text = |name: &str| typed.flags[name].iter().map(|w| w.text.as_str()).collect::<Vec<_>>();
        assert_eq!(text("url"), ["http://h/{page}"]);
        assert_eq!(text("pages"), ["-5--1"]);
        assert_eq!(text("field"), ["a=./a", "b=./b"]);
        assert_eq!(text("ordered"), ["true"]);
        assert_eq!(typed.flags["pages"][0].place.to_string(), "--pages");
    }

    #[test]
    fn a_switch_can_be_taken_back_and_the_last_value_wins() {
        let Typed::Crawl(typed) = parse_line(&["pagemill", "crawl", "--ordered=false", "-j", "3", "-j", "4"])
        else {
            panic!("not a crawl")
        };
        assert_eq!(typed.flags["ordered"][0].text, "false");
        assert_eq!(typed.flags["jobs"].iter().map(|w| w.text.as_str()).collect::<Vec<_>>(), ["4"]);
    }

    #[test]
    fn check_takes_a_job_file_or_an_address() {
        let Typed::Check(file) = parse_line(&["pagemill", "check", "job.toml"]) else {
            panic!("not a check")
        };
        assert_eq!((file.config.as_deref(), file.flags.len()), (Some("job.toml"), 0));
        let Typed::Check(url) = parse_line(&["pagemill", "check", "http://h/"]) else {
            panic!("not a check")
        };
        assert_eq!((url.config, url.flags["url"][0].text.as_str()), (None, "http://h/"));
    }

    #[test]
    fn check_takes_a_login_without_a_scheme_for_an_address() {
        for (text, is_url) in [("me:secret@h/p", true), ("a@b.toml", false), ("c:/me@home/a:b.toml", false)] {
            let Typed::Check(typed) = parse_line(&["pagemill", "check", text]) else { panic!("not a check") };
            assert_eq!(typed.flags.contains_key("url"), is_url, "{text}");
        }
    }
}
