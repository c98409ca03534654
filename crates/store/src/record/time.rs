//! Instants as distances from one that is near.
//!
//! Sources write milliseconds, our clock nanoseconds; the two lie seconds apart. So a time is stored as its number of
//! fraction digits and its distance from a base in the unit that these digits give: three bytes for a source's
//! milliseconds instead of nine. Rejected: nanoseconds only, which would forget how the source wrote it.

use super::bytes::{Malformed, Reader, put_signed};
use engine::Time;

/// The nanoseconds are finer than the digits say.
const FINER: u8 = 0x10;
/// The most fraction digits.
const DIGITS_MAX: u8 = 9;

/// Appends a time, near to `base` nanoseconds since the epoch.
pub(crate) fn put_time(out: &mut Vec<u8>, time: Time, base: i64) {
    let digits = time.digits.min(DIGITS_MAX);
    let unit = unit(digits);
    let (code, unit) = if time.nanos % unit == 0 { (digits, unit) } else { (digits | FINER, 1) };
    out.push(code);
    put_signed(out, (time.nanos / unit).wrapping_sub(base.div_euclid(unit)));
}

/// Takes a time that was put with the same base.
pub(crate) fn take_time(from: &mut Reader<'_>, base: i64) -> Result<Time, Malformed> {
    let code = from.byte()?;
    let digits = code & !FINER;
    if digits > DIGITS_MAX {
        return Err(Malformed("a time of more than nine digits"));
    }
    let unit = if code & FINER == 0 { unit(digits) } else { 1 };
    let count = from.signed()?.wrapping_add(base.div_euclid(unit));
    let nanos = count.checked_mul(unit).ok_or(Malformed("a time out of range"))?;
    Ok(Time { nanos, digits })
}

/// Nanoseconds in the last of so many fraction digits, 0 to 9.
fn unit(digits: u8) -> i64 {
    10_i64.pow(u32::from(DIGITS_MAX - digits))
}

#[cfg(test)]
mod tests;
