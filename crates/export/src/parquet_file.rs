//! Parquet: typed columns, written a row group at a time.
//!
//! Times are nanoseconds adjusted to UTC. Texts are dictionary-encoded, and a dictionary may grow to a row group's own
//! size, so that ids stay in it. A row group is written when it has enough rows, or enough bytes, whatever comes first:
//! that bounds the memory whatever the values are. Compression is LZ4_RAW, whose codec the store has already; DuckDB,
//! pandas and Spark read it.

use crate::csv::written;
use crate::error::ExportError;
use crate::table::{Column, Kind, Value};
use engine::Time;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

/// Rows of a row group: what DuckDB reads at once.
const GROUP_ROWS_MAX: usize = 122_880;
/// Bytes of texts that wait, each distinct one counted once a column.
const GROUP_BYTES_MAX: usize = 64 << 20;
/// How large a column's dictionary may grow.
const DICTIONARY_BYTES_MAX: usize = 16 << 20;
/// The key under which a file says what it is.
const NOTE_KEY: &str = "headcount";

/// Writes row groups.
pub(crate) struct Parquet<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Vec<Waiting>,
    rows: usize,
    bytes: usize,
    text: Vec<u8>,
}

/// The values of one column that wait to be written.
struct Waiting {
    nullable: bool,
    /// Which rows have a value (1) and which have none (0), of a nullable one.
    defined: Vec<i16>,
    values: Values,
}

enum Values {
    Texts { values: Vec<ByteArray>, known: HashMap<Box<[u8]>, ByteArray> },
    Numbers(Vec<i64>),
    Flags(Vec<bool>),
}

impl<W: Write + Send> Parquet<W> {
    pub fn new(columns: &[Column], note: &str, to: W) -> Result<Self, ExportError> {
        let fields = columns.iter().map(|column| Ok(Arc::new(field(column)?)));
        let fields = fields.collect::<Result<Vec<_>, ExportError>>()?;
        let schema = Type::group_type_builder("headcount").with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .set_created_by(concat!("headcount version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_key_value_metadata(Some(vec![KeyValue::new(NOTE_KEY.to_owned(), note.to_owned())]))
            .build();
        let file = SerializedFileWriter::new(to, Arc::new(schema), Arc::new(properties))?;
        let columns = columns.iter().map(Waiting::of).collect();
        Ok(Self { file, columns, rows: 0, bytes: 0, text: Vec::new() })
    }

    pub fn row(&mut self, values: &[Value<'_>]) -> Result<(), ExportError> {
        if values.len() != self.columns.len() {
            return Err(ExportError::Encode("a row has another number of values than columns".to_owned()));
        }
        for (column, value) in self.columns.iter_mut().zip(values) {
            self.bytes += column.take(value, &mut self.text)?;
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS_MAX || self.bytes >= GROUP_BYTES_MAX {
            self.write_group()?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<W, ExportError> {
        if self.rows > 0 {
            self.write_group()?;
        }
        Ok(self.file.into_inner()?)
    }

    fn write_group(&mut self) -> Result<(), ExportError> {
        let mut group = self.file.next_row_group()?;
        for waiting in &mut self.columns {
            let Some(mut column) = group.next_column()? else {
                return Err(ExportError::Encode("a column is missing".to_owned()));
            };
            let defined = waiting.nullable.then_some(waiting.defined.as_slice());
            match &waiting.values {
                Values::Texts { values, .. } => {
                    column.typed::<ByteArrayType>().write_batch(values, defined, None)?
                }
                Values::Numbers(values) => column.typed::<Int64Type>().write_batch(values, defined, None)?,
                Values::Flags(values) => column.typed::<BoolType>().write_batch(values, defined, None)?,
            };
            column.close()?;
            waiting.clear();
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl Waiting {
    fn of(column: &Column) -> Self {
        let values = match column.kind {
            Kind::Text | Kind::Clock => Values::Texts { values: Vec::new(), known: HashMap::new() },
            Kind::Time | Kind::Integer => Values::Numbers(Vec::new()),
            Kind::Flag => Values::Flags(Vec::new()),
        };
        Self { nullable: column.nullable, defined: Vec::new(), values }
    }

    /// Takes a value; how many bytes more wait.
    fn take(&mut self, value: &Value<'_>, text: &mut Vec<u8>) -> Result<usize, ExportError> {
        let absent = matches!(value, Value::Null);
        if self.nullable {
            self.defined.push(i16::from(!absent));
        }
        match (&mut self.values, value) {
            (_, Value::Null) if self.nullable => Ok(0),
            (Values::Numbers(numbers), Value::Integer(number) | Value::Time(Time { nanos: number, .. })) => {
                numbers.push(*number);
                Ok(0)
            }
            (Values::Flags(flags), Value::Flag(flag)) => {
                flags.push(*flag);
                Ok(0)
            }
            (Values::Texts { values, known }, _) if !absent => {
                text.clear();
                written(value, text).map_err(ExportError::Stream)?;
                Ok(push_text(values, known, text))
            }
            _ => Err(ExportError::Encode(format!("{value:?} is not of its column"))),
        }
    }

    fn clear(&mut self) {
        self.defined.clear();
        match &mut self.values {
            Values::Texts { values, known } => {
                values.clear();
                known.clear();
            }
            Values::Numbers(numbers) => numbers.clear(),
            Values::Flags(flags) => flags.clear(),
        }
    }
}

/// Texts that come again share their bytes. Mostly it is the one before.
fn push_text(values: &mut Vec<ByteArray>, known: &mut HashMap<Box<[u8]>, ByteArray>, text: &[u8]) -> usize {
    let last = values.last().filter(|last| last.data() == text);
    if let Some(same) = last.or_else(|| known.get(text)).cloned() {
        values.push(same);
        return size_of::<ByteArray>();
    }
    let value = ByteArray::from(text.to_vec());
    known.insert(text.into(), value.clone());
    values.push(value);
    2 * (text.len() + size_of::<ByteArray>())
}

fn field(column: &Column) -> Result<Type, ExportError> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Clock => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        Kind::Time => {
            let instant = LogicalType::timestamp(true, TimeUnit::NANOS);
            (Physical::INT64, Some(instant))
        }
        Kind::Integer => (Physical::INT64, None),
        Kind::Flag => (Physical::BOOLEAN, None),
    };
    let repetition = if column.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let field = Type::primitive_type_builder(column.name, physical);
    Ok(field.with_repetition(repetition).with_logical_type(logical).build()?)
}
