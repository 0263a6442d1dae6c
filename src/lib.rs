//! pagemill turns a web site into JSON Lines.
//!
//! # The way of one page
//!
//! ```text
//!  source ─▶ frontier ──(requests, bounded)──▶ crawl threads ──(pages, bounded)──▶ parser threads
//!               ▲                                                                       │
//!               └────────────── conductor ◀──────────(outcomes, bounded)────────────────┘
//!                                  │
//!                                  └──▶ JSON Lines, progress, summary
//! ```
//!
//! 1. The conductor asks the [`frontier`] for the next request that may go out now, and offers it on the request
//!    channel.
//! 2. A crawl thread fetches it ([`fetch`]): one call under time and size limits. What failed is not slept through
//!    here; it goes on as a failed page, and the frontier hands the request out again when it is due.
//! 3. The page goes down the page channel. A full channel slows the crawl.
//! 4. A parser thread makes a document of the bytes ([`html`]) and evaluates the rule's `XPath`s on it
//!    ([`extract`]).
//! 5. The conductor writes whole lines ([`output`]), settles the request in the frontier, and counts.
//!
//! Imports point down only: `main` ▸ [`commands`] ▸ [`pipeline`] ▸ [`job`] ▸ the leaves ▸ [`model`].

pub mod check;
pub mod cli;
pub mod commands;
pub mod config;
pub mod demo;
pub mod digest;
pub mod extract;
pub mod fetch;
mod folders;
pub mod frontier;
pub mod html;
pub mod job;
pub mod memory;
pub mod message;
pub mod mistake;
pub mod model;
pub mod nearly;
pub mod output;
pub mod pipeline;
pub mod progress;
pub mod robots;
pub mod scope;
pub mod settings;
pub mod shell;
pub mod signals;
pub mod source;
pub mod spelling;
pub mod state;
pub mod stop;
#[cfg(test)]
mod stop_tests;
pub mod summary;
mod sync;
mod wire;
pub mod written;
