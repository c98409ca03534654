//! CSV as RFC 4180 has it: a header, CRLF at the end of each record, quotes where a value needs them.

use crate::json::clock_json;
use crate::table::{Column, Value};
use crate::times::Written;
use std::io::{self, Write};

/// Writes records.
pub(crate) struct Csv<W> {
    to: W,
    line: Vec<u8>,
    text: Vec<u8>,
}

impl<W: Write> Csv<W> {
    pub fn new(columns: &[Column], to: W) -> Result<Self, crate::ExportError> {
        let mut csv = Self { to, line: Vec::new(), text: Vec::new() };
        let names: Vec<Value<'_>> = columns.iter().map(|column| Value::Text(column.name)).collect();
        csv.row(&names).map_err(crate::ExportError::Stream)?;
        Ok(csv)
    }

    pub fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        self.line.clear();
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.line.push(b',');
            }
            self.text.clear();
            written(value, &mut self.text)?;
            quoted(&self.text, &mut self.line);
        }
        self.line.extend_from_slice(b"\r\n");
        self.to.write_all(&self.line)
    }

    pub fn finish(self) -> W {
        self.to
    }
}

/// A value as text; absent is nothing.
pub(crate) fn written(value: &Value<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    match value {
        Value::Null => Ok(()),
        Value::Id(id) => write!(out, "{id}"),
        Value::Text(text) => out.write_all(text.as_bytes()),
        Value::Fact(fact) => write!(out, "{:032x}", fact.0),
        Value::Time(time) => write!(out, "{}", Written(*time)),
        Value::Integer(number) => write!(out, "{number}"),
        Value::Flag(flag) => write!(out, "{flag}"),
        Value::Clock(clock) => clock_json(clock, out),
    }
}

/// A field, in quotes where it holds what would end it. One that begins or ends with a space is quoted too: some readers
/// trim.
fn quoted(text: &[u8], line: &mut Vec<u8>) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    let spaced = text.first() == Some(&b' ') || text.last() == Some(&b' ');
    if !spaced && !text.iter().any(special) {
        return line.extend_from_slice(text);
    }
    line.push(b'"');
    for byte in text {
        if *byte == b'"' {
            line.push(b'"');
        }
        line.push(*byte);
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests;
