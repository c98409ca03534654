//! Rows into bytes, in any of the formats.

use crate::ask::{Format, What};
use crate::csv::Csv;
use crate::error::ExportError;
use crate::json::Ndjson;
use crate::parquet_file::Parquet;
use crate::table::{Value, columns};
use std::io::Write;

/// Writes rows to `W`.
pub(crate) enum Encoder<W: Write + Send> {
    Csv(Csv<W>),
    Ndjson(Ndjson<W>),
    Parquet(Box<Parquet<W>>),
}

impl<W: Write + Send> Encoder<W> {
    /// An encoder of rows of a kind. `note`: what a file says of itself where the format has room for that.
    pub fn new(format: Format, what: What, note: &str, to: W) -> Result<Self, ExportError> {
        let columns = columns(what);
        Ok(match format {
            Format::Csv => Self::Csv(Csv::new(columns, to)?),
            Format::Ndjson => Self::Ndjson(Ndjson::new(columns, to)),
            Format::Parquet => Self::Parquet(Box::new(Parquet::new(columns, note, to)?)),
        })
    }

    /// Takes a row: one value for each column, in their order.
    pub fn row(&mut self, values: &[Value<'_>]) -> Result<(), ExportError> {
        match self {
            Self::Csv(csv) => csv.row(values).map_err(ExportError::Stream),
            Self::Ndjson(ndjson) => ndjson.row(values).map_err(ExportError::Stream),
            Self::Parquet(parquet) => parquet.row(values),
        }
    }

    /// Writes what is left, and gives back where it all went.
    pub fn finish(self) -> Result<W, ExportError> {
        match self {
            Self::Csv(csv) => Ok(csv.finish()),
            Self::Ndjson(ndjson) => Ok(ndjson.finish()),
            Self::Parquet(parquet) => parquet.finish(),
        }
    }
}
