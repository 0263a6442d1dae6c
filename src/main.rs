//! The `pagemill` command.

fn main() {}
