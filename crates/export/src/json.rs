//! NDJSON: one object a line, with the API's names and every column in it.

use crate::csv::written;
use crate::table::{Column, Value};
use engine::Word;
use std::io::{self, Write};

/// Writes objects.
pub(crate) struct Ndjson<W> {
    columns: &'static [Column],
    to: W,
    line: Vec<u8>,
    text: Vec<u8>,
}

impl<W: Write> Ndjson<W> {
    pub fn new(columns: &'static [Column], to: W) -> Self {
        Self { columns, to, line: Vec::new(), text: Vec::new() }
    }

    pub fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        self.line.clear();
        let mut before = b'{';
        for (column, value) in self.columns.iter().zip(values) {
            self.line.push(before);
            before = b',';
            write!(self.line, "\"{}\":", column.name)?;
            self.value(value)?;
        }
        self.line.extend_from_slice(b"}\n");
        self.to.write_all(&self.line)
    }

    fn value(&mut self, value: &Value<'_>) -> io::Result<()> {
        match value {
            Value::Null => self.line.write_all(b"null"),
            Value::Integer(_) | Value::Flag(_) | Value::Clock(_) => written(value, &mut self.line),
            Value::Text(text) => Ok(serde_json::to_writer(&mut self.line, text)?),
            Value::Id(_) | Value::Fact(_) | Value::Time(_) => {
                self.text.clear();
                written(value, &mut self.text)?;
                let text = std::str::from_utf8(&self.text).map_err(io::Error::other)?;
                Ok(serde_json::to_writer(&mut self.line, text)?)
            }
        }
    }

    pub fn finish(self) -> W {
        self.to
    }
}

/// A clock as a JSON object of counters.
pub(crate) fn clock_json(clock: &[(Word, u64)], out: &mut Vec<u8>) -> io::Result<()> {
    let mut before = b'{';
    if clock.is_empty() {
        out.push(before);
    }
    for (region, counter) in clock {
        out.push(before);
        before = b',';
        serde_json::to_writer(&mut *out, region.as_str())?;
        write!(out, ":{counter}")?;
    }
    out.push(b'}');
    Ok(())
}
