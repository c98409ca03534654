//! Line protocol as a server reads it: a line it cannot take is told with the reason.

use std::collections::BTreeMap;

/// A line: series, fields, time; or what is wrong with it.
pub fn parse(line: &str) -> Result<(String, BTreeMap<String, String>, i64), &'static str> {
    let mut parts = split(line, ' ').into_iter();
    let (series, fields, time) = (parts.next(), parts.next(), parts.next());
    let (Some(series), Some(fields), Some(time), None) = (series, fields, time, parts.next()) else {
        return Err("a line has three parts");
    };
    for tag in split(&series, ',').iter().skip(1) {
        let pair = split(tag, '=');
        if pair.len() != 2 || pair.iter().any(String::is_empty) {
            return Err("missing tag value");
        }
    }
    let mut found = BTreeMap::new();
    for field in split(&fields, ',') {
        let (key, value) = field.split_once('=').ok_or("missing field value")?;
        let right = match key {
            "vector_clock" | "events" | "revision" | "weight" => {
                value.strip_suffix('i').is_some_and(|n| n.parse::<i64>().is_ok())
            }
            _ => value.len() >= 2 && value.starts_with('"') && value.ends_with('"'),
        };
        if !right || found.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err("invalid field");
        }
    }
    let time: i64 = time.parse().map_err(|_| "bad timestamp")?;
    Ok((series, found, time))
}

/// Splits where the separator is neither escaped nor quoted.
pub fn split(text: &str, at: char) -> Vec<String> {
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in text.chars() {
        if c == at && !quoted && !escaped {
            parts.push(String::new());
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        parts.last_mut().unwrap().push(c);
    }
    parts
}
