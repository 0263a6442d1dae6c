//! What the job says about which links are followed, and in which order.

use regex::Regex;

use super::layers::Layers;
use crate::extract::convert::parse_pattern;
use crate::frontier::{FollowPolicy, Order, Spill};
use crate::mistake::{Mistake, Slip};
use crate::scope::ScopePolicy;

/// More steps than this from the first pages is a slip of the finger.
const DEEPEST: u64 = 1_000_000;

/// How links are followed; `None` after a mistake.
pub(super) fn build(layers: &mut Layers, ordered: bool) -> Option<FollowPolicy> {
    let order = layers.read("order", |text| match text {
        "breadth" => Ok(Order::Breadth),
        "depth" => Ok(Order::Depth),
        "priority" => Ok(Order::Priority),
        _ => Err(Slip::new(0, "unknown order").with_hint("breadth, depth or priority")),
    });
    if ordered && matches!(order, Some(Order::Depth | Order::Priority)) {
        // What is found first would wait for what is found last.
        let hint = "leave --ordered out, or follow links breadth first";
        layers.mistakes.push(Mistake::new("--ordered", "goes with --order breadth only").with_hint(hint));
    }
    let spill = match layers.path("spill-dir") {
        Some(folder) => {
            if !folder.is_dir() {
                let written = layers.value("spill-dir").expect("it was just read");
                layers.report(&written, Slip::new(0, "there is no such folder").with_hint("make it first"));
            }
            Spill { folder, ..Spill::default() }
        }
        None => Spill::default(),
    };
    let domains = build_domains(layers);
    let accept = build_patterns(layers, "accept-regex");
    let reject = build_patterns(layers, "reject-regex");
    let max_depth = layers.count("level", 0, DEEPEST).and_then(|depth| u32::try_from(depth).ok());
    let max_per_shape = layers.count("max-per-shape", 1, u64::MAX);
    let scope = ScopePolicy {
        domains,
        accept,
        reject,
        max_depth,
        no_parent: layers.switch("no-parent"),
        sort_query: layers.switch("sort-query"),
        max_per_shape: max_per_shape?,
    };
    Some(FollowPolicy { scope, order: order?, ordered, spill })
}

fn build_domains(layers: &mut Layers) -> Vec<String> {
    let mut domains = Vec::new();
    for written in layers.list("domains") {
        // `--domains a.com,b.com` as wget has it.
        for name in written.text.split(',') {
            match url::Host::parse(name.trim()) {
                Ok(host) => domains.push(host.to_string()),
                Err(error) => {
                    let hint = "a name without scheme, port and path, like example.com";
                    layers.report(&written, Slip::new(0, error.to_string()).with_hint(hint));
                }
            }
        }
    }
    domains
}

fn build_patterns(layers: &mut Layers, name: &str) -> Vec<Regex> {
    let mut patterns = Vec::new();
    for written in layers.list(name) {
        match parse_pattern(&written.text) {
            Ok(pattern) => patterns.push(pattern),
            Err(slip) => layers.report(&written, slip),
        }
    }
    patterns
}
