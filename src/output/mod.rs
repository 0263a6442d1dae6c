//! Records on their way out: [`jsonl`] writes whole lines, [`reorder`] brings outcomes back into the order of the
//! source.
//!
//! Knows nothing of pages or rules. Used by one thread only, the conductor.

mod destination;
pub mod jsonl;
mod mark;
mod position;
pub mod reorder;

pub use destination::{OutputError, Target, check_target};
pub use jsonl::JsonLines;
pub use mark::Mark;
pub use position::{End, Position};
pub use reorder::Reorder;
