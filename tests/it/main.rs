//! End-to-end tests, by what a user would call them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::needless_pass_by_value, reason = "an assertion reads better on a value")]

/// User agents, and the choice of what is tried again.
mod agents;
/// Pages that are broken, hostile or in other character sets.
mod bad_pages;
/// Commands and job files that are wrong: all mistakes at once, and no request.
mod bad_usage;
/// What must hold at the end: exit code 4, and a line for each check that is broken.
mod checks;
/// Cookies that servers set, of the user, and of files.
mod cookies;
/// The main job: pages in, JSON Lines out.
mod crawl;
/// User names, passwords and tokens: where they go, and where they do not.
mod credentials;
/// `pagemill demo`.
mod demo;
/// The documents say what is so.
mod documents;
/// How a run ends: done, stopped, interrupted, out of time, output gone.
mod ends;
/// `pagemill extract`: saved pages.
mod extract;
/// The fetcher against every way a server can misbehave.
mod fetch;
/// Fields with types, nested ones, JSON, and how the summary tells of them.
mod fields;
/// Rules that follow links, as far as a page shows it.
mod follow;
/// Killed at any moment, and the same command again.
mod kill;
/// Which links are followed, in which order, and that it ends.
mod links;
/// Lists that have changed before a run goes on.
mod lists;
/// Methods and bodies: forms, JSON, and what redirects make of them.
mod messages;
/// Only what is new since the last run.
mod news;
/// Where records go: parts, compressed files.
mod output;
/// The pace at hosts and their robots.txt, as the server sees them.
mod politeness;
/// No output has a secret in it.
mod redaction;
/// `pagemill retry`: failed pages once more.
mod retry;
/// Sitemaps and feeds as where a crawl begins.
mod seeds;
/// What is asked for: several URLs, lists, variables, globs.
mod sources;
/// `pagemill status`: what a state tells of a run.
mod status;
mod support;
/// Full disks, damage, files that others touch, two runs at once.
mod torture;
/// `pagemill try`: one page, expressions, near misses, line by line.
mod try_page;
