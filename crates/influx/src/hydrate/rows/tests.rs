//! Answers as the servers write them.

use super::*;

fn rows(rows: &[(&str, u64)]) -> Read {
    Read::Rows(rows.iter().map(|(id, clock)| ((*id).to_owned(), *clock)).collect())
}

#[test]
fn influxql_with_and_without_tags() {
    // As 1.6.7 answered.
    let grouped = br#"{"results":[{"statement_id":0,"series":[{"name":"participant_state","tags":{"interactionId":"a"},"columns":["time","max"],"values":[[0,7]]},{"name":"participant_state","tags":{"interactionId":"b"},"columns":["time","max"],"values":[[0,9]]}]}]}"#;
    assert_eq!(of_influxql(grouped), rows(&[("a", 7), ("b", 9)]));
    let flat = br#"{"results":[{"statement_id":0,"series":[{"name":"participant_state","columns":["time","interactionId","vector_clock"],"values":[[1,"a",1],[2,"a",2],[3,null,5]]}]}]}"#;
    assert_eq!(of_influxql(flat), rows(&[("a", 1), ("a", 2)]));
    assert_eq!(of_influxql(br#"{"results":[{"statement_id":0}]}"#), rows(&[]));
    assert_eq!(of_influxql(b"<html>"), Read::Else);
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
fn sql_in_json() {
    assert_eq!(of_sql(br#"[{"id":"a","clock":17},{"id":null,"clock":1}]"#), rows(&[("a", 17)]));
    assert_eq!(of_sql(br#"{"error":"x"}"#), Read::Else);
}
