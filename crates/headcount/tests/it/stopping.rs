//! The word to stop is heard in every state, and an end takes ten seconds at most.

use crate::disk::{Rig, preloaded, shows_something, stands_still};
use crate::program::{Cloud, Program, eventually};
use std::net::TcpListener;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);
/// It ends within ten seconds; what is more than that is the machine's, which may have much else to do.
const STOP_MAX: Duration = Duration::from_secs(15);
const PLAY: [&str; 6] = ["--rate", "40", "--pace", "20", "--dialect", "events"];

/// Ends by a signal within the limit; its exit code, and what it said.
fn stopped_by(mut program: Program, signal: &str) -> (Option<i32>, String) {
    let begun = Instant::now();
    program.signal(signal);
    let code = program.wait(LONG);
    assert!(begun.elapsed() <= STOP_MAX, "it took {:?}; it said:\n{}", begun.elapsed(), program.said());
    (code, program.said())
}

#[test]
fn a_hangup_drains_as_a_termination_does() {
    for signal in ["-HUP", "-TERM", "-INT"] {
        let cloud = Cloud::start(&PLAY);
        let service = cloud.serve("events", &[("HANGS_UP", "as ever")]);
        shows_something(&service);
        let (code, said) = stopped_by(service.program, signal);
        assert_eq!(code, Some(0), "{signal}: {said}");
        assert!(said.contains("nothing is left behind"), "{signal}: {said}");
    }
}

#[test]
fn names_that_nobody_answers_hold_up_no_end() {
    let cloud = Cloud::start(&PLAY);
    let begun = cloud.folder.path().join("begun");
    let library = preloaded("slow_names", cloud.folder.path());
    let shown = begun.display().to_string();
    let service = cloud.serve(
        "events",
        &[
            ("LD_PRELOAD", &library),
            ("SLOW_NAMES", &shown),
            ("GENESYS_LOGIN_URL", "https://login.nobody.example"),
        ],
    );
    eventually(LONG, || (!begun.exists()).then(|| "no name was looked up".to_owned()));
    let (code, said) = stopped_by(service.program, "-TERM");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_disk_that_refuses_holds_up_no_end() {
    let rig = Rig::new();
    let service = rig.serve();
    shows_something(&service);
    rig.break_it("sync");
    stands_still(&service, "disk");
    let (code, said) = stopped_by(service.program, "-TERM");
    assert_eq!(code, Some(1), "what waits could not be committed: {said}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let rig = Rig::new();
    let mut program = {
        let service = rig.serve();
        shows_something(&service);
        rig.break_it("sync");
        stands_still(&service, "disk");
        service.program
    };
    program.signal("-TERM");
    program.wait_for("SIGTERM: stopping", LONG);
    let begun = Instant::now();
    program.signal("-INT");
    assert_eq!(program.wait(LONG), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn a_stop_is_heard_before_all_has_started() {
    let cloud = Cloud::start(&PLAY);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let influx =
        [("INFLUX_URL", url.as_str()), ("INFLUX_ORG", "o"), ("INFLUX_BUCKET", "b"), ("INFLUX_TOKEN", "t")];
    let program = cloud.serve_logging_to(std::process::Stdio::piped(), "events", &influx);
    let _asked = silent.accept().unwrap();
    let (code, said) = stopped_by(program, "-TERM");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("before all had started"), "{said}");
}
