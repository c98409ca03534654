//! The process dies in the middle, or the disk refuses: what was acknowledged is there, and nothing by halves.
//!
//! The test binary runs itself as the child that commits in a loop and says each position that was acknowledged.

use crate::fixtures::{START, batch, open, recover, replay};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use store::{Commit, Store};

const FOLDER: &str = "STORE_TEST_CHILD_FOLDER";
const FACTS: u64 = 40;
/// More than any of these tests wait for: the child ends by itself.
const COMMITS_MAX: u64 = 5_000;

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut acknowledged, mut incarnation) = (0, 0);
    for lines in [1, 2, 7, 30, 90] {
        let mut child = spawn(child(), folder.path());
        acknowledged = read_until(&mut child, lines).max(acknowledged);
        let opened = Store::open(folder.path(), 1).expect("opened");
        assert!(opened.incarnation.get() > incarnation + 1, "the child had one of its own");
        incarnation = opened.incarnation.get();
        assert_whole(opened.store, acknowledged);
    }
}

/// Files are not let grow beyond a bound, which fails like a disk that goes bad.
#[cfg(unix)]
#[test]
fn what_was_acknowledged_survives_writes_that_fail() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shell = Command::new("sh");
    let script = r#"trap '' XFSZ; ulimit -f 600; exec "$0" "$@""#;
    shell.args(["-c", script]).arg(std::env::current_exe().expect("a path")).args(child_arguments());
    let mut child = spawn(shell, folder.path());
    let acknowledged = read_until(&mut child, usize::MAX);
    assert!((1..COMMITS_MAX).contains(&acknowledged), "it failed on the way, after {acknowledged}");
    assert_whole(open(folder.path()), acknowledged);
}

/// Every batch up to `acknowledged` is there as it was, none is torn, and the cells agree with them.
fn assert_whole(mut store: Store, acknowledged: u64) {
    let (recovered, kept) = recover(&mut store);
    assert_eq!(recovered.damaged, 0);
    let logged = replay(&store);
    let last = logged.last().map_or(0, |batch| batch.position);
    assert!(last >= acknowledged, "{last} of {acknowledged}");
    assert_eq!(logged.len() as u64, last);
    for (at, logged) in logged.iter().enumerate() {
        assert_eq!(logged.position, at as u64 + 1);
        assert_eq!(logged.admitted, batch(logged.position, FACTS));
    }
    let counted: u64 = kept.cells.iter().map(|(_, count)| count).sum();
    assert_eq!(counted, last * FACTS);
}

/// Not a test of its own: the child's side, when its folder is named.
#[test]
fn child_that_commits() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let mut store = open(Path::new(&folder));
    let first = replay(&store).last().map_or(1, |batch| batch.position + 1);
    for position in first..first + COMMITS_MAX {
        let admitted = batch(position, FACTS);
        let cells = [(position.cast_signed() % 7, FACTS.cast_signed())];
        let commit = Commit { committed_at: START, admitted: &admitted, cells: &cells, ..Commit::default() };
        let Ok(stored) = store.commit(&commit) else { return };
        assert_eq!(stored, position);
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {position}").and_then(|()| out.flush()).expect("the parent listens");
    }
}

fn child() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(child_arguments());
    command
}

fn child_arguments() -> [&'static str; 3] {
    ["crash::child_that_commits", "--exact", "--nocapture"]
}

fn spawn(mut command: Command, folder: &Path) -> Child {
    command.env(FOLDER, folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a child")
}

/// Reads that many acknowledgements, kills the child, and gives the last position that it still said.
fn read_until(child: &mut Child, lines: usize) -> u64 {
    let mut said =
        BufReader::new(child.stdout.take().expect("piped")).lines().map(|line| line.expect("text"));
    let position =
        |line: String| line.split_once("acknowledged ").and_then(|(_, number)| number.parse().ok());
    let mut last = 0;
    for _ in 0..lines {
        let Some(position) = said.by_ref().find_map(position) else {
            break;
        };
        last = position;
    }
    child.kill().expect("killed");
    last = said.filter_map(position).last().unwrap_or(last);
    child.wait().expect("ended");
    last
}
