//! What is written comes back, whatever it holds.

use super::*;
use crate::table::Kind;
use engine::{FactId, Id, Time, Word};

const NAMES: [&str; 3] = ["a", "b", "c"];

fn csv(rows: &[[Value<'_>; 3]]) -> String {
    let columns = NAMES.map(|name| Column { name, kind: Kind::Text, nullable: true });
    let mut csv = Csv::new(&columns, Vec::new()).unwrap();
    rows.iter().for_each(|row| csv.row(row).unwrap());
    String::from_utf8(csv.finish()).unwrap()
}

/// The fields of one line that holds no line break, by the grammar of RFC 4180.
fn fields(record: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = record.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    assert!(!quoted, "{record}");
    fields.push(field);
    fields
}

#[test]
fn records_end_as_the_rfc_says_and_absent_is_empty() {
    let id = Id::new("x").unwrap();
    let time = Time { nanos: 1_767_268_800_120_000_000, digits: 3 };
    let rows = [
        [Value::Id(&id), Value::Null, Value::Time(time)],
        [Value::Flag(true), Value::Integer(-7), Value::Fact(FactId(255))],
    ];
    let hex = format!("{:032x}", 255);
    assert_eq!(csv(&rows), format!("a,b,c\r\nx,,2026-01-01T12:00:00.120Z\r\ntrue,-7,{hex}\r\n"));
}

#[test]
fn what_would_end_a_field_is_quoted() {
    let hostile =
        ["a,b", "say \"hi\"", "\"", ",", " leading", "trailing ", "=1+1", "é,€", "''", "a\"\"b", "\"\","];
    for text in hostile {
        let written = csv(&[[Value::Text(text), Value::Null, Value::Text("z")]]);
        let record = written.lines().nth(1).unwrap();
        assert_eq!(fields(record), [text, "", "z"], "{record}");
    }
    let broken = csv(&[[Value::Text("two\r\nlines"), Value::Null, Value::Null]]);
    assert_eq!(broken, "a,b,c\r\n\"two\r\nlines\",,\r\n");
}

#[test]
fn a_clock_is_json_within_a_field() {
    let word = |text| Word::new(text).unwrap();
    let clock = [(word("use1"), 9), (word("a\"b"), u64::MAX)];
    let written = csv(&[[Value::Clock(&clock), Value::Clock(&[]), Value::Null]]);
    let found = fields(written.lines().nth(1).unwrap());
    let read: serde_json::Value = serde_json::from_str(&found[0]).unwrap();
    assert_eq!(read, serde_json::json!({"use1": 9, "a\"b": u64::MAX}));
    assert_eq!(found[1], "{}");
}
