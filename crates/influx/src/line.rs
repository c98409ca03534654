//! Line protocol: one point a line (`measurement,tag=value field=value time`).
//!
//! Whatever an id or a word holds, it cannot end a value, a line or a point: what the protocol gives a meaning is escaped,
//! and what it cannot carry at all (line ends, a backslash before a separator) is replaced. Empty tags do not exist in the
//! protocol and are left out. Source: the "line protocol" reference of InfluxDB 1.8, 2.7 and 3.

use std::fmt::Write;

/// A line that is being put together: measurement and tags first, then fields.
#[derive(Debug)]
pub(crate) struct Line {
    text: String,
    series_bytes: usize,
}

impl Line {
    /// A line of a measurement, which is one of our own names.
    pub fn of(measurement: &str) -> Self {
        Self { text: measurement.to_owned(), series_bytes: 0 }
    }

    /// Adds a tag, unless it is empty. All tags come before the first field.
    pub fn tag(mut self, key: &str, value: Option<impl AsRef<str>>) -> Self {
        if let Some(value) = value.as_ref().map(AsRef::as_ref).filter(|value| !value.is_empty()) {
            self.text.push(',');
            self.text.push_str(key);
            self.text.push('=');
            push_tag(&mut self.text, value);
        }
        self
    }

    /// Ends the tags: what stands so far names the series.
    pub fn fields(mut self) -> Self {
        self.series_bytes = self.text.len();
        self
    }

    /// Adds a whole number.
    pub fn integer(self, key: &str, value: u64) -> Self {
        self.signed(key, i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// Adds a whole number that may be negative.
    pub fn signed(mut self, key: &str, value: i64) -> Self {
        let separator = self.separator();
        let _infallible = write!(self.text, "{separator}{key}={value}i");
        self
    }

    /// Adds a text, unless there is none.
    pub fn string(mut self, key: &str, value: Option<impl AsRef<str>>) -> Self {
        if let Some(value) = value {
            let separator = self.separator();
            let _infallible = write!(self.text, "{separator}{key}=\"");
            push_string(&mut self.text, value.as_ref());
            self.text.push('"');
        }
        self
    }

    fn separator(&self) -> char {
        if self.text.len() == self.series_bytes { ' ' } else { ',' }
    }

    /// Measurement and tags.
    pub fn series(&self) -> &str {
        self.text.get(..self.series_bytes).unwrap_or(&self.text)
    }

    /// All but the time.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole line, without its end; `time` in nanoseconds since the epoch.
    pub fn at(&self, time: i64) -> String {
        format!("{} {time}", self.text)
    }
}

/// The tags of a series, as [`Line::series`] gave it, with the values as they were before they were escaped.
pub(crate) fn tags(series: &str) -> Vec<(String, String)> {
    let mut parts = vec![String::new()];
    let mut characters = series.chars();
    while let Some(c) = characters.next() {
        let escaped = if c == '\\' { characters.next() } else { None };
        match (c, escaped, parts.last_mut()) {
            (_, Some(escaped), Some(part)) => part.push(escaped),
            (',', None, _) => parts.push(String::new()),
            (c, None, Some(part)) => part.push(c),
            _ => {}
        }
    }
    let tags = parts.iter().skip(1).filter_map(|part| part.split_once('='));
    tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn push_tag(to: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            ',' | '=' | ' ' => to.extend(['\\', c]),
            // A backslash before a separator, or at the end, would take its meaning away.
            '\\' => to.push('/'),
            c if c.is_control() => to.push('_'),
            c => to.push(c),
        }
    }
}

fn push_string(to: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '"' | '\\' => to.extend(['\\', c]),
            c if c.is_control() => to.push('_'),
            c => to.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
