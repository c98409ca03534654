//! Options, and what is wrong with them.

use super::*;
use clap::Parser;

fn options(args: &[&str]) -> ExportOptions {
    let args = [&["headcount", "export"], args].concat();
    match crate::cli::Cli::try_parse_from(args).unwrap().command {
        crate::cli::Command::Export(options) => *options,
        other => panic!("{other:?}"),
    }
}

fn asked(args: &[&str]) -> Result<Ask, String> {
    ask(&options(args))
}

#[test]
fn the_format_is_what_the_file_ends_in() {
    assert_eq!(asked(&["spells", "--out", "a.csv"]).unwrap().format, Format::Csv);
    assert_eq!(asked(&["spells", "--out", "a"]).unwrap().format, Format::Parquet);
    assert_eq!(asked(&["spells", "--out", "a", "--format", "ndjson"]).unwrap().format, Format::Ndjson);
    assert!(asked(&["spells", "--out", "a.csv", "--format", "ndjson"]).unwrap_err().contains("--out"));
}

#[test]
fn a_day_is_its_first_instant_in_utc() {
    let ask = asked(&["cells", "--out", "a", "--from", "1970-01-02", "--to", "1970-01-02T01:00:00+01:00"]);
    assert!(ask.unwrap_err().contains("--from"));
    let ask =
        asked(&["cells", "--out", "a", "--from", "1970-01-02", "--to", "1970-01-02T00:00:01Z"]).unwrap();
    assert_eq!((ask.from, ask.to), (Some(86_400_000_000_000), Some(86_401_000_000_000)));
    for wrong in ["yesterday", "2026-05-04T09:17:00", "2026-13-01", ""] {
        assert!(asked(&["cells", "--out", "a", "--from", wrong]).unwrap_err().contains("--from"), "{wrong}");
    }
}

#[test]
fn a_filter_that_makes_no_sense_is_refused_by_name() {
    let wrong = asked(&["cells", "--out", "a", "--queue", "q"]).unwrap_err();
    assert!(wrong.contains("--queue") && wrong.contains("changes"), "{wrong}");
    let wrong = asked(&["facts", "--out", "a", "--role", "agent"]).unwrap_err();
    assert!(wrong.contains("--role"), "{wrong}");
    assert!(asked(&["facts", "--out", "a", "--conversation", "c"]).is_ok());
    assert!(asked(&["spells", "--out", "a", "--user", ""]).unwrap_err().contains("--user"));
    let long = "x".repeat(WORD_BYTES_MAX + 1);
    assert!(asked(&["spells", "--out", "a", "--medium", &long]).unwrap_err().contains("--medium"));
    let ask = asked(&["spells", "--out", "a", "--role", "Agent", "--medium", "internalMessage"]).unwrap();
    assert_eq!(ask.only.role, Word::new("agent"));
    assert_eq!(ask.only.medium, Word::new("internalMessage"));
}
