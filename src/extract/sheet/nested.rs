//! Objects, and lists of objects, inside of records.

use super::{Cell, Context, Fate, Found, Sheet, Wanted};
use crate::extract::ExtractError;
use crate::extract::plan::{Column, Search};
use crate::model::FieldTally;

impl<'d> Sheet<'d> {
    /// The object at the first thing found, or where the record is seen from; `null` without one.
    pub(super) fn write_nested(
        &self,
        column: &Column,
        search: Option<&Search>,
        columns: &[Column],
        context: Context<'_>,
        line: &mut Vec<u8>,
        tallies: &mut [FieldTally],
    ) -> Result<Cell, ExtractError> {
        let start = line.len();
        let mut is_written = false;
        let mut write = |context: Context<'_>| {
            is_written = self.write_object(columns, context, line, tallies)?;
            line.push(b'}');
            Ok(false)
        };
        let mut has_broken = false;
        match search {
            None => {
                write(context)?;
            }
            Some(search) => {
                has_broken =
                    self.search(column, search, context, Wanted::First, &mut |found| match found {
                        Found::Nodes(nodes) => match nodes.first() {
                            Some(&node) => write(Context::Markup(node)),
                            None => Ok(true),
                        },
                        Found::Values(values) => match values.first() {
                            Some(json) => write(Context::Json(json)),
                            None => Ok(true),
                        },
                        _ => Ok(true),
                    })?;
            }
        }
        if is_written {
            return Ok(Cell::filled());
        }
        let is_wrong = has_broken && line.len() == start;
        line.truncate(start);
        line.extend_from_slice(b"null");
        Ok(Cell { fate: if is_wrong { Fate::WrongType } else { Fate::Empty }, is_missing: true })
    }

    pub(super) fn write_list(
        &self,
        column: &Column,
        search: &Search,
        columns: &[Column],
        context: Context<'_>,
        line: &mut Vec<u8>,
        tallies: &mut [FieldTally],
    ) -> Result<Cell, ExtractError> {
        line.push(b'[');
        let start = line.len();
        let mut write = |context: Context<'_>| -> Result<(), ExtractError> {
            let before = line.len();
            if before > start {
                line.push(b',');
            }
            if self.write_object(columns, context, line, tallies)? {
                line.push(b'}');
            } else {
                line.truncate(before);
            }
            self.check_size(column, line)
        };
        let has_broken = self.search(column, search, context, Wanted::All, &mut |found| {
            match found {
                Found::Nodes(nodes) => {
                    for node in nodes {
                        write(Context::Markup(node))?;
                    }
                }
                Found::Values(values) => {
                    for json in values {
                        write(Context::Json(json))?;
                    }
                }
                _ => {}
            }
            Ok(true)
        })?;
        let is_missing = line.len() == start;
        line.push(b']');
        let fate = match (is_missing, has_broken) {
            (false, _) => Fate::Filled,
            (true, true) => Fate::WrongType,
            (true, false) => Fate::Empty,
        };
        Ok(Cell { fate, is_missing })
    }
}
