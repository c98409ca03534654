//! The log: nothing that becomes of standard error ends or delays anything, and no secret is ever in it.
//!
//! Real programs against the simulator, which cuts sockets so that there is something to say; what is wrong with standard
//! error is real too: a pipe whose reader went away, one that is full, a device that takes nothing.

use crate::program::{Cloud, Program, Service, eventually, get};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);
const CUT_OFTEN: [&str; 8] =
    ["--rate", "40", "--pace", "20", "--dialect", "events", "--drop-socket-every", "2s"];
/// What the system lets a pipe hold, unless told otherwise.
const PIPE_BYTES: usize = 65_536;

/// An address that is free at present.
pub fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The sum of a metric's series.
fn metric(address: &str, name: &str) -> f64 {
    let (_, text) = get(address, "/metrics");
    let values =
        text.lines().filter_map(|line| line.strip_prefix(name)?.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum()
}

fn listens(address: &str) -> bool {
    std::net::TcpStream::connect(address).is_ok()
}

/// Loses its feed and has it again, several times, whatever its log goes to, and stops in order.
fn goes_on(log: Stdio) {
    let cloud = Cloud::start(&CUT_OFTEN);
    let address = free_address();
    let program = cloud.serve_logging_to(log, "events", &[("HEADCOUNT_LISTEN", &address)]);
    eventually(LONG, || (!listens(&address)).then(|| "it does not serve".to_owned()));
    let service = Service { program, address };
    eventually(LONG, || {
        let times = metric(&service.address, "headcount_reconnects_total{");
        (times < 4.0).then(|| format!("{times} reconnects"))
    });
    eventually(LONG, || {
        let listens = metric(&service.address, "headcount_feed_connected{");
        (listens < 1.0).then(|| "the feed does not listen".to_owned())
    });
    let (code, _) = service.program.terminate(Duration::from_secs(12));
    assert_eq!(code, Some(0));
}

/// The number in a field of a line.
fn field(line: &str, name: &str) -> u64 {
    line.split_once(&format!("{name}=")).unwrap().1.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_cause_is_said_once_a_minute_and_then_counted() {
    let (cloud, begun) = (Cloud::start(&CUT_OFTEN), Instant::now());
    let service = cloud.serve("events", &[]);
    let reconnects = || metric(&service.address, "headcount_reconnects_total{");
    eventually(LONG, || (reconnects() < 5.0).then(|| format!("{} reconnects", reconnects())));
    let (code, said) = service.program.terminate(LONG);
    assert_eq!(code, Some(0), "{said}");
    let lines = said.lines().filter(|line| line.contains("the feed listens"));
    let (counts, whole): (Vec<_>, Vec<_>) = lines.partition(|line| line.contains("came again: "));
    let counted: u64 = counts.iter().map(|line| field(line, "times")).sum();
    assert!(counted + whole.len() as u64 >= 5, "each is said or counted: {said}");
    assert!(!whole.is_empty() && whole.len() as u64 <= 1 + begun.elapsed().as_secs() / 60, "{said}");
    assert!(counts.iter().all(|line| line.contains("feed=") && line.contains("last_s_ago=")), "{said}");
}

/// Hangs up on everybody; its URL, and how many came.
fn hanging_up() -> (String, Arc<AtomicUsize>) {
    let (listener, came) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::<AtomicUsize>::default());
    let (url, counted) = (format!("http://{}", listener.local_addr().unwrap()), came.clone());
    std::thread::spawn(move || {
        for _hung_up in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, came)
}

#[test]
fn attempts_that_fail_alike_differ_in_fields_alone() {
    let (cloud, begun) = (Cloud::start(&["--conversations", "1"]), Instant::now());
    let (url, came) = hanging_up();
    let service = cloud.serve("events", &[("GENESYS_LOGIN_URL", url.as_str())]);
    eventually(LONG, || {
        let came = came.load(Ordering::SeqCst);
        (came < 6).then(|| format!("{came} came"))
    });
    let (code, said) = service.program.terminate(LONG);
    assert_eq!(code, Some(0), "{said}");
    let mut causes = BTreeMap::<String, u64>::new();
    for line in said.lines().filter(|line| line.contains("WARN") && !line.contains("came again: ")) {
        *causes.entry(line.replace(|c: char| c.is_ascii_digit() || c == '.', "")).or_default() += 1;
    }
    let most = 1 + begun.elapsed().as_secs() / 60;
    assert!(!causes.is_empty() && causes.values().all(|times| *times <= most), "{said}");
    assert!(said.contains("came again: ") && said.contains("retry_in_s="), "{said}");
}

#[test]
fn a_log_whose_reader_went_away_stops_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    goes_on(writer.into());
}

#[test]
fn a_log_on_a_full_device_stops_nothing() {
    goes_on(File::options().write(true).open("/dev/full").unwrap().into());
}

#[test]
fn a_log_that_nobody_reads_delays_nothing() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b'.'; PIPE_BYTES]).unwrap();
    goes_on(writer.into());
    drop(reader);
}

#[test]
fn an_end_is_not_held_up_by_a_log_that_nobody_reads() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b'.'; PIPE_BYTES]).unwrap();
    let mut program = Program::start_logging_to(writer.into(), &["serve"], &[]);
    assert_eq!(program.wait(Duration::from_secs(10)), Some(2));
    drop(reader);
}

#[test]
fn answers_to_a_reader_that_went_away_end_in_quiet() {
    for args in [&["--help"][..], &["serve", "--help"], &["check", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_headcount"))
            .args(args)
            .envs([
                ("GENESYS_CLIENT_ID", "a"),
                ("GENESYS_CLIENT_SECRET", "b"),
                ("GENESYS_ENVIRONMENT", "mypurecloud.de"),
            ])
            .envs([("GENESYS_LOGIN_URL", "http://127.0.0.1:9"), ("GENESYS_API_URL", "http://127.0.0.1:9")])
            .env("HEADCOUNT_DATA", std::env::temp_dir())
            .stdout(writer)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(matches!(run.status.code(), Some(0 | 1)), "{args:?}: {:?} {said}", run.status);
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_said() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let cloud = Cloud::start(&CUT_OFTEN);
    assert_eq!(cloud.serve("events", &[]).program.terminate(LONG).0, Some(0));
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_headcount"))
        .args(["store", "stats", "--data"])
        .arg(cloud.folder.path().join("data"))
        .stdout(full)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("standard output"), "{said}");
}

/// Filters that ask for all there is, some by names that are longer than any rule on them.
const NOSY: [&str; 3] = [
    "trace",
    "trace,tungstenite::protocol=trace,tungstenite::protocol::frame=trace,hyper::proto::h1::io=trace,rustls::client=trace",
    "info,hyper_util::client::legacy=trace,reqwest::connect=trace,tokio_tungstenite::compat=trace,h2::codec=trace,log=trace",
];

#[test]
fn no_filter_brings_a_secret_or_a_frame_into_the_log() {
    const SECRET: &str = "canary-secret-3141592653";
    for (dialect, filter) in
        ["notifications", "events"].into_iter().flat_map(|d| NOSY.map(|filter| (d, filter)))
    {
        let cloud =
            Cloud::start(&["--rate", "40", "--pace", "20", "--dialect", dialect, "--client-secret", SECRET]);
        let service = cloud.serve(dialect, &[("RUST_LOG", filter), ("GENESYS_CLIENT_SECRET", SECRET)]);
        eventually(LONG, || {
            let active = service.get("/api/v1/state")["activeInteractions"].as_u64();
            (active < Some(5)).then(|| format!("{active:?}"))
        });
        let list = service.get("/api/v1/conversations?limit=3");
        let id = list["items"][0]["id"].as_str().unwrap().to_owned();
        let (_, said) = service.program.terminate(LONG);
        let known = [SECRET, "access_token", "Bearer", "Basic ", "eventBody", "topicName", "connectUri", &id];
        for secret in known {
            let line = said.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
            assert_eq!(line, None, "{filter}: {secret}");
        }
        let foreign = said.lines().find(|line| line.contains("TRACE") && !line.contains("headcount"));
        assert_eq!(foreign, None, "{filter}");
    }
}
