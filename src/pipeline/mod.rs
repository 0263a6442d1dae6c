//! The pipeline.

use crate::{stop, sync};

pub mod conductor;
#[cfg(test)]
mod modelled;
pub mod threads;
