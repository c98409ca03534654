//! What stands in the way of writing, and how to mend it: asked without writing a point, and without making anything.
//!
//! A write of nothing is answered as one of something would be, as far as rights and places go. In 3.x it would make the
//! database that it names, though, one of the five that Core keeps, also where the name is a slip; so there it is looked up
//! first, and its tables with it.

use crate::answer::Verdict;
use crate::layout::Layout;
use crate::server::{Found, Server};
use crate::{Api, Schema, Settings};
use outward::{Finding, Level};

const NAME: &str = "InfluxDB";
/// Characters of a database's name that 3.x takes.
const NAME_MAX: usize = 64;
/// Databases that InfluxDB 3 Core keeps.
const DATABASES_MAX: usize = 5;

/// Asks the server whether it is there, what it is, and whether we may write.
pub async fn check(settings: &Settings) -> Vec<Finding> {
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
    let asked = match found.own {
        Api::V1 | Api::V2 => write_nothing(&server, &found).await.map(|()| ""),
        Api::V3 => look_up(&server, &found, schema).await,
    };
    let takes = format!("{} takes writes to `{}`, schema {schema}", found.version, settings.bucket);
    let mut findings = vec![match asked {
        Ok(more) => Finding::ok(NAME, format!("{takes}{more}")),
        Err(why) => {
            let (what, remedy) = with_remedy(&why);
            problem(what, remedy)
        }
    }];
    if schema == Schema::Tutorial && found.own != Api::V3 {
        findings.push(Finding {
            name: NAME,
            level: Level::Warning,
            detail: "the schema `tutorial` makes a series for each participant and state; beyond 100,000 the server suffers".to_owned(),
            remedy: Some("leave INFLUX_SCHEMA unset, or set it to compact, where no query needs the ids as tags".to_owned()),
        });
    }
    findings
}

fn problem(detail: String, remedy: Option<String>) -> Finding {
    Finding { name: NAME, level: Level::Problem, detail, remedy }
}

/// What is wrong, and what our own words say to do about it.
fn with_remedy(why: &str) -> (String, Option<String>) {
    why.rsplit_once("; ").map_or((why.to_owned(), None), |(a, b)| (a.to_owned(), Some(b.to_owned())))
}

/// Whether a write would be taken, by one of nothing.
async fn write_nothing(server: &Server, found: &Found) -> Result<(), String> {
    match server.write(found.api, &[]).await {
        Verdict::Wait(why, _) if !is_empty_write(&why, found.own) => Err(why),
        _ => Ok(()),
    }
}

/// How 2.x and 3.x refuse a write of nothing, after they have looked at rights and places.
fn is_empty_write(why: &str, of: Api) -> bool {
    match of {
        Api::V1 | Api::V2 => why.contains("400 Bad Request"),
        Api::V3 => why.contains("incoming write was empty"),
    }
}

/// Whether 3.x would take our rows; what else there is to say.
async fn look_up(server: &Server, found: &Found, schema: Schema) -> Result<&'static str, String> {
    let name = server.bucket();
    // By the older ways a retention policy is a part of the name.
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c) || found.api != Api::V3 && c == '/';
    if name.is_empty() || name.chars().count() > NAME_MAX || !name.chars().all(plain) {
        return Err(format!(
            "InfluxDB 3 takes no database of the name `{name}`; give INFLUX_BUCKET a name of at most {NAME_MAX} ASCII letters, digits, \
             underscores and hyphens"
        ));
    }
    let databases = match server.databases().await {
        Ok(databases) => databases,
        // Some tokens may write and list nothing.
        Err(why) => {
            let layout = Layout::ask(server).await.map_err(|_| why)?;
            return look_into(server, found, schema, layout).await;
        }
    };
    if databases.iter().any(|known| known == name) {
        Layout::ask(server).await?.takes(schema, name)?;
        return write_nothing(server, found).await.map(|()| "");
    }
    if found.core && databases.len() >= DATABASES_MAX {
        return Err(format!(
            "there is no database `{name}`, and InfluxDB 3 Core keeps no more than {DATABASES_MAX}; name one of {} in INFLUX_BUCKET, or \
             drop one of them",
            databases.join(", ")
        ));
    }
    Ok("; there is no such database yet, the first write makes it")
}

/// The same where it is not told which databases there are: nothing is written where none of our tables is.
async fn look_into(
    server: &Server,
    found: &Found,
    schema: Schema,
    layout: Layout,
) -> Result<&'static str, String> {
    layout.takes(schema, server.bucket())?;
    match layout {
        Layout::Nothing => Ok("; whether it is there already is not told to this token"),
        Layout::Rows(_) | Layout::Points => write_nothing(server, found).await.map(|()| ""),
    }
}
