//! Real bodies of the three servers, each with what follows from it.

use super::*;
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
        (403, r#"{"error":"forbidden"}"#, Api::V3, "may write to the database `calls`"),
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
