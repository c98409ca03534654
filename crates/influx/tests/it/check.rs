//! What `headcount check` says of each server, without writing a point or making anything.

use crate::sending::settings_for;
use crate::stand_in::{BUCKET, StandIn};
use influx::{Schema, check};
use outward::{Finding, Level};

#[tokio::test]
async fn a_server_that_takes_writes_is_found_and_named() {
    for (version, name) in [(1, "InfluxDB 1.8.10"), (2, "InfluxDB v2.7.12"), (3, "InfluxDB 3.8.3")] {
        let server = StandIn::start(version).await;
        let findings = check(&settings_for(&server, None)).await;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].level, Level::Ok, "{findings:?}");
        assert!(findings[0].detail.contains(name), "{findings:?}");
        assert!(server.points().is_empty());
        assert!(server.look(|inside| inside.three.databases.is_empty()));
    }
}

/// The problem that is found, with its remedy.
async fn problem(server: &StandIn, bucket: &str, schema: Schema) -> String {
    let settings = influx::Settings { bucket: bucket.to_owned(), ..settings_for(server, Some(schema)) };
    let mut findings = check(&settings).await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    let Finding { level, detail, remedy, .. } = findings.remove(0);
    assert_eq!(level, Level::Problem, "{detail}");
    assert_eq!(server.look(|inside| inside.broken.clone()), Vec::<String>::new());
    format!("{detail} → {}", remedy.unwrap())
}

#[tokio::test]
async fn what_3_would_refuse_is_said_before_it_is_written() {
    let server = StandIn::start(3).await;
    for name in ["contact centre", "calls.eu", "calls/autogen", "anrufé", &"a".repeat(70)] {
        let said = problem(&server, name, Schema::Compact).await;
        assert!(
            said.contains(&format!("`{name}`")) && said.contains("→ give INFLUX_BUCKET a name"),
            "{said}"
        );
    }
    let take = |name: &str, line: &str| {
        server.look(|inside| inside.three.databases.entry(name.to_owned()).or_default().with(line))
    };
    ["a", "b", "c", "d", "e"].iter().for_each(|name| take(name, "other,a=b events=1i 5"));
    let said = problem(&server, BUCKET, Schema::Compact).await;
    assert!(said.contains("no more than 5") && said.contains("→ name one of a, b, c, d, e"), "{said}");
    server.look(|inside| inside.three.databases.clear());

    take(
        BUCKET,
        "participant_state,fact=1,role=agent,row=1 interactionId=\"a\",vector_clock=1i,revision=1i,weight=1i 5",
    );
    let said = problem(&server, BUCKET, Schema::Tutorial).await;
    assert!(
        said.contains("in the schema compact") && said.contains("→ set INFLUX_SCHEMA to compact"),
        "{said}"
    );
    let findings = check(&settings_for(&server, Some(Schema::Compact))).await;
    assert_eq!(findings[0].level, Level::Ok, "{findings:?}");
    server.look(|inside| inside.three.databases.clear());

    take(BUCKET, "participant_state,role=agent interactionId=\"a\",vector_clock=1i 5");
    let said = problem(&server, BUCKET, Schema::Compact).await;
    assert!(
        said.contains("points that overwrite one another") && said.contains("→ name a new database"),
        "{said}"
    );
    server.look(|inside| inside.forbidden = true);
    let said = problem(&server, BUCKET, Schema::Compact).await;
    assert!(said.contains("401") && said.contains("→ give INFLUX_TOKEN a token"), "{said}");
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

#[tokio::test]
async fn a_token_that_may_write_and_list_nothing_is_no_problem() {
    let server = StandIn::start(3).await;
    server.look(|inside| inside.three.lists_nothing = true);
    let row = "participant_state,fact=1,role=agent,row=1 interactionId=\"a\",vector_clock=1i,revision=1i,weight=1i 5";
    for (lines, said) in [(None, "not told to this token"), (Some(row), "schema compact")] {
        if let Some(line) = lines {
            server.look(|inside| inside.three.databases.entry(BUCKET.to_owned()).or_default().with(line));
        }
        let findings = check(&settings_for(&server, Some(Schema::Compact))).await;
        assert_eq!(findings[0].level, Level::Ok, "{findings:?}");
        assert!(findings[0].detail.ends_with(said), "{findings:?}");
        assert_eq!(server.look(|inside| inside.three.databases.len()), usize::from(lines.is_some()));
    }
    // What it would refuse is said all the same.
    let said = problem(&server, BUCKET, Schema::Tutorial).await;
    assert!(said.contains("in the schema compact"), "{said}");
}
