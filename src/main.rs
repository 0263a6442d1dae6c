//! The `pagemill` command: parse, run, exit code.

use std::process::ExitCode;

use pagemill::{cli, commands};

/// A page is many small allocations; see docs/performance.md for what this one saves.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::run(cli::parse())
}
