//! Real bodies of the three servers, each with what follows from it.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use secrecy::SecretString;
use url::Url;

fn settings() -> Settings {
    let mut settings = Settings::new(Url::parse("http://127.0.0.1:1").expect("a URL"), "calls");
    settings.token = Some(SecretString::from("canary-token"));
    settings
}

fn judged(status: u16, body: &str, lines: &[&str], api: Api) -> Verdict {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    judge(StatusCode::from_u16(status).expect("a status"), None, body, &lines, (&settings(), api))
}

fn named(verdict: Verdict) -> Vec<usize> {
    let Verdict::Refused(refusal) = verdict else { unreachable!("{verdict:?}") };
    refusal.named.into_iter().map(|(at, _)| at).collect()
}

#[test]
fn lines_that_a_server_names_are_found() {
    let lines = ["a,t=1 b=1i 1", "bad", "c,d= e=1 2", "a,t=2 b=1i 2"];
    // 1.6.7, as it answered.
    let body = r#"{"error":"partial write: unable to parse 'bad': missing fields\nunable to parse 'c,d= e=1 2': missing tag value dropped=0"}"#;
    assert_eq!(named(judged(400, body, &lines, Api::V1)), [1, 2]);
    let body = r#"{"code":"invalid","message":"unable to parse 'bad': missing fields"}"#;
    assert_eq!(named(judged(400, body, &lines, Api::V2)), [1]);
    let body = r#"{"error":"partial write of line protocol occurred","data":[{"error_message":"invalid column type","line_number":3,"original_line":"c,d= e"},{"line_number":99}]}"#;
    assert_eq!(named(judged(400, body, &lines, Api::V3)), [2]);
}

#[test]
fn lines_that_are_refused_without_a_name_are_told_from_a_wrong_request() {
    let conflict = r#"{"error":"partial write: field type conflict: input field \"b\" on measurement \"a\" is type float, already exists as type integer dropped=1"}"#;
    let refused = |lines: &[&str]| match judged(400, conflict, lines, Api::V1) {
        Verdict::Refused(refusal) => (refusal.named.len(), refusal.all),
        other => unreachable!("{other:?}"),
    };
    assert_eq!((refused(&["x"]), refused(&["x", "y"])), ((0, true), (0, false)));
    let wrong = judged(400, r#"{"error":"database is required"}"#, &["x"], Api::V1);
    assert!(matches!(&wrong, Verdict::Wait(why, None) if why.contains("database is required")), "{wrong:?}");
}

/// The lines that are left out: by name, all of them, or to be found by halves.
fn left_out(status: u16, body: &str, lines: &[&str], api: Api) -> (Vec<usize>, bool) {
    match judged(status, body, lines, api) {
        Verdict::Refused(refusal) => (refusal.named.into_iter().map(|(at, _)| at).collect(), refusal.all),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn points_older_than_what_is_kept_are_refused_lines_whatever_the_status() {
    let lines = ["a b=1i 300", "a b=2i 100", "a b=3i 400", "a b=4i 200"];
    let two = |dropped: usize| {
        let why = format!("partial write: points beyond retention policy dropped={dropped}");
        let of_2 = |code: &str| {
            format!(r#"{{"code":"{code}","message":"failure writing points to database: {why}"}}"#)
        };
        [
            (400, format!(r#"{{"error":"{why}"}}"#), Api::V1),
            (500, of_2("internal error"), Api::V2),
            (422, of_2("unprocessable entity"), Api::V2),
        ]
    };
    for (status, body, api) in two(2) {
        assert_eq!(left_out(status, &body, &lines, api), (vec![1, 3], false), "{status}");
    }
    for (status, body, api) in two(4) {
        assert_eq!(left_out(status, &body, &lines, api), (vec![], true), "{status}");
    }
    // Some are too new: which of them nobody says.
    let newer = r#"{"error":"partial write: dropped 1 points outside retention policy of duration 1h0m0s dropped=1"}"#;
    assert_eq!(left_out(400, newer, &lines, Api::V1), (vec![], false));
    // Nodes of a cluster that were away: asked again.
    let cluster = judged(500, r#"{"error":"partial write"}"#, &lines, Api::V1);
    assert!(matches!(&cluster, Verdict::Wait(why, None) if why.contains("500")), "{cluster:?}");
}

#[test]
fn what_3_refuses_is_about_lines_by_either_way_of_writing() {
    let lines = ["a,t=1 f=1i 1", "a,t=2 f=1.5 2"];
    let why = "invalid column type for column 'f', expected iox::column_type::field::integer, got iox::column_type::field::float";
    let some = format!(
        r#"{{"error":"partial write of line protocol occurred","data":[{{"error_message":"{why}","line_number":2,"original_line":"a,t=2 f=1.5"}}]}}"#
    );
    assert_eq!(left_out(400, &some, &lines, Api::V3), (vec![1], false));
    for error in ["parsing failed for write_lp endpoint", "line protocol parsing error"] {
        let none = format!(
            r#"{{"error":"{error}","data":{{"error_message":"{why}","line_number":2,"original_line":"a,t=2 f=1.5"}}}}"#
        );
        assert_eq!(left_out(400, &none, &lines, Api::V3), (vec![1], false), "{error}");
    }
    let by_2 =
        format!(r#"{{"code":"invalid","message":"write buffer error: line protocol parse failed: {why}"}}"#);
    assert_eq!(left_out(400, &by_2, &lines, Api::V2), (vec![], false));
}

#[test]
fn a_request_beyond_what_3_takes_is_too_large_before_and_after_3_9_1() {
    let before = judged(500, "max request size (10485760 bytes) exceeded", &["x", "y"], Api::V3);
    assert_eq!(before, Verdict::TooLarge);
    assert_eq!(
        judged(413, "max request size (10485760 bytes) exceeded", &["x", "y"], Api::V3),
        Verdict::TooLarge
    );
}

#[test]
fn what_is_not_about_lines_is_waited_out_and_says_what_to_mend() {
    let cases = [
        (401, r#"{"error":"authorization failed"}"#, Api::V1, "WRITE on the database `calls`"),
        (
            401,
            r#"{"code":"unauthorized","message":"unauthorized access"}"#,
            Api::V2,
            "write access to the bucket `calls`",
        ),
        (403, r#"{"error":"forbidden"}"#, Api::V3, "may read and write the database `calls`"),
        (404, r#"{"error":"database not found: \"calls\""}"#, Api::V1, "make the database `calls`"),
        (404, r#"{"code":"not found","message":"bucket \"calls\" not found"}"#, Api::V2, "INFLUX_ORG"),
        (503, "busy", Api::V2, "503"),
        (500, "", Api::V1, "nothing more"),
    ];
    for (status, body, api, wanted) in cases {
        let verdict = judged(status, body, &["x"], api);
        assert!(matches!(&verdict, Verdict::Wait(why, None) if why.contains(wanted)), "{verdict:?}");
        assert!(!format!("{verdict:?}").contains("canary"));
    }
    assert_eq!(judged(413, "", &["x"], Api::V2), Verdict::TooLarge);
    assert_eq!(judged(204, "", &["x"], Api::V2), Verdict::Done);
}

proptest! {
    #[test]
    fn whatever_is_answered_only_lines_that_were_sent_are_named(
        status in prop::sample::select(vec![200u16, 204, 400, 401, 404, 413, 422, 429, 500, 503]),
        parts in vec(prop::sample::select(vec![
            "partial write: ", "points beyond retention policy ", "dropped=", "2", "99999999999999999999", "-1", " ",
            "unable to parse '", "a b=1i 5", "': ", "{\"error\":\"", "\",\"data\":", "[{\"line_number\":", "0", "3", "}]", "}", "é",
            "max request size", "line protocol parse failed: ", "{\"line_number\":1}",
        ]), 0..12),
        lines in vec(prop::sample::select(vec!["a b=1i 5", "a b=1i", "", "a b=1i 99999999999999999999", "c d=2i -7"]), 0..5),
    ) {
        let verdict = judged(status, &parts.concat(), &lines, Api::V3);
        if let Verdict::Refused(Refusal { named, all, .. }) = verdict {
            prop_assert!(named.iter().all(|(at, _)| *at < lines.len()));
            prop_assert!(named.iter().all(|(at, _)| named.iter().filter(|(other, _)| other == at).count() == 1));
            prop_assert!(!all || named.is_empty());
        }
    }
}
