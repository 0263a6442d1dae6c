//! End-to-end tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::needless_pass_by_value, reason = "an assertion reads better on a value")]

mod fetch;
mod support;
