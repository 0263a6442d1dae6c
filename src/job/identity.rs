//! Who a job is to the servers: its cookies, its user agents, user names, passwords and tokens.
//!
//! What is wrong with a secret is told without it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::check_output;
use super::layers::Layers;
use crate::fetch::cookies::{Jar, file, parse_cookies};
use crate::fetch::credentials::{Credentials, Netrc, basic, bearer};
use crate::fetch::{FetchPolicy, Secret, parse_header};
use crate::mistake::{Mistake, Slip};
use crate::output::Target;
use crate::robots::product_token;

/// The jar to begin with; `None` if none is wanted.
pub(super) fn build_cookies(layers: &mut Layers) -> Option<Jar> {
    let wants_none = layers.switch("no-cookies");
    for name in ["load-cookies", "save-cookies"] {
        if wants_none && let Some(written) = layers.value(name) {
            let slip = Slip::new(0, "cannot go with --no-cookies").with_hint("leave one of the two out");
            layers.report(&written, slip);
        }
    }
    if wants_none {
        return None;
    }
    let Some(path) = layers.path("load-cookies") else { return Some(Jar::new()) };
    match file::load(&path) {
        Ok(jar) => Some(jar),
        Err(error) => {
            let written = layers.value("load-cookies").expect("its path was just read");
            let slip = Slip::new(0, error.to_string())
                .with_hint("a cookies.txt as curl, wget and extensions of browsers write it is wanted");
            layers.report(&written, slip);
            None
        }
    }
}

/// The user's own cookies.
pub(super) fn build_own_cookies(layers: &mut Layers) -> Vec<(String, Secret)> {
    layers.read_hidden("cookie", parse_cookies).unwrap_or_default()
}

/// Where the jar goes when the run has ended.
pub(super) fn build_save_cookies(layers: &mut Layers) -> Option<PathBuf> {
    let path = layers.path("save-cookies")?;
    if path.as_os_str() == "-" {
        let written = layers.value("save-cookies").expect("its path was just read");
        let slip = Slip::new(0, "standard output is for records").with_hint("name a file for the cookies");
        layers.report(&written, slip);
        return None;
    }
    check_output(layers, "save-cookies", &Target::Replace(path.clone()));
    Some(path)
}

/// What the `User-Agent` is if nobody says: who we are, and where to read about it.
fn default_user_agent() -> String {
    let about =
        [env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_HOMEPAGE"), "https://crates.io/crates/pagemill"];
    let about = about.into_iter().find(|url| !url.is_empty()).unwrap_or_default();
    format!("pagemill/{} (+{about})", env!("CARGO_PKG_VERSION"))
}

/// The user agents, of which requests take one after the other. There is always one.
pub(super) fn build_user_agents(layers: &mut Layers) -> Vec<String> {
    let agents = match layers.strongest(&["user-agent", "user-agent-file"]).as_slice() {
        [] => None,
        ["user-agent"] => {
            layers.read("user-agent", |text| check_user_agent(text).map(|()| vec![text.to_owned()]))
        }
        ["user-agent-file"] => user_agents_of_file(layers),
        _ => {
            let hint = "put it into the file, on a line of its own";
            layers
                .mistakes
                .push(Mistake::new("--user-agent", "cannot go with --user-agent-file").with_hint(hint));
            None
        }
    };
    agents.unwrap_or_else(|| vec![default_user_agent()])
}

/// The names that robots.txt may know us by, each once: those of the user agents that are sent, be it by a header.
pub(super) fn names_for_robots(fetch: &FetchPolicy) -> Vec<String> {
    let own = fetch.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
    let own: Vec<&str> = own.map(|(_, value)| value.reveal()).collect();
    let sent = if own.is_empty() { fetch.user_agents.iter().map(String::as_str).collect() } else { own };
    let mut names: Vec<String> =
        sent.into_iter().map(|agent| product_token(agent).to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn user_agents_of_file(layers: &mut Layers) -> Option<Vec<String>> {
    let path = layers.path("user-agent-file")?;
    let written = layers.value("user-agent-file").expect("its path was just read");
    let text = read_text(&path).map_err(|reason| layers.report(&written, Slip::new(0, reason))).ok()?;
    // Editors on Windows write a byte order mark, which is no part of a name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = (1..).zip(text.lines().map(str::trim));
    let mut agents = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        if let Err(slip) = check_user_agent(line) {
            let place = format!("{}: {}:{number}", written.place, path.display());
            layers.mistakes.push(Mistake::from_slip(place, line, slip));
        }
        agents.push(line.to_owned());
    }
    if agents.is_empty() {
        let slip = Slip::new(0, "there is no user agent in this file").with_hint("write one on each line");
        layers.report(&written, slip);
        return None;
    }
    Some(agents)
}

fn check_user_agent(text: &str) -> Result<(), Slip> {
    const NAME: &str = "User-Agent: ";
    let checked = parse_header(&format!("{NAME}{text}"));
    checked.map(|_| ()).map_err(|slip| Slip { at: slip.at.saturating_sub(NAME.len()), ..slip })
}

/// User names, passwords and tokens.
pub(super) fn build_credentials(layers: &mut Layers) -> Credentials {
    let named = match layers.strongest(&["user", "bearer"]).as_slice() {
        [] => None,
        ["user"] => layers.read_hidden("user", basic),
        ["bearer"] => layers.read_hidden("bearer", bearer),
        _ => {
            let hint = "a request has one Authorization header";
            layers.mistakes.push(Mistake::new("--user", "cannot go with --bearer").with_hint(hint));
            None
        }
    };
    Credentials { named, netrc: build_netrc(layers).unwrap_or_default() }
}

fn build_netrc(layers: &mut Layers) -> Option<Netrc> {
    let wants_one = layers.switch("netrc");
    let (name, path) = match layers.path("netrc-file") {
        Some(path) => ("netrc-file", path),
        None if wants_one => match std::env::var_os("HOME").filter(|home| !home.is_empty()) {
            Some(home) => ("netrc", Path::new(&home).join(".netrc")),
            None => {
                let hint = "say which file, as in --netrc-file FILE";
                layers.mistakes.push(Mistake::new("--netrc", "there is no HOME to look in").with_hint(hint));
                return None;
            }
        },
        None => return None,
    };
    let read = read_text(&path).and_then(|text| Netrc::parse(&text).map_err(|bad| bad.to_string()));
    read.map_err(|reason| {
        let place =
            layers.value(name).map_or_else(|| format!("--{name}"), |written| written.place.to_string());
        layers.mistakes.push(Mistake::new(place, format!("{}: {reason}", path.display())));
    })
    .ok()
}

/// Far more than any file has that people write by hand.
const MOST_BYTES: u64 = 1 << 20;

/// A text file that people write by hand.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("larger than {MOST_BYTES} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    // Editors put it there, and nobody sees it.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
