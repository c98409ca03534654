//! The stand-in of InfluxDB 3 runs questions in SQLite; here the same questions go to DataFusion, the engine of the real one.
//!
//! That holds for what is documented and for what the program asks itself: each answer is the same in both.

use crate::rows::{EVENTS, disorder, documented};
use crate::sending::settings_for;
use crate::stand_in::{BUCKET, StandIn, nanos};
use crate::world::{NOON, World};
use engine::SECOND;
use influx::Schema;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// The answers of DataFusion.
fn asked(python: &str, tables: &Value, questions: &[String]) -> Vec<Vec<Map<String, Value>>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sql/ask.py");
    let mut command = Command::new(python);
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let asked = json!({"tables": tables, "questions": questions}).to_string();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Rows in an order of their own, with times as numbers.
fn plain(rows: Vec<Map<String, Value>>) -> Vec<String> {
    let mut rows: Vec<String> = rows
        .into_iter()
        .filter(|row| row.get("column_name").is_none_or(|name| name != "time"))
        .map(|mut row| {
            for (name, cell) in &mut row {
                if let Some(text) = cell.as_str().filter(|_| ["time", "minute"].contains(&name.as_str())) {
                    *cell = nanos(&format!("{text}Z")).into();
                }
            }
            Value::from(row).to_string()
        })
        .collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn the_engine_of_influxdb_3_answers_every_question_as_the_stand_in_does() {
    let Ok(python) = std::env::var("HEADCOUNT_PYTHON") else {
        let note = "left out: DataFusion (it needs what `cargo xtask test` installs)\n";
        return std::io::stderr().write_all(note.as_bytes()).unwrap();
    };
    for schema in [Schema::Tutorial, Schema::Compact] {
        let server = StandIn::start(3).await;
        // The second one has no notes and asks what the first one told.
        for parts in [8, 99] {
            let folder = tempfile::tempdir().unwrap();
            let world = World::start(folder.path(), settings_for(&server, Some(schema)));
            for part in disorder(5).into_iter().take(parts) {
                world.submit(part).await;
            }
            world.until("it is committed", || world.seq() > 0).await;
            if parts == 99 {
                world.settled(EVENTS).await;
            }
            world.until("the server has all", || world.status().lag_changes == 0).await;
            world.stop().await;
        }
        influx::legacy(&settings_for(&server, Some(schema)), NOON + 3_600 * SECOND).await;
        let names = ["timelines", "rows that stand", "clocks", "changes a minute", "events a minute"];
        let mut questions: Vec<String> = names.iter().map(|name| documented("sql", name)).collect();
        questions.extend(server.look(|inside| inside.three.questions.clone()));
        for wanted in ["information_schema", "AS clock", "nth", "IN ('", "max(revision)"] {
            assert!(questions.iter().any(|q| q.contains(wanted)), "nobody asked for {wanted}");
        }
        let tables = server.look(|inside| inside.three.tables(BUCKET));
        for (q, theirs) in questions.iter().zip(asked(&python, &tables, &questions)) {
            let ours = server.look(|inside| inside.three.ask(BUCKET, q)).unwrap();
            assert_eq!(plain(theirs), plain(ours), "{q}");
        }
    }
}
