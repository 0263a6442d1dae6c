//! What a job would do, in words: the answer of `pagemill check`.

use std::fmt;

use super::{Job, JobRule};
use crate::check::FieldBound;
use crate::extract::convert::Recipe;
use crate::extract::{Field, Finding, Follow, Shape, ValueSpec};
use crate::fetch::credentials::Netrc;
use crate::frontier::{HostPace, ThrottleMode};
use crate::message;
use crate::model::{Request, display_url, human_bytes, human_duration};
use crate::output::Target;

/// How many of the first requests are shown.
const SHOWN_REQUESTS: usize = 3;

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe_source(f)?;
        self.describe_rule(f)?;
        self.describe_fetch(f)?;
        self.describe_checks(f)?;
        self.describe_output(f)
    }
}

impl Job {
    fn describe_source(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(source) = &self.source else { return writeln!(f, "read saved pages:") };
        match source.total().filter(|_| self.seeds.is_empty()) {
            Some(1) => write!(f, "fetch 1 page")?,
            Some(total) => write!(f, "fetch {total} pages")?,
            None => write!(f, "fetch pages")?,
        }
        writeln!(f, "{}", if self.until_empty { " until one gives no record:" } else { ":" })?;
        let mut shown = 0;
        for request in source.clone().take(SHOWN_REQUESTS) {
            shown += 1;
            match request {
                Ok(request) => describe_request(f, &request)?,
                Err(error) => writeln!(f, "  (no URL: {error})")?,
            }
        }
        match source.last_request() {
            Some(last) if last.id.0 < shown => {}
            Some(last) => {
                writeln!(f, "  ..")?;
                describe_request(f, &last)?;
            }
            None if source.clone().nth(SHOWN_REQUESTS).is_some() => writeln!(f, "  ..")?,
            None => {}
        }
        for list in source.lists() {
            writeln!(f, "  each URL in {list}")?;
        }
        self.describe_seeds(f)
    }

    fn describe_seeds(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seeds = &self.seeds;
        for sitemap in &seeds.sitemaps {
            writeln!(f, "  each page in the sitemap {}", display_url(sitemap))?;
        }
        if seeds.sitemaps_of_robots {
            writeln!(f, "  each page in the sitemaps that robots.txt names")?;
        }
        for feed in &seeds.feeds {
            writeln!(f, "  each entry of the feed {}", display_url(feed))?;
        }
        match seeds.since.filter(|_| !seeds.is_empty()) {
            Some(since) => writeln!(f, "  changed since {since}, if they say so"),
            None => Ok(()),
        }
    }

    fn describe_rule(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reached = self.reached();
        for &id in &reached {
            let JobRule { rule, with_meta, .. } = self.rule_of(id);
            if reached.len() > 1 {
                writeln!(f, "on pages of the rule {}:", rule.name)?;
            }
            match &rule.each {
                Some(each) => writeln!(f, "one record for each  {each}")?,
                None if !rule.yields_records() => writeln!(f, "no records")?,
                None => writeln!(f, "one record for each page")?,
            }
            describe_fields(f, &rule.fields, 1)?;
            if *with_meta && rule.yields_records() {
                writeln!(f, "  _url, _page, _fetched_at")?;
            }
            if !rule.key.is_empty() {
                let key: Vec<String> = rule.key.iter().map(|path| path.join(".")).collect();
                writeln!(f, "  known by {}", key.join(", "))?;
            }
            for follow in &rule.follow {
                self.describe_follow(f, follow)?;
            }
        }
        Ok(())
    }

    fn describe_follow(&self, f: &mut fmt::Formatter<'_>, follow: &Follow) -> fmt::Result {
        let name = &self.rule_of(follow.to).rule.name;
        write!(f, "  on to the rule {name} by  ")?;
        if let Some(each) = &follow.each {
            write!(f, "each {each}  then  ")?;
        }
        describe_finding(f, &follow.at)?;
        let mut notes = recipe_notes(&follow.recipe);
        if follow.priority != 0 {
            notes.push(format!("priority {}", follow.priority));
        }
        writeln!(f, "{}", in_parentheses(&notes))?;
        if !follow.carry.is_empty() {
            writeln!(f, "    carrying")?;
            describe_fields(f, &follow.carry, 3)?;
        }
        Ok(())
    }

    fn describe_fetch(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fetch = &self.fetch;
        let user_agents = match fetch.user_agents.as_slice() {
            [only] => only.clone(),
            many => format!("{} user agents in turn", many.len()),
        };
        writeln!(
            f,
            "{} at a time as {}, read by {} thread{}",
            self.jobs,
            user_agents,
            self.parsers,
            if self.parsers == 1 { "" } else { "s" }
        )?;
        describe_pace(f, "  each host: ", &self.pace.usual)?;
        for (host, pace) in &self.pace.own {
            describe_pace(f, &format!("  {}: ", host.0), pace)?;
        }
        if let Some(count) = self.pace.per_ip {
            writeln!(f, "  each address: at most {count} at a time")?;
        }
        writeln!(
            f,
            "  limits: connection {}, silence {}, page {}, body {}, {} redirects",
            human_duration(fetch.connect_timeout),
            human_duration(fetch.read_timeout),
            human_duration(fetch.timeout),
            human_bytes(fetch.max_body_bytes),
            fetch.max_redirects
        )?;
        writeln!(
            f,
            "  {} retries, the first after {}",
            self.retry.retries,
            human_duration(self.retry.first_delay)
        )?;
        for (name, _) in &fetch.headers {
            // The values are often secrets.
            writeln!(f, "  header {name}")?;
        }
        self.describe_identity(f)?;
        if let Some(cache) = &fetch.cache {
            write!(f, "  pages kept in {}", cache.folder.display())?;
            match cache.max_age {
                Some(age) => writeln!(f, ", not asked for again within {}", human_duration(age))?,
                None => writeln!(f)?,
            }
        }
        match self.max_time {
            Some(time) => writeln!(f, "  no new page after {}", human_duration(time)),
            None => Ok(()),
        }
    }

    /// What matters most of all: who the job is to the servers, and what it lets them do. Names and numbers only.
    fn describe_identity(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fetch = &self.fetch;
        if fetch.credentials.named.is_some() {
            writeln!(f, "  logged in to the host of the URL")?;
        }
        if fetch.credentials.netrc != Netrc::default() {
            writeln!(f, "  logged in to the hosts of a netrc")?;
        }
        if !fetch.own_cookies.is_empty() {
            writeln!(f, "  cookies of yours: {}", fetch.own_cookies.len())?;
        }
        match &fetch.cookies {
            Some(jar) if !jar.is_empty() => writeln!(f, "  cookies of a file: {}", jar.len())?,
            Some(_) => {}
            None => writeln!(f, "  no cookies are kept")?,
        }
        if fetch.identity.is_some() {
            writeln!(f, "  a certificate is shown to servers that ask for one")?;
        }
        if !fetch.proxies.is_empty() {
            writeln!(f, "  proxies: {}", fetch.proxies.len())?;
        }
        if fetch.insecure {
            writeln!(f, "  any certificate is believed")?;
        }
        if fetch.allow_private {
            writeln!(f, "  pages may lead to private addresses")?;
        }
        Ok(())
    }

    fn describe_checks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = &self.checks;
        if checks.is_empty() {
            return Ok(());
        }
        writeln!(f, "at the end there must be, or the exit code is 4:")?;
        if let Some(least) = checks.min_records {
            writeln!(f, "  at least {least} records")?;
        }
        if let Some(most) = checks.max_failed {
            writeln!(f, "  at most {most} of the pages failed")?;
        }
        for bound in &checks.min_fill {
            writeln!(f, "  {} in at least {} of the {}", bound.field, bound.share, places(bound))?;
        }
        for bound in &checks.max_null {
            writeln!(f, "  {} missing in at most {} of the {}", bound.field, bound.share, places(bound))?;
        }
        match checks.max_drop {
            Some(most) => writeln!(f, "  at most {most} fewer records than in the last run"),
            None => Ok(()),
        }
    }

    fn describe_output(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.ordered { ", in the order of the pages" } else { "" };
        match &self.target {
            Target::Stdout => write!(f, "write to standard output{order}"),
            Target::Append(path) => write!(f, "append to {}{order}", path.display()),
            Target::Replace(path) => write!(f, "replace {}{order}", path.display()),
            Target::Parts(parts) => {
                let verb = if parts.replaces { "replace" } else { "write" };
                let (first, most) = (parts.names.path(1), parts.most_bytes);
                write!(f, "{verb} parts of at most {most} bytes, named like {}{order}", first.display())
            }
        }?;
        if let Some(news) = self.news {
            write!(f, "\nonly what is new or has changed since the last run")?;
            write!(f, "{}", if news.with_op { ", and what is gone, each with _op" } else { "" })?;
            write!(
                f,
                "{}",
                if news.stop_at_seen { "; up to the first record that was met before" } else { "" }
            )?;
        }
        if let Some(path) = &self.summary {
            write!(f, "\ncounts to {}", path.display())?;
        }
        match &self.save_cookies {
            Some(path) => write!(f, "\ncookies to {}", path.display()),
            None => Ok(()),
        }
    }
}

fn places(bound: &FieldBound) -> &'static str {
    if bound.is_nested { "objects it stands in" } else { "records" }
}

/// Method and URL, and below it the body.
fn describe_request(f: &mut fmt::Formatter<'_>, request: &Request) -> fmt::Result {
    let url = display_url(&request.url);
    let Some(message) = &request.message else { return writeln!(f, "  {url}") };
    writeln!(f, "  {} {url}", message.method)?;
    match &message.body {
        Some(body) => writeln!(f, "    {}", message::shown(body)),
        None => Ok(()),
    }
}

fn describe_pace(f: &mut fmt::Formatter<'_>, whom: &str, pace: &HostPace) -> fmt::Result {
    write!(f, "{whom}at most {} at a time", pace.throttle.per_host)?;
    match pace.throttle.mode {
        ThrottleMode::Adaptive => write!(f, " as long as it keeps up")?,
        ThrottleMode::AutoThrottle { target_concurrency, .. } => {
            write!(f, ", by autothrottle {target_concurrency} on average")?;
        }
        ThrottleMode::Off => {}
    }
    if !pace.throttle.delay.is_zero() {
        write!(f, ", {} between two", human_duration(pace.throttle.delay))?;
    }
    if !pace.interval.is_zero() {
        write!(f, ", one in {}", human_duration(pace.interval))?;
    }
    writeln!(f, ", {}", if pace.obeys_robots { "within robots.txt" } else { "whatever robots.txt says" })
}

/// The fields of an object, those inside of them indented.
fn describe_fields(f: &mut fmt::Formatter<'_>, fields: &[Field], depth: usize) -> fmt::Result {
    let width = fields.iter().map(|field| field.name.chars().count() + 2).max().unwrap_or(0);
    for field in fields {
        let many = match &field.shape {
            Shape::Value(value) => value.many,
            Shape::List { .. } => true,
            _ => false,
        };
        let name = format!("{}{}", field.name, if many { "[]" } else { "" });
        write!(f, "{:indent$}{name:width$}  ", "", indent = 2 * depth)?;
        match &field.shape {
            Shape::Value(value) => describe_value(f, value)?,
            Shape::Object { at: Some(at), .. } => describe_finding(f, at)?,
            Shape::Object { at: None, .. } => write!(f, "an object of")?,
            Shape::List { each, .. } => describe_finding(f, each)?,
            Shape::Constant(value) => write!(f, "always {value}")?,
            Shape::Meta(meta) => write!(f, "the page's {}", meta.name())?,
            Shape::Carried { name, default } => {
                write!(f, "what was carried as {name}")?;
                if let Some(default) = default {
                    write!(f, "  (or {default})")?;
                }
            }
        }
        writeln!(f, "{}", if field.required { "  (required)" } else { "" })?;
        describe_fields(f, field.nested(), depth + 1)?;
    }
    Ok(())
}

fn describe_finding(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    match &finding.from {
        Some(from) => write!(f, "{from}  then  {}", finding.expression),
        None => write!(f, "{}", finding.expression),
    }
}

fn describe_value(f: &mut fmt::Formatter<'_>, value: &ValueSpec) -> fmt::Result {
    describe_finding(f, &value.at)?;
    let mut notes = recipe_notes(&value.recipe);
    notes.extend(value.default.as_ref().map(|default| format!("or {default}")));
    write!(f, "{}", in_parentheses(&notes))
}

/// Two blanks and the notes, or nothing.
fn in_parentheses(notes: &[String]) -> String {
    if notes.is_empty() { String::new() } else { format!("  ({})", notes.join(", ")) }
}

fn recipe_notes(recipe: &Recipe) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    if recipe.raw {
        notes.push("raw".to_owned());
    }
    notes.extend(recipe.regex.as_ref().map(|regex| format!("regex {regex}")));
    notes.extend(recipe.replace.iter().map(|(from, to)| format!("{from} replaced by \"{to}\"")));
    notes.extend(recipe.kind.map(|kind| kind.name().to_owned()));
    notes.extend(recipe.locale.map(|locale| format!("as in {}", locale.name)));
    notes.extend(recipe.format.as_ref().map(|format| format!("as {format}")));
    notes
}
