//! InfluxDB 3 as far as a writer sees it, in front of an InfluxDB 1 that keeps the rows and runs InfluxQL over them.
//!
//! That 1.x replaces a point that is written again and 3.x does not is no difference here: no row is written with two
//! contents (`influx/tests/it/rows.rs` holds that).

use crate::influx::query;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const COLUMNS: &str = r#"[{"table_name":"participant_state","column_name":"interactionId","data_type":"Utf8"},
{"table_name":"participant_state","column_name":"revision","data_type":"Int64"},
{"table_name":"participant_activity","column_name":"revision","data_type":"Int64"}]"#;

/// Starts it in front of the address of an InfluxDB 1; its URL. It ends with the process.
pub fn in_front_of(address: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (address, written) = (address.to_owned(), Arc::new(AtomicBool::new(false)));
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let (address, written) = (address.clone(), written.clone());
            std::thread::spawn(move || serve(socket, &address, &written));
        }
    });
    url
}

fn serve(socket: TcpStream, address: &str, written: &AtomicBool) {
    let mut from = BufReader::new(socket);
    while let Some((head, body)) = message(&mut from) {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let asks = |what: &[u8]| body.windows(what.len()).any(|part| part == what);
        let (status, answer) = match path {
            "/ping" => ("200 OK", r#"{"version":"3.8.3"}"#.to_owned()),
            "/api/v3/write_lp?db=calls&precision=nanosecond" => {
                written.store(true, Ordering::SeqCst);
                let answer = keep(address, &body);
                if answer.contains(" 204 ") {
                    ("204 No Content", String::new())
                } else {
                    ("500 Internal Server Error", answer)
                }
            }
            "/api/v3/query_sql" if asks(b"information_schema") => {
                ("200 OK", if written.load(Ordering::SeqCst) { COLUMNS } else { "[]" }.to_owned())
            }
            "/api/v3/query_sql" if asks(b"max(revision)") => ("200 OK", minutes(address, &body)),
            "/api/v3/query_sql" => {
                let why = "Error during planning: table 'public.iox.participant_state' not found";
                ("500 Internal Server Error", format!("query error: error while planning query: {why}"))
            }
            _ => ("404 Not Found", "Not found".to_owned()),
        };
        let length = if status.starts_with("204") {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", answer.len())
        };
        let head = format!("HTTP/1.1 {status}\r\nx-influxdb-version: 3.8.3\r\n{length}\r\n");
        if write!(from.get_mut(), "{head}{answer}").is_err() {
            return;
        }
    }
}

/// `SELECT time, sum(events) AS events, max(revision) AS revision FROM participant_activity WHERE time >= '…' AND time < '…' GROUP
/// BY time`, in the words of 1.x.
fn minutes(address: &str, body: &[u8]) -> String {
    let asked: Value = serde_json::from_slice(body).unwrap();
    let range = asked["q"].as_str().unwrap().split_once("WHERE ").unwrap().1.replace(" GROUP BY time", "");
    let q = format!(
        "SELECT sum(events), max(revision) FROM participant_activity WHERE {range} GROUP BY time(1m) fill(none)"
    );
    let row = |row: &Value| {
        let time = jiff::Timestamp::from_nanosecond(row[0].as_i64().unwrap().into()).unwrap().to_string();
        json!({"time": time.trim_end_matches('Z'), "events": row[1], "revision": row[2]})
    };
    let series = query(address, &q);
    let rows = series.iter().flat_map(|series| series["values"].as_array().unwrap());
    Value::from_iter(rows.map(row)).to_string()
}

/// Gives a compressed body to the InfluxDB behind; the first line of its answer.
fn keep(address: &str, body: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /write?db=calls&precision=ns HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(body).unwrap();
    message(&mut BufReader::new(socket)).map(|(head, _)| head).unwrap_or_default()
}

/// The first line and the body of a message; `None` when the connection ended before all of it came.
pub fn message(from: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    from.read_line(&mut head).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some((head, body))
}
