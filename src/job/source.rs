//! Which pages: `url`, `glob`, `input-file`, `max-pages`, `until-empty`, and how they fit together.

use super::layers::Layers;
use super::{Purpose, message, seeds, variables};
use crate::fetch::NamedHosts;
use crate::mistake::{Mistake, Slip};
use crate::source::{
    Grid, GridMistake, ListFile, MessageTemplate, Names, PageRange, Seeds, Source, SourceMistake, Template,
    Variable, parse_glob,
};
use crate::written::{Place, Written};

/// The settings that name what is asked for. The strongest layer that has one of them says it all: a list on the command
/// line is asked for instead of the URL of the job file.
const SOURCES: [&str; 4] = ["url", "input-file", "sitemap", "feed"];

/// What is asked for first.
#[derive(Default)]
pub(super) struct First {
    /// `None` for a job that asks for nothing.
    pub(super) source: Option<Source>,
    pub(super) seeds: Seeds,
    /// Whether the first empty page ends the source.
    pub(super) until_empty: bool,
    /// See [`Job::is_one_range`](super::Job::is_one_range).
    pub(super) is_one_range: bool,
}

/// What is asked for first; `None` if something is wrong with it.
pub(super) fn build(layers: &mut Layers, purpose: Purpose, file_is_unread: bool) -> Option<First> {
    let until_empty = layers.switch("until-empty");
    let max_pages = layers.count("max-pages", 1, u64::MAX);
    let pages_written = layers.value("pages");
    let pages = layers.read("pages", PageRange::parse);
    let mistakes_before = layers.mistakes.len();
    let variables = variables::build(layers, pages.as_ref());
    let names = Names::of(&variables);
    let message = message::build(layers, &names);
    let is_glob = layers.switch("glob");
    let named = layers.strongest(&SOURCES);
    let mut urls = if named.contains(&"url") { layers.strongest_list("url") } else { Vec::new() };
    let mut lists_written =
        if named.contains(&"input-file") { layers.strongest_list("input-file") } else { Vec::new() };
    if purpose == Purpose::Trial {
        // One page is tried: the first that the job names by itself.
        urls = layers.strongest_list("url");
        urls.truncate(1);
        lists_written.clear();
    }
    let found = layers.mistakes.len();
    let seeds = match purpose {
        Purpose::Trial => Seeds::default(),
        _ => seeds::build(layers, &named),
    };
    if urls.is_empty() && lists_written.is_empty() && seeds.is_empty() && layers.mistakes.len() == found {
        // It may well stand in the file that has a mistake already.
        if !file_is_unread {
            let hint = "pagemill crawl 'https://example.com/list?page={page}' -p 1-20 .., -i FILE, or url in the job \
                        file's [source]";
            layers.mistakes.push(Mistake::new("URL", "there is no address to crawl").with_hint(hint));
        }
        return None;
    }
    if is_glob && !variables.is_empty() {
        let hint = "write the values into the URL, as in [1-20] or {a,b}, or leave --glob out";
        let mistake =
            Mistake::new("--glob", "there are no variables in globs, so --pages and --var cannot go with it");
        layers.mistakes.push(mistake.with_hint(hint));
        return None;
    }
    if is_glob && message.as_ref().is_some_and(MessageTemplate::differs) {
        let mistake = Mistake::new("--glob", "the body has `{page}`, and there are no page numbers in globs");
        layers.mistakes.push(mistake.with_hint("leave --glob out, and use {page} in the URL, too"));
        return None;
    }
    // Each with the variables that it is combined from.
    let templates: Vec<(&Written, Template, Option<Vec<Variable>>)> = urls
        .iter()
        .filter_map(|url| {
            let read = match is_glob {
                true => parse_glob(&url.text).map(|(template, variables)| (template, Some(variables))),
                false => Template::parse(&url.text, &names).map(|template| (template, None)),
            };
            let (template, own) = read.map_err(|slip| layers.report_url(url, slip)).ok()?;
            Some((url, template, own))
        })
        .collect();
    let lists = build_lists(layers, &lists_written);
    let open = variables.iter().find(|variable| variable.len().is_none());
    if let Some(open) = open.filter(|_| !until_empty && max_pages.is_none()) {
        let begins = format!("{}=", open.name());
        let by_var =
            layers.strongest_list("var").into_iter().find(|written| written.text.starts_with(&begins));
        let written = by_var.or(pages_written.clone()).expect("a variable was written somewhere");
        let slip = Slip::new(written.text.len(), "this range has no end")
            .with_hint("add --until-empty (stop at the first page without a record) or --max-pages N");
        layers.report(&written, slip);
    }
    let count = urls.len() + lists_written.len() + seeds.sitemaps.len() + seeds.feeds.len();
    if until_empty && count + usize::from(seeds.sitemaps_of_robots) > 1 {
        let hint = "name one URL, or leave --until-empty out";
        let message = "an empty page says where the pages of one URL end, and there are several";
        layers.mistakes.push(Mistake::new("--until-empty", message).with_hint(hint));
    }
    let is_range = |own: &Option<Vec<Variable>>| {
        let varying = own.as_ref().unwrap_or(&variables).iter().filter(|variable| variable.len() != Some(1));
        varying.count()
    };
    let ranges: usize = templates.iter().map(|(_, _, own)| is_range(own)).sum();
    let is_one_range = ranges == 1 && count == 1;
    if ranges > 0 && !is_one_range && purpose == Purpose::Crawl && layers.switch("stop-at-seen") {
        let hint = "name one URL with one range, or follow the links to the next pages instead";
        let message = "a record that was seen says where the pages of one range end, and there are several";
        layers.mistakes.push(Mistake::new("--stop-at-seen", message).with_hint(hint));
    }
    // A wrong range was reported; without it, a second message about a missing one would only confuse.
    if layers.mistakes.len() > mistakes_before || (pages_written.is_some() && pages.is_none()) {
        return None;
    }
    let uses_page = templates.iter().any(|(_, template, _)| template.uses_page())
        || (!templates.is_empty() && message.as_ref().is_some_and(MessageTemplate::uses_page));
    if let Some(written) = pages_written.filter(|_| !uses_page)
        && are_meant(&written, purpose, urls.first())
    {
        let text = urls.iter().map(|url| url.text.as_str()).find(|text| text.contains("{{page"));
        let slip = match (urls.is_empty(), text) {
            (true, _) => {
                Slip::new(0, "there is no URL that {page} could stand in").with_hint("leave the pages out")
            }
            (false, Some(_)) => Slip::new(0, "the URL is the same for all pages")
                .with_hint("`{{page}}` is the literal text {page}: write `{page}`"),
            (false, None) => Slip::new(0, "the URL is the same for all pages")
                .with_hint("put `{page}` where the page number belongs, or leave the pages out"),
        };
        layers.report_url(&written, slip);
        return None;
    }
    if purpose != Purpose::Trial && !urls.is_empty() {
        report_unused(layers, &templates, message.as_ref());
    }
    let mut grids = Vec::with_capacity(templates.len());
    for (url, template, own) in templates {
        match Grid::new(template, message.clone(), own.as_ref().unwrap_or(&variables)) {
            Ok(grid) => grids.push(grid),
            Err(mistake) => report_grid(layers, purpose, url, &mistake),
        }
    }
    if layers.mistakes.len() > found {
        return None;
    }
    match Source::new(grids, lists, message, max_pages) {
        Ok(source) => {
            if seeds.sitemaps_of_robots && !source.has_fixed_hosts() {
                let written = layers.value("sitemap").expect("it says robots");
                let slip = Slip::new(0, "there is no URL with a host whose robots.txt could be read")
                    .with_hint("add the address of the site, or that of the sitemap");
                layers.report(&written, slip);
                return None;
            }
            Some(First { source: Some(source), seeds, until_empty, is_one_range })
        }
        Err(mistake) => {
            report_source(layers, &urls, &lists_written, &mistake);
            None
        }
    }
}

/// A variable that stands nowhere is a slip: of its name, or of the URL.
fn report_unused(
    layers: &mut Layers,
    templates: &[(&Written, Template, Option<Vec<Variable>>)],
    message: Option<&MessageTemplate>,
) {
    let mut used: Vec<&str> = templates.iter().flat_map(|(_, template, _)| template.used_names()).collect();
    used.extend(message.into_iter().flat_map(MessageTemplate::used_names));
    for written in layers.strongest_list("var") {
        let name = written.text.split('=').next().unwrap_or_default();
        if !used.contains(&name) {
            let slip = Slip::new(0, format!("`{{{name}}}` stands in no URL and in no body"));
            layers.report(&written, slip.with_hint(format!("write `{{{name}}}` where its values belong")));
        }
    }
}

/// The lists, each of which can be read.
fn build_lists(layers: &mut Layers, written: &[Written]) -> Vec<ListFile> {
    let mut lists = Vec::with_capacity(written.len());
    for written in written {
        let list = ListFile::named(&written.text);
        if written.text.is_empty() {
            layers.report(written, Slip::new(0, "a file name is wanted"));
        } else if list == ListFile::Stdin && lists.contains(&list) {
            layers.report(written, Slip::new(0, "standard input can be read once only"));
        } else if let Err(reason) = list.check() {
            let slip = Slip::new(0, reason).with_hint("a file with one URL a line, or - for standard input");
            layers.report(written, slip);
        }
        lists.push(list);
    }
    lists
}

/// Whether pages that nothing asks for are a slip. They are not if a job file says them, and something else than its
/// URL is asked for: one page that is tried, a list on the command line.
fn are_meant(pages: &Written, purpose: Purpose, url: Option<&Written>) -> bool {
    if purpose == Purpose::Trial {
        return pages.place == Place::Flag("page");
    }
    url.is_some() || !matches!(pages.place, Place::File { .. })
}

fn report_grid(layers: &mut Layers, purpose: Purpose, url: &Written, mistake: &GridMistake) {
    let at = match mistake {
        GridMistake::PagesMissing { in_body: false } => url.text.find('{').unwrap_or(0),
        _ => 0,
    };
    let hint = match (mistake, purpose) {
        (GridMistake::PagesMissing { .. }, Purpose::Trial) => {
            Some("say which one, as in `--page 1`".to_owned())
        }
        _ => mistake.hint(),
    };
    layers.report_url(url, Slip { at, message: mistake.to_string(), hint });
}

fn report_source(layers: &mut Layers, urls: &[Written], lists: &[Written], mistake: &SourceMistake) {
    match mistake {
        SourceMistake::NeverReached { after } => {
            let written = urls.get(after + 1).or(lists.first()).expect("something stands behind it");
            let hint = "put the URL whose pages have no end last, or give its range an end";
            layers.report_url(written, Slip::new(0, mistake.to_string()).with_hint(hint));
        }
        SourceMistake::BodyOfList => {
            let hint = "write a body that is the same for all, or put {page} into a URL of its own";
            layers.mistakes.push(Mistake::new("--input-file", mistake.to_string()).with_hint(hint));
        }
    }
}

/// The hosts in the URLs; if one is calculated or stands in a list, each request names its own.
pub(super) fn named_hosts(first: &First) -> NamedHosts {
    match first.source.as_ref().and_then(Source::fixed_hosts) {
        Some(urls) => NamedHosts::of(urls.iter().chain(&first.seeds.sitemaps).chain(&first.seeds.feeds)),
        None => NamedHosts::OfEachRequest,
    }
}
