//! What stands in the way of writing, and how to mend it: asked without writing a point.
//!
//! A write of nothing is answered as one of something would be, as far as rights and places go.

use crate::answer::Verdict;
use crate::server::Server;
use crate::{Api, Schema, Settings};
use outward::{Finding, Level};

/// Asks the server whether it is there, what it is, and whether we may write.
pub async fn check(settings: &Settings) -> Vec<Finding> {
    let name = "InfluxDB";
    let problem =
        |detail: String, remedy: Option<String>| Finding { name, level: Level::Problem, detail, remedy };
    let server = match Server::new(settings) {
        Ok(server) => server,
        Err(error) => return vec![problem(error.to_string(), None)],
    };
    let found = match server.detect().await {
        Ok(found) => found,
        Err(why) => {
            let (what, remedy) = with_remedy(&why);
            let look = || "look at INFLUX_URL, and whether the server runs".to_owned();
            return vec![problem(what, Some(remedy.unwrap_or_else(look)))];
        }
    };
    let schema = settings.schema.unwrap_or_else(|| found.own.schema());
    let mut findings = vec![match server.write(found.api, &[]).await {
        Verdict::Wait(why, _) if !is_empty_write(&why) => {
            let (what, remedy) = with_remedy(&why);
            problem(what, remedy)
        }
        _ => Finding::ok(
            name,
            format!("{} takes writes to `{}`, schema {schema}", found.version, settings.bucket),
        ),
    }];
    if schema == Schema::Tutorial && found.own != Api::V3 {
        findings.push(Finding {
            name,
            level: Level::Warning,
            detail: "the schema `tutorial` makes a series for each participant and state; beyond 100,000 the server suffers".to_owned(),
            remedy: Some("leave INFLUX_SCHEMA unset, or set it to compact, where no query needs the ids as tags".to_owned()),
        });
    }
    findings
}

/// What is wrong, and what our own words say to do about it.
fn with_remedy(why: &str) -> (String, Option<String>) {
    why.rsplit_once("; ").map_or((why.to_owned(), None), |(a, b)| (a.to_owned(), Some(b.to_owned())))
}

/// How 2.x and 3.x refuse a write of nothing, after they have looked at rights and places.
fn is_empty_write(why: &str) -> bool {
    why.contains("400 Bad Request")
}
