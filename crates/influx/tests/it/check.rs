//! What `headcount check` says of each server, without writing a point.

use crate::sending::settings_for;
use crate::stand_in::StandIn;
use influx::{Schema, check};
use outward::Level;

#[tokio::test]
async fn a_server_that_takes_writes_is_found_and_named() {
    for (version, name) in [(1, "InfluxDB 1.8.10"), (2, "InfluxDB v2.7.12"), (3, "InfluxDB 3.8.3")] {
        let server = StandIn::start(version).await;
        let findings = check(&settings_for(&server, None)).await;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].level, Level::Ok, "{findings:?}");
        assert!(findings[0].detail.contains(name), "{findings:?}");
        assert!(server.points().is_empty());
    }
}

#[tokio::test]
async fn what_stands_in_the_way_is_named_with_the_way_out() {
    let server = StandIn::start(2).await;
    server.look(|inside| inside.forbidden = true);
    let findings = check(&settings_for(&server, Some(Schema::Tutorial))).await;
    assert_eq!((findings[0].level, findings[1].level), (Level::Problem, Level::Warning));
    assert!(
        findings[0].remedy.as_deref().unwrap().contains("write access to the bucket `calls`"),
        "{findings:?}"
    );
    assert!(!format!("{findings:?}").contains("canary"));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let findings = check(&crate::world::settings(&format!("http://{nobody}/"), "calls")).await;
    assert_eq!(findings[0].level, Level::Problem);
    assert!(findings[0].detail.contains("cannot be reached"), "{findings:?}");
}
