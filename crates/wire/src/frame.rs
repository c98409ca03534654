//! From bytes to a parse that cannot hurt.
//!
//! The checks go from cheap to dear: size, UTF-8 (once, for the parser does not look into strings that it skips),
//! then nesting. Nesting is counted exactly only when a frame opens more brackets than the limit, which one pass
//! without branches tells; small frames, the hot ones, never pay for it. Rejected: relying on the parser's own
//! recursion limit (it skips unknown fields without recursion, hence without a limit), and parsers that recurse.

use crate::{Limits, Refused};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;

/// A frame as text, when it is within the limits on bytes, depth and number of values.
pub(crate) fn admit<'a>(frame: &'a [u8], limits: &Limits) -> Result<&'a str, Refused> {
    admit_within(frame, limits.frame_bytes_max, limits)
}

/// The answer to a REST read as text, when it is within its limits.
pub(crate) fn admit_body<'a>(body: &'a [u8], limits: &Limits) -> Result<&'a str, Refused> {
    admit_within(body, limits.body_bytes_max, limits)
}

fn admit_within<'a>(frame: &'a [u8], bytes_max: usize, limits: &Limits) -> Result<&'a str, Refused> {
    if frame.len() > bytes_max {
        return Err(Refused::TooLarge);
    }
    let text = simdutf8::basic::from_utf8(frame).map_err(|_| Refused::NotUtf8)?;
    let openers = count_openers(frame);
    if openers > limits.depth_max && depth(frame) > limits.depth_max {
        return Err(Refused::TooDeep);
    }
    if openers > limits.openers_max() {
        return Err(Refused::TooMany);
    }
    Ok(text)
}

/// Parses a whole text that is one JSON object.
pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Refused> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(serde_json::from_str::<IgnoredAny>(text).map_or(Refused::NotJson, |_| Refused::BadShape));
    }
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => Refused::BadShape,
        Category::Syntax | Category::Eof | Category::Io => Refused::NotJson,
    })
}

/// How many `[` and `{` there are, those within strings too: an upper bound of the depth.
fn count_openers(frame: &[u8]) -> usize {
    // The two differ in one bit. A byte-wide sum of at most 255 lets the compiler use whole vector registers.
    frame
        .chunks(255)
        .map(|chunk| usize::from(chunk.iter().map(|b| u8::from(b | 0x20 == b'{')).sum::<u8>()))
        .sum()
}

/// The greatest number of arrays and objects that are open at once, brackets within strings left out.
fn depth(frame: &[u8]) -> usize {
    let (mut open, mut deepest) = (0usize, 0usize);
    let mut bytes = frame.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' => open = open.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    deepest
}

/// Goes on behind the closing quote of a string.
fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
