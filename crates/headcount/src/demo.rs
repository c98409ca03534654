//! `headcount demo`: a simulated contact centre that misbehaves, and the whole program in front of it.

use crate::assemble::{Plan, assemble};
use crate::cli::{DemoDialect, DemoOptions, print};
use crate::logging::Log;
use crate::run;
use anyhow::Context;
use secrecy::SecretString;
use simulator::Simulator;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Runs the demo until its duration is over or it is told to stop.
///
/// # Errors
/// What could not start, or made it stop.
pub fn run(options: &DemoOptions, log: &Log) -> anyhow::Result<()> {
    run::to_the_end(async {
        let listener = run::bind(options.listen).await?;
        let simulator =
            Simulator::start(centre(options)).await.context("the simulated centre could not start")?;
        let folder = Folder::new(options.data.as_deref())?;
        let plan = Plan {
            source: source_settings(options, &simulator)?,
            listener,
            data: &folder.path,
            retention: pipeline::Retention::default(),
            mailbox: pipeline::MailboxSettings::default(),
            influx: None,
            hosts: serve::Hosts::default(),
            zone: serve::ZoneRules::among(None).utc(),
            title: "demo".to_owned(),
            note: Some(note(options)),
            log: log.clone(),
        };
        let assembly = assemble(plan).await?;
        let _goes_on_without = print(&welcome(&assembly.address.to_string()));
        let signal = run::told_to_stop()?;
        let duration = options.duration.filter(|d| !d.is_zero());
        let stop = async move {
            tokio::select! {
                why = signal => why,
                () = tokio::time::sleep(duration.unwrap_or(Duration::MAX)) => "the demo's time is over",
            }
        };
        let outcome = run::until_stopped(assembly, stop).await;
        simulator.stop().await;
        outcome
    })
}

fn centre(options: &DemoOptions) -> simulator::Options {
    let events = options.dialect == DemoDialect::Events;
    simulator::Options {
        listen: ([127, 0, 0, 1], 0).into(),
        dialect: if events { simulator::Dialect::Events } else { simulator::Dialect::Notifications },
        seed: options.seed,
        rate: options.rate,
        duplicates: options.duplicates,
        reorder_ms: options.reorder_ms,
        regions: if events { 3 } else { 0 },
        clock_skew_ms: 25,
        drop_socket_every: (!options.drop_socket_every.is_zero()).then_some(options.drop_socket_every),
        await_subscriber: true,
        ..simulator::Options::default()
    }
}

fn source_settings(options: &DemoOptions, simulator: &Simulator) -> anyhow::Result<source::Settings> {
    let urls = simulator.urls();
    let endpoints = source::Endpoints::for_environment("mypurecloud.com")?.with_overrides(
        Some(urls.login.as_str()),
        Some(urls.api.as_str()),
        Some(urls.events.as_str()),
    )?;
    let known = simulator::Options::default();
    Ok(source::Settings {
        organisation: "demo".to_owned(),
        client_id: known.client_id,
        client_secret: SecretString::from(known.client_secret),
        endpoints,
        dialect: match options.dialect {
            DemoDialect::Events => source::Dialect::Events,
            DemoDialect::Notifications => source::Dialect::Notifications,
        },
        topics: source::Topics::Discover,
        limits: wire::Limits::default(),
        timing: source::Timing::default(),
    })
}

fn note(options: &DemoOptions) -> String {
    format!(
        "Simulated: {} % of the frames come twice, each is late by up to {} ms, and the socket is cut every {} s.",
        (options.duplicates * 100.0).round(),
        options.reorder_ms,
        options.drop_socket_every.as_secs()
    )
}

fn welcome(address: &str) -> String {
    format!(
        "\nA simulated contact centre is running, and this is what Headcount makes of it:\n\n  \
         the page         http://{address}/\n  \
         the state        curl http://{address}/api/v1/state\n  \
         conversations    curl 'http://{address}/api/v1/conversations?active=true'\n  \
         what changes     curl -N http://{address}/api/v1/stream\n\nCtrl-C ends it.\n\n"
    )
}

/// The demo's data folder; one of its own goes with it.
struct Folder {
    path: PathBuf,
    own: bool,
}

impl Folder {
    fn new(given: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = given {
            return Ok(Self { path: path.to_owned(), own: false });
        }
        let path = std::env::temp_dir().join(format!("headcount-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path, own: true })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.own {
            let _best_effort = std::fs::remove_dir_all(&self.path);
        }
    }
}
