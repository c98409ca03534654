//! Answers as the servers write them.

use super::*;

fn told(id: &str, clock: Option<u64>, at: Option<i64>) -> Told {
    Told { id: id.to_owned(), clock, at, ..Told::default() }
}

/// Without their times.
fn timeless(read: Read) -> Read {
    match read {
        Read::Rows(rows) => Read::Rows(rows.into_iter().map(|row| Told { at: None, ..row }).collect()),
        other => other,
    }
}

fn rows(rows: &[(&str, u64)]) -> Read {
    Read::Rows(rows.iter().map(|(id, clock)| told(id, Some(*clock), None)).collect())
}

#[test]
fn influxql_with_and_without_tags() {
    // As 1.6.7 answered.
    let grouped = br#"{"results":[{"statement_id":0,"series":[{"name":"participant_state","tags":{"interactionId":"a"},"columns":["time","max"],"values":[[0,7]]},{"name":"participant_state","tags":{"interactionId":"b"},"columns":["time","max"],"values":[[0,9]]}]}]}"#;
    assert_eq!(timeless(of_influxql(grouped)), rows(&[("a", 7), ("b", 9)]));
    let flat = br#"{"results":[{"statement_id":0,"series":[{"name":"participant_state","columns":["time","interactionId","vector_clock"],"values":[[1,"a",1],[2,"a",2],[3,null,5]]}]}]}"#;
    assert_eq!(timeless(of_influxql(flat)), rows(&[("a", 1), ("a", 2)]));
    assert_eq!(of_influxql(br#"{"results":[{"statement_id":0}]}"#), rows(&[]));
    assert_eq!(of_influxql(b"<html>"), Read::Else);
    assert_eq!(of_influxql(br#"{"results":[{"statement_id":0,"error":"a word"}]}"#), Read::Else);
    let cut = br#"{"results":[{"series":[{"columns":["time","interactionId","vector_clock"],"values":[[1,"a",1]],"partial":true}]}]}"#;
    assert_eq!(of_influxql(cut), Read::Cut);
}

#[test]
fn flux_in_annotated_csv() {
    let csv = b"#datatype,string,long,string,long\r\n#group,false,false,false,false\r\n#default,_result,,,\r\n,result,table,interactionId,vector_clock\r\n,,0,a,17\r\n,,0,\"b,1\",3\r\n\r\n,result,table,_value,interactionId\r\n,,1,5,c\r\n\r\n";
    assert_eq!(of_flux(csv), rows(&[("a", 17), ("b,1", 3), ("c", 5)]));
    assert_eq!(of_flux(b""), rows(&[]));
}

#[test]
fn times_of_3_have_no_zone_and_no_zeros_at_their_end() {
    for (written, nanos) in [
        ("2026-09-21T14:13:20.123456789", 1_790_000_000_123_456_789),
        ("2026-09-21T14:13:20", 1_790_000_000_000_000_000),
        ("2026-09-21T14:13:20.500", 1_790_000_000_500_000_000),
        ("2026-09-21T14:13:20.000001", 1_790_000_000_000_001_000),
        ("2026-09-21T14:13:20Z", 1_790_000_000_000_000_000),
    ] {
        assert_eq!(instant(written), Some(nanos), "{written}");
    }
}

#[test]
fn sql_in_json() {
    assert_eq!(
        of_sql(br#"[{"id":"a","clock":17},{"id":null,"clock":1}]"#),
        Read::Rows(vec![told("a", Some(17), None)])
    );
    assert_eq!(of_sql(br#"{"error":"x"}"#), Read::Else);
}

#[test]
fn who_was_last_told_of_in_each_language() {
    let agent = |at| Told {
        participant: Some("p".to_owned()),
        state: Some("held".to_owned()),
        role: Some("agent".to_owned()),
        ..told("a", Some(7), Some(at))
    };
    let at = 1_767_268_800_123_456_789;
    // As 1.6.7 answered: a tag that a series lacks is empty.
    let influxql = br#"{"results":[{"statement_id":0,"series":[{"name":"participant_state","tags":{"interactionId":"a","participantId":"p"},"columns":["time","vector_clock","state","role"],"values":[[1767268800123456789,7,"held","agent"]]},{"name":"participant_state","tags":{"interactionId":"a","participantId":""},"columns":["time","vector_clock","state","role"],"values":[[1767268800123456789,9,"",null]]}]}]}"#;
    assert_eq!(of_influxql(influxql), Read::Rows(vec![agent(at), told("a", Some(9), Some(at))]));
    let flux = b"#datatype,string,long,dateTime:RFC3339\r\n,result,table,_time,interactionId,participantId,state,role,vector_clock\r\n,,0,2026-01-01T12:00:00.123456789Z,a,p,held,agent,7\r\n,,1,2026-01-01T12:00:00.123456789Z,a,,,,9\r\n";
    assert_eq!(of_flux(flux), Read::Rows(vec![agent(at), told("a", Some(9), Some(at))]));
    let sql = br#"[{"interactionId":"a","participantId":"p","state":"held","role":"agent","vector_clock":7,"age":1,"time":"2026-01-01T12:00:00.123456789"},{"interactionId":"a","participantId":null,"vector_clock":9,"time":"2026-01-01T12:00:00.123456789"}]"#;
    assert_eq!(of_sql(sql), Read::Rows(vec![agent(at), told("a", Some(9), Some(at))]));
}
