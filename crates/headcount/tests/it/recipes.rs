//! `docs/recipes.md`, block by block, with the real tools; and their sums against the truth.

use crate::export::{export, folder_of};
use crate::history;
use crate::outside::installed;
use crate::program::Program;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Runs a block of SQL, and prints its rows as JSON.
const SQL: &str = "import duckdb, json, sys
rows = duckdb.sql(sys.argv[1])
names = rows.columns
print(json.dumps([dict(zip(names, row)) for row in rows.fetchall()], default=str))";

/// What DuckDB finds in an export, and which types.
const SUMS: &str = r#"import duckdb, json
rows = duckdb.sql("""SELECT "queueId", role, state, count(*), sum(epoch_ns("to") - epoch_ns("from"))::BIGINT
    FROM 'spells/*.parquet' GROUP BY ALL""").fetchall()
all = duckdb.sql("FROM 'spells/*.parquet'")
types = dict(zip(all.columns, map(str, all.types)))
encoded = duckdb.sql("""SELECT DISTINCT path_in_schema FROM parquet_metadata('spells/*.parquet')
    WHERE encodings LIKE '%RLE_DICTIONARY%'""").fetchall()
print(json.dumps({"rows": rows, "types": types, "encoded": [name for (name,) in encoded]}))"#;

struct Block {
    language: String,
    text: String,
}

/// The blocks of the page, in their order.
fn blocks() -> Vec<Block> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recipes.md");
    let page = std::fs::read_to_string(page).unwrap();
    let fenced = page.split("```").skip(1).step_by(2);
    let block = |fenced: &str| {
        let (language, text) = fenced.split_once('\n').unwrap();
        Block { language: language.to_owned(), text: text.to_owned() }
    };
    fenced.map(block).collect()
}

fn run(command: &mut Command, what: &str) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{what}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn every_recipe_works() {
    let Some(python) = installed("HEADCOUNT_PYTHON", "the recipes, with DuckDB and pandas") else { return };
    let place = tempfile::tempdir().unwrap();
    let truth = history::make(&place.path().join("data"), 3_000);
    let demo = Program::start(&["demo", "--listen", "127.0.0.1:0"], &[]);
    let page = demo.wait_for("the page", Duration::from_secs(10));
    let address = page.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
    let path = format!("{}:{}", folder_of(env!("CARGO_BIN_EXE_headcount")), std::env::var("PATH").unwrap());
    let blocks = blocks();
    let mut answers = Vec::new();
    for Block { language, text } in &blocks {
        let mut command = match language.as_str() {
            "sh" | "sh curl" => Command::new("sh"),
            "python" | "sql" => Command::new(&python),
            other => panic!("nobody knows how to run a block of {other:?}"),
        };
        match language.as_str() {
            "sh curl" => command.args(["-ec", &text.replace("127.0.0.1:8080", &address)]),
            "sh" => command.args(["-ec", text]),
            "sql" => command.args(["-c", SQL, text]),
            _ => command.args(["-c", text]),
        };
        command.current_dir(place.path()).env("PATH", &path).env("HEADCOUNT_DATA", place.path().join("data"));
        answers.push((language.as_str(), run(&mut command, text)));
    }
    let told = |nth: usize, of: &str| {
        answers.iter().filter(|(language, _)| *language == of).nth(nth).unwrap().1.clone()
    };
    let rows = |nth: usize| serde_json::from_str::<Vec<Value>>(&told(nth, "sql")).unwrap();
    assert!(told(0, "python").starts_with("True 15000 rows, unknown\n"), "{}", told(0, "python"));
    states_and_queues(&rows(0), &truth);
    on_it_at_ten_seconds(&rows(1));
    connected_by_minute(&rows(2));
    assert!(rows(3).iter().all(|row| row["conversations"].as_u64() > Some(0)));
    assert!(told(2, "python").contains("category"), "{}", told(2, "python"));
    assert!(told(3, "python").contains("00:00+00:00    <NA>"), "not known is not 0: {}", told(3, "python"));
    let by_quarter = blocks.iter().find(|block| block.text.contains("resample(quarter)")).unwrap();
    let by_minute = by_quarter.text.replace("15min", "1min");
    minutes_until_nobody_listened(&run(
        Command::new(&python).args(["-c", &by_minute]).current_dir(place.path()),
        &by_minute,
    ));
    assert!(told(4, "python").contains("of 21000 came late\nTrue"), "{}", told(4, "python"));
    assert!(place.path().join("live.ndjson").is_file());
    assert_eq!(blocks.len(), 11, "a block more is a check more");
}

fn states_and_queues(rows: &[Value], truth: &history::Truth) {
    assert_eq!(rows.len(), truth.sums.len());
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let sums = truth.sums[&(text("queueId"), text("role"), text("state"))];
        assert_eq!(row["spells"], sums.spells);
        let off = row["seconds"].as_f64().unwrap() - sums.taken_ms as f64 / 1_000.0;
        assert!(off.abs() < 1e-6, "{row} {sums:?}");
    }
}

/// The history ends in its third minute: of that not all is known.
fn minutes_until_nobody_listened(told: &str) {
    let counts: Vec<&str> = told
        .lines()
        .filter(|line| line.starts_with("2026"))
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    let is_count = |text: &&str| text.parse::<u64>().is_ok_and(|n| n > 0);
    assert!(counts.len() == 3 && counts[..2].iter().all(is_count) && counts[2] == "<NA>", "{told}");
}

fn on_it_at_ten_seconds(rows: &[Value]) {
    let at = history::START / 1_000_000 + 10_000;
    let parts = (0..3_000).flat_map(history::parts);
    let on_it = parts.filter(|part| part.from_ms <= at && at < part.from_ms + part.taken_ms as i64);
    assert_eq!(rows.len(), on_it.count());
}

fn connected_by_minute(rows: &[Value]) {
    let begin = history::START / 1_000_000;
    let connected = |minute: i64| -> i64 {
        let (from, to) = (begin + minute * 60_000, begin + (minute + 1) * 60_000);
        let parts =
            (0..3_000).flat_map(history::parts).filter(|p| p.role == "agent" && p.state == "connected");
        parts.map(|p| ((p.from_ms + p.taken_ms as i64).min(to) - p.from_ms.max(from)).max(0)).sum()
    };
    assert_eq!(rows.len(), 3);
    for (minute, row) in (0..).zip(rows) {
        let off = row["seconds"].as_f64().unwrap() - connected(minute) as f64 / 1_000.0;
        assert!(off.abs() < 1e-6, "minute {minute}: {row}");
    }
}

#[test]
fn duckdb_reads_the_types_and_its_sums_equal_ours() {
    let Some(python) = installed("HEADCOUNT_PYTHON", "DuckDB over an export") else { return };
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let truth = history::make(&data, 4_000);
    let out = place.path().join("spells").display().to_string();
    let (code, said) =
        export(&["spells", "--out", &out, "--part-rows", "7000", "--data", &data.display().to_string()]);
    assert_eq!(code, Some(0), "{said}");
    let told = run(Command::new(python).args(["-c", SUMS]).current_dir(place.path()), SUMS);
    let told: Value = serde_json::from_str(&told).unwrap();
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), truth.sums.len());
    for row in rows {
        let text = |at: usize| row[at].as_str().unwrap().to_owned();
        let sums = truth.sums[&(text(0), text(1), text(2))];
        assert_eq!((row[3].as_u64(), row[4].as_u64()), (Some(sums.spells), Some(sums.taken_ms * 1_000_000)));
    }
    for (name, kind) in [("from", "TIMESTAMP"), ("held", "BOOLEAN"), ("state", "VARCHAR")] {
        assert!(told["types"][name].as_str().unwrap().starts_with(kind), "{}", told["types"]);
    }
    for id in ["conversationId", "participantId", "communicationId", "userId", "queueId"] {
        assert!(told["encoded"].as_array().unwrap().contains(&id.into()), "{id} is not dictionary-encoded");
    }
}
