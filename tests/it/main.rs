//! End-to-end tests.

mod fetch;
mod support;
