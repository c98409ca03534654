//! The defaults, the units and the checks of the options.

use super::*;

#[test]
fn an_empty_command_line_gives_the_documented_defaults() {
    let options = Options::default();
    assert_eq!(options.listen.to_string(), "127.0.0.1:8090");
    assert_eq!(options.dialect, Dialect::Both);
    assert_eq!((options.seed, options.rate, options.conversations), (1, 20.0, 0));
    assert_eq!(options.heartbeat, Duration::from_secs(30));
    assert_eq!(options.token_lifetime, Duration::from_secs(86_400));
    assert_eq!((options.users, options.queues), (40, 6));
    assert!(options.problems().is_empty());
}

#[test]
fn times_take_units() {
    for (text, ms) in [
        ("30", 30_000),
        ("30s", 30_000),
        ("10m", 600_000),
        ("250ms", 250),
        ("1.5s", 1_500),
        ("2h", 7_200_000),
    ] {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
    }
    for text in ["", "s", "10 days", "-1", "1e300h"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let listen = "0.0.0.0:0".parse().expect("an address");
    let options =
        Options { listen, duplicates: 1.5, rate: f64::NAN, regions: 99, users: 0, ..Options::default() };
    let faults = FaultOptions { lying_dates: -0.1, ..options.faults.clone() };
    let options = Options { faults, ..options };
    let problems = options.problems().join("\n");
    for option in ["--listen", "--duplicates", "--rate", "--regions", "--users", "--lying-dates"] {
        assert!(problems.contains(option), "{option} is missing in {problems}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let options = Options { client_secret: "hush".to_owned(), ..Options::default() };
    assert!(!format!("{options:?}").contains("hush"));
}
