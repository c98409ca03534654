//! `headcount check`: what is missing before `serve` can work, and how to mend it.

use crate::cli::print;
use crate::config::Config;
use crate::run;
use outward::{Finding, Level};
use pipeline::Clock;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;

/// How far on both sides of now zone rules are compared, in seconds.
const YEAR: i64 = 366 * 86_400;

/// Checks everything, prints a line for each finding, and fails when any of them stands in the way.
///
/// # Errors
/// When something stands in the way.
pub fn run(config: &Config, json: bool) -> anyhow::Result<()> {
    let mut findings = vec![folder(&config.data), address(config), zone(config)];
    findings.extend(config.unknown.iter().map(|what| unknown(what)));
    findings.extend(config.unencrypted.iter().map(|host| unencrypted(host)));
    findings.extend(run::to_the_end(async { Ok(source::check(&config.source).await) })?);
    if let Some(influx) = &config.influx {
        findings.extend(run::to_the_end(async { Ok(influx::check(&influx.settings).await) })?);
    }
    print(&if json { as_json(&findings)? } else { as_text(&findings) })?;
    let bad = findings.iter().filter(|f| f.level == Level::Problem).count();
    if bad > 0 {
        anyhow::bail!("{bad} of {} checks failed", findings.len());
    }
    Ok(())
}

fn folder(data: &Path) -> Finding {
    let name = "data folder";
    match write_and_sync(data) {
        Ok(()) => Finding {
            name,
            level: Level::Ok,
            detail: format!("{} can be written", data.display()),
            remedy: None,
        },
        Err(error) => Finding {
            name,
            level: Level::Problem,
            detail: format!("{} cannot be written: {error}", data.display()),
            remedy: Some("give another folder with --data or HEADCOUNT_DATA".to_owned()),
        },
    }
}

/// What a commit needs of a folder, tried on a file that goes again.
fn write_and_sync(data: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(data)?;
    let probe = data.join(format!("check-{}", std::process::id()));
    let mut file = std::fs::File::create(&probe)?;
    let outcome = file.write_all(b"headcount check").and_then(|()| file.sync_all());
    std::fs::remove_file(&probe)?;
    outcome
}

fn address(config: &Config) -> Finding {
    let name = "address";
    match TcpListener::bind(config.listen) {
        Ok(_) => {
            Finding { name, level: Level::Ok, detail: format!("{} is free", config.listen), remedy: None }
        }
        Err(error) => Finding {
            name,
            level: Level::Problem,
            detail: format!("cannot listen on {}: {error}", config.listen),
            remedy: Some("give another address with --listen or HEADCOUNT_LISTEN".to_owned()),
        },
    }
}

/// By whose rules hours are told; that the host's are older is good to know, since its other programs go by them.
fn zone(config: &Config) -> Finding {
    let rules = &config.zone_rules;
    let now = Clock::system().now() / engine::SECOND;
    let differences = rules.differences_in_words(now - YEAR, now + YEAR).map(|words| format!("; {words}"));
    Finding {
        name: "time zone",
        level: Level::Ok,
        detail: format!("{} by {}{}", config.zone.name(), rules.in_words(), differences.unwrap_or_default()),
        remedy: None,
    }
}

/// That whoever listens in on the way reads secrets was chosen, and is said all the same.
fn unencrypted(host: &str) -> Finding {
    Finding {
        name: "encryption",
        level: Level::Warning,
        detail: format!("secrets and history go to {host} without TLS, as HEADCOUNT_PLAIN_HOSTS allows"),
        remedy: Some("use https:// (or wss://) unless the way there is a network of its own".to_owned()),
    }
}

fn unknown(what: &str) -> Finding {
    Finding { name: "variables", level: Level::Warning, detail: what.to_owned(), remedy: None }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Warning => "warning",
        Level::Problem => "problem",
    }
}

fn as_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        text.push_str(&format!("{:8} {}: {}\n", word(finding.level), finding.name, finding.detail));
        if let Some(remedy) = &finding.remedy {
            text.push_str(&format!("{:8} → {remedy}\n", ""));
        }
    }
    text
}

fn as_json(findings: &[Finding]) -> anyhow::Result<String> {
    let items: Vec<_> = findings
        .iter()
        .map(|f| {
            serde_json::json!({"name": f.name, "level": word(f.level), "detail": f.detail, "remedy": f.remedy})
        })
        .collect();
    let ok = findings.iter().all(|f| f.level != Level::Problem);
    Ok(serde_json::to_string_pretty(&serde_json::json!({"ok": ok, "findings": items}))? + "\n")
}
