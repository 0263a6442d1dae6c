//! Records on their way out: [`jsonl`] writes whole lines, [`reorder`] brings outcomes back into the order of the
//! source.
//!
//! A [`Position`] is how far the output has come, a [`Mark`] brings it to the disk, `note` tells after a kill what is ours,
//! and `resume` goes on from there. Knows nothing of pages or rules. Used by one thread only, the conductor; but a
//! mark goes where it is waited for.

mod compress;
mod destination;
mod error;
pub mod jsonl;
mod mark;
mod note;
mod parts;
mod position;
pub mod reorder;
mod resume;
mod sink;

pub use compress::Compression;
pub use destination::{Parts, Target, check_target};
pub use error::OutputError;
pub use jsonl::JsonLines;
pub use mark::Mark;
pub use parts::{PartNames, names_parts};
pub use position::{End, Position};
pub use reorder::Reorder;
