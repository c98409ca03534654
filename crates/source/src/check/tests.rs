//! What a check says of a platform that lacks something.

use super::*;

use reqwest::header::HeaderValue;

fn skew_of(date: Option<&'static str>) -> Finding {
    let headers = date.map(|date| (reqwest::header::DATE, HeaderValue::from_static(date)));
    let answer = Answer { body: Vec::new(), date: outward::date(&headers.into_iter().collect()) };
    skew(&answer, 784_111_777 * engine::SECOND)
}

#[test]
fn clocks_are_compared_by_the_date_header() {
    assert_eq!(skew_of(Some("Sun, 06 Nov 1994 08:49:37 GMT")).level, Level::Ok);
    let ahead = skew_of(Some("Sun, 06 Nov 1994 08:48:37 GMT"));
    assert_eq!(ahead.level, Level::Warning);
    assert!(ahead.detail.contains("60 s"), "{}", ahead.detail);
    assert_eq!(skew_of(Some("yesterday")).level, Level::Ok);
    assert_eq!(skew_of(None).level, Level::Ok);
}

#[test]
fn a_missing_permission_is_named_with_its_remedy() {
    let error = ApiError::Forbidden { permission: "routing:queue:view".to_owned() };
    let finding = listed("queues", &Err(error), Level::Problem);
    assert_eq!(finding.level, Level::Problem);
    assert!(
        finding.detail.contains("routing:queue:view")
            && finding.remedy.unwrap().contains("routing:queue:view")
    );
}

#[test]
fn one_topic_of_each_kind_is_tried() {
    let ids = |names: &[&str]| Some(names.iter().map(|name| Id::new(name).unwrap()).collect::<Vec<_>>());
    let found = samples(&Topics::Discover, ids(&["q1", "q2"]), ids(&["u1"]));
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["queue:q1", "user:u1"]);
    let named: Topics = "user:x,user:y".parse().unwrap();
    assert_eq!(samples(&named, ids(&["q1"]), None).len(), 1);
}
