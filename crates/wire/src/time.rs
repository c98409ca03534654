//! Times as the platform writes them.
//!
//! Nearly all are `YYYY-MM-DDTHH:MM:SS.mmmZ`, at several in a frame, so that one shape has a path by hand (13 ns
//! against 37); everything else that RFC 3339 allows, offsets first of all, goes to jiff. Both keep the number of
//! fraction digits, so that an answer shows a time as its source wrote it. Rejected: a calendar library for the hot
//! shape, and a calendar of our own for the rest.

use engine::{SECOND, Time};

/// The longest text that is tried: the longest RFC 3339 time has 35 bytes.
const TEXT_BYTES_MAX: usize = 40;

const DAY_SECONDS: i64 = 86_400;

/// Reads an RFC 3339 time with at most nine fraction digits; none when it is no such time, or is outside the years
/// 1678 to 2261 that nanoseconds in 64 bits span.
#[must_use]
pub fn parse_time(text: &str) -> Option<Time> {
    parse_zulu(text.as_bytes()).or_else(|| parse_any(text))
}

/// Writes RFC 3339 in UTC with a `Z` and as many fraction digits as the source gave; digits beyond are cut.
#[must_use]
pub fn format_time(time: Time) -> String {
    let (seconds, nanos) = (time.nanos.div_euclid(SECOND), time.nanos.rem_euclid(SECOND));
    let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
    let second = seconds.rem_euclid(DAY_SECONDS);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    let digits = u32::from(time.digits.min(9));
    if digits > 0 {
        let fraction = nanos / 10_i64.pow(9 - digits);
        text.push_str(&format!(".{fraction:0width$}", width = digits as usize));
    }
    text.push('Z');
    text
}

/// `YYYY-MM-DDTHH:MM:SSZ`, with a fraction of one to nine digits or none.
fn parse_zulu(text: &[u8]) -> Option<Time> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, rest @ ..] =
        text
    else {
        return None;
    };
    let two = |a: &u8, b: &u8| Some(digit(*a)? * 10 + digit(*b)?);
    let year = two(y0, y1)? * 100 + two(y2, y3)?;
    let (month, day) = (two(m0, m1)?, two(d0, d1)?);
    let (hour, minute, second) = (two(h0, h1)?, two(n0, n1)?, two(s0, s1)?);
    if !(1..=12).contains(&month) || !(1..=month_days(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, digits) = parse_fraction(rest)?;
    let seconds = days(year, month, day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second;
    Some(Time { nanos: seconds.checked_mul(SECOND)?.checked_add(fraction)?, digits })
}

/// Nanoseconds and number of digits of `Z`, or of `.` with one to nine digits and `Z`.
fn parse_fraction(rest: &[u8]) -> Option<(i64, u8)> {
    let digits = match rest {
        [b'Z'] => return Some((0, 0)),
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => digits,
        _ => return None,
    };
    let mut fraction = 0;
    for byte in digits {
        fraction = fraction * 10 + digit(*byte)?;
    }
    let count = u8::try_from(digits.len()).ok()?;
    Some((fraction * 10_i64.pow(9 - u32::from(count)), count))
}

/// Any other spelling with an offset.
fn parse_any(text: &str) -> Option<Time> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    let nanos = i64::try_from(timestamp.as_nanosecond()).ok()?;
    let fraction = text.split(['.', ',']).nth(1).unwrap_or_default();
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    Some(Time { nanos, digits: u8::try_from(digits).unwrap_or(9).min(9) })
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, in the proleptic Gregorian calendar. Years begin in March, which puts the leap day last and
/// makes the months' lengths a straight line (153 days in every five).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day since 1970-01-01: the inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests;
