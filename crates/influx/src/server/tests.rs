//! Versions are told apart, and removals meet one point.

use super::*;

#[test]
fn the_version_tells_the_api() {
    let cases = [
        ("1.6.7~rc0", "OSS", Some(Api::V1)),
        ("1.11.8-c1.11.8", "ENT", Some(Api::V1)),
        ("v2.7.12", "OSS", Some(Api::V2)),
        ("2.0.9", "OSS", Some(Api::V2)),
        ("Cloud2", "Cloud", Some(Api::V2)),
        ("3.4.0", "Core", Some(Api::V3)),
        ("", "", None),
        ("nginx", "", None),
    ];
    for (version, build, api) in cases {
        assert_eq!(api_of(version, build), api, "{version}");
    }
}

#[test]
fn a_removal_names_every_tag_of_its_series_and_those_it_has_not() {
    let removal = Place {
        time: 1_700_000_000_123_004_567,
        series: 0,
        text: "participant_state,role=agent,state=it's\\ on".to_owned(),
    };
    assert_eq!(
        as_influxql(&removal),
        "DELETE FROM \"participant_state\" WHERE time = 1700000000123004567 AND \"role\" = 'agent' \
         AND \"state\" = 'it\\'s on' AND \"medium\" = '' AND \"queue\" = ''"
    );
    let json = as_predicate(&removal);
    assert_eq!(json["start"], "2023-11-14T22:13:20.123004567Z");
    assert_eq!(json["start"], json["stop"]);
    assert_eq!(
        json["predicate"],
        "_measurement=\"participant_state\" AND role=\"agent\" AND state=\"it's on\""
    );
    let removal = Place { time: 5, series: 0, text: "participant_state,interactionId=c1".to_owned() };
    assert_eq!(
        as_influxql(&removal),
        "DELETE FROM \"participant_state\" WHERE time = 5 AND \"interactionId\" = 'c1'"
    );
}
