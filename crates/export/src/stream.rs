//! An export into anything that takes bytes, such as the body of an answer.
//!
//! It ends whole or breaks off: there is no manifest in it, so a damaged record, which would be missing without a word,
//! ends it too.

use crate::ask::{Ask, What};
use crate::encoder::Encoder;
use crate::error::ExportError;
use crate::manifest::note;
use crate::rows;
use pipeline::{Found, Past};
use std::io::Write;
use std::ops::ControlFlow;

/// Writes all that is asked for; gives the number of rows.
///
/// # Errors
/// When the history cannot be read, a record is damaged, or the receiver takes no more. What was written is not all then.
pub fn to_stream<W: Write + Send>(past: &Past, ask: &Ask, to: W) -> Result<u64, ExportError> {
    if past.damaged() > 0 {
        return Err(ExportError::Damaged(format!("{} of those that every reading needs", past.damaged())));
    }
    let mut encoder = Encoder::new(ask.format, ask.what, &note(ask, past), to)?;
    let mut rows = 0;
    match (ask.what, &ask.only.conversation) {
        (What::Cells, _) => rows = rows::cells(ask, past, &mut encoder, |_| ())?,
        (_, Some(id)) => {
            let mut outcome = Ok(0);
            past.one(id, |found| outcome = rows_of(ask, &found, &mut encoder))?;
            rows += outcome?;
        }
        _ => {
            let mut outcome = Ok(());
            past.each(ask.range(), None, |found| match rows_of(ask, &found, &mut encoder) {
                Ok(more) => {
                    rows += more;
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    outcome = Err(error);
                    ControlFlow::Break(())
                }
            })?;
            outcome?;
        }
    }
    encoder.finish()?.flush().map_err(ExportError::Stream)?;
    Ok(rows)
}

fn rows_of<W: Write + Send>(ask: &Ask, found: &Found<'_>, to: &mut Encoder<W>) -> Result<u64, ExportError> {
    match found {
        Found::Conversation(shown) => rows::of_conversation(ask, shown, to),
        Found::Damaged(what) => Err(ExportError::Damaged(what.to_string())),
    }
}
