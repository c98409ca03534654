//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Who is on every Genesys Cloud conversation: now, at any past instant, and as a heatmap.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    /// How to log, on standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Human)]
    pub log: LogFormat,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
First steps:
  headcount demo                      a made-up contact centre that misbehaves, on http://127.0.0.1:8080/
  headcount check                     what is missing before `serve` can work, and how to mend it
  headcount serve                     the real thing; reads GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET and
                                      GENESYS_ENVIRONMENT, or --config FILE
  headcount why ID                    why a conversation is shown as it is
  headcount store check               whether anything in the data folder is damaged
  headcount export spells --out out   history for DuckDB, pandas and spreadsheets";

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow an organisation and serve who is on its conversations
    Serve(ServeOptions),
    /// Show it all with a simulated contact centre: no account, no set-up
    Demo(DemoOptions),
    /// Play a Genesys Cloud that misbehaves on request, and write down the truth
    Simulate(Box<simulator::Options>),
    /// Say what is missing before `serve` can work, and how to mend it
    Check(CheckOptions),
    /// Explain a conversation: every fact, where it came from, and why it stands where it stands
    Why(WhyOptions),
    /// Look after the data folder of a service that is stopped: find damage, save the rest, count what is stored
    #[command(subcommand, after_help = STORE_HELP)]
    Store(StoreCommand),
    /// Write history into files for other tools: Parquet, CSV, NDJSON
    Export(Box<ExportOptions>),
}

/// Options of `serve`. Each beats its environment variable, which beats the file.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = SERVE_HELP)]
pub struct ServeOptions {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address and port to serve on [HEADCOUNT_LISTEN; default 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Data folder [HEADCOUNT_DATA; default ./headcount-data]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<String>,
    /// Dialect of the source: notifications or events [HEADCOUNT_DIALECT; default notifications]
    #[arg(long, value_name = "NAME")]
    pub dialect: Option<String>,
    /// `discover`, or a list of queue:ID and user:ID [HEADCOUNT_TOPICS; default discover]
    #[arg(long, value_name = "LIST")]
    pub topics: Option<String>,
    /// Time zone of the heatmap, by its IANA name [HEADCOUNT_ZONE; default UTC]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// A region's domain or an AWS region's name [GENESYS_ENVIRONMENT]
    #[arg(long, value_name = "REGION")]
    pub environment: Option<String>,
}

const SERVE_HELP: &str = "\
Environment:
  GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET   OAuth client (client credentials grant)
  GENESYS_ENVIRONMENT                        mypurecloud.de, or eu-central-1
  GENESYS_LOGIN_URL, GENESYS_API_URL         other hosts instead of the environment's
  GENESYS_EVENTS_URL                         whole socket URL of the `events` dialect
  HEADCOUNT_MAILBOX_FACTS, HEADCOUNT_WHEN_FULL
                                             facts that may wait (5000), and `block` or `drop` when they do
  HEADCOUNT_KEEP_FACTS                       how long a conversation is kept after its end: 48h, 400d (default), 12w,
                                             5y or forever
  HEADCOUNT_KEEP_MINUTES, HEADCOUNT_KEEP_HOURS, HEADCOUNT_KEEP_DAYS
                                             how long events are kept as counts by minute, hour and day (400d, forever,
                                             forever)
  HEADCOUNT_MAX_SIZE                         the most the data file may use before the oldest go: 20GiB; none (default)
  HEADCOUNT_PLAIN_HOSTS                      hosts that may be reached by plain http and ws besides loopback: influxdb,10.0.0.7
  INFLUX_URL, INFLUX_ORG, INFLUX_BUCKET, INFLUX_TOKEN
                                             InfluxDB 1, 2 or 3 to write the history into; unset: none
  INFLUX_API, INFLUX_SCHEMA                  v1, v2, v3 or detect (default); tutorial or compact
  INFLUX_BATCH_LINES, INFLUX_BATCH_MS        lines of a request (5000), and how long a change waits for more (1000)
  INFLUX_KEEP_HOURS, INFLUX_KEEP_MB          what is kept while it is away (168, 1024)
The same names, in a file:
  [genesys]  client_id, client_secret, environment, login_url, api_url, events_url, dialect, topics
  [serve]    listen, hosts, zone
  [store]    data, keep_facts, keep_minutes, keep_hours, keep_days, max_size
  [mailbox]  facts, when_full
  [network]  plain_hosts
  [influx]   url, org, bucket, token, api, schema, batch_lines, batch_ms, keep_hours, keep_mb";

/// Options of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoOptions {
    /// Address and port to serve on
    #[arg(long, value_name = "ADDR", env = "HEADCOUNT_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Dialect that the simulated centre speaks
    #[arg(long, value_enum, default_value = "notifications")]
    pub dialect: DemoDialect,
    /// Transitions a second
    #[arg(long, value_name = "R", default_value_t = 20.0)]
    pub rate: f64,
    /// The same seed plays the same conversations
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Stop after this long (90s, 10m); without it, on Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = simulator::parse_duration)]
    pub duration: Option<Duration>,
    /// Cut the socket this often (0 for never)
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = simulator::parse_duration)]
    pub drop_socket_every: Duration,
    /// Share of frames sent twice
    #[arg(long, value_name = "F", default_value_t = 0.2)]
    pub duplicates: f64,
    /// Each frame is late by 0 to N milliseconds
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub reorder_ms: u64,
    /// Keep the history in this folder; without it, it goes when the demo ends
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

/// The dialects that `demo` can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DemoDialect {
    /// The platform's real one.
    Notifications,
    /// The tutorial's, with causal stamps of three regions.
    Events,
}

/// Options of `check`.
#[derive(Clone, Debug, Args)]
pub struct CheckOptions {
    /// Everything that `serve` takes.
    #[command(flatten)]
    pub serve: ServeOptions,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `why`.
#[derive(Clone, Debug, Args)]
#[command(after_help = WHY_HELP)]
pub struct WhyOptions {
    /// The conversation's id
    #[arg(value_name = "ID")]
    pub id: String,
    /// Only the facts of one participant
    #[arg(long, value_name = "ID")]
    pub participant: Option<String>,
    /// Service to ask [default: where HEADCOUNT_LISTEN says, else http://127.0.0.1:8080]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Read the data folder of a service that is stopped, and change nothing in it
    #[arg(long, value_name = "FOLDER", conflicts_with = "url")]
    pub data: Option<PathBuf>,
    /// Print the JSON of /api/v1/conversations/ID/why as it is
    #[arg(long)]
    pub json: bool,
}

const WHY_HELP: &str = "\
A conversation is a set of facts, each told by one or more frames. Each fact has a block:
  #N          its place in the timeline; - for one that is not shown there
  came from   the feed and the kind of message that told it, and when
  one fact    what makes a second report of it a copy
  placed      which rule gave it its place, and which other fact decided
  late        it came after its place had been shown
  concurrent  facts that are neither before nor after it

The rules: a clock that has seen another fact puts it behind that one; so does the life of a
communication, which runs one way; else its own time decides; a tie goes by the life cycle, then by
the id; what has no time stands just before what must follow it, or where it was received.

  headcount why 5a1c8e1e-0f6d-4c0b-9a53-4f6f9a0b7c11
  headcount why 5a1c8e1e-0f6d-4c0b-9a53-4f6f9a0b7c11 --json | jq '.facts[] | select(.late)'
  headcount why 5a1c8e1e-0f6d-4c0b-9a53-4f6f9a0b7c11 --data /var/lib/headcount";

/// What `store` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum StoreCommand {
    /// Hold every record against its checksum; list what is damaged and what it costs, and exit with 1 if anything is
    Check(StoreCheckOptions),
    /// Save all that can be read into a new folder, and leave the old one as it is
    Repair(StoreRepairOptions),
    /// Say how much is stored, by kind and by day
    Stats(StoreStatsOptions),
}

const STORE_HELP: &str = "\
None of these changes the folder that it looks at. Stop the service first: one that runs holds its folder.

  headcount store check --data /var/lib/headcount            exit code 1 when anything is damaged
  headcount store check --data /var/lib/headcount --json | jq '.findings[]'
  headcount store repair --data /var/lib/headcount --into /var/lib/headcount-new
  headcount store stats --data /var/lib/headcount

A service starts with damaged records too: they are set aside, named in its log, and every answer
about the time before is marked partial. `store repair` gives a folder that is free of them. What is
lost of live conversations is read again from the platform after the next start.";

/// Which folder.
#[derive(Clone, Debug, Args)]
pub struct StoreFolder {
    /// Data folder of a service that is stopped [HEADCOUNT_DATA; default ./headcount-data]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

/// Options of `export`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXPORT_HELP)]
pub struct ExportOptions {
    /// What a row is
    #[arg(value_name = "WHAT", value_parser = ["facts", "changes", "spells", "cells"])]
    pub what: String,
    /// File that ends in .parquet, .csv or .ndjson, or a folder for several
    #[arg(long, value_name = "FILE_OR_FOLDER")]
    pub out: PathBuf,
    /// Format [default: what --out ends in, else parquet]
    #[arg(long, value_name = "NAME", value_parser = ["parquet", "csv", "ndjson"])]
    pub format: Option<String>,
    /// First instant of the range: 2026-05-04T09:17:00Z, or 2026-05-04 for midnight UTC [default: the beginning]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// First instant behind it [default: the newest]
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only this conversation
    #[arg(long, value_name = "ID")]
    pub conversation: Option<String>,
    /// Only rows of this queue
    #[arg(long, value_name = "ID")]
    pub queue: Option<String>,
    /// Only rows of this user
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
    /// Only rows of this role
    #[arg(long, value_name = "WORD")]
    pub role: Option<String>,
    /// Only rows of this medium
    #[arg(long, value_name = "WORD")]
    pub medium: Option<String>,
    /// Rows from which on a file of a folder ends
    #[arg(long, value_name = "N", default_value_t = export::PART_ROWS_DEFAULT, value_parser = clap::value_parser!(u64).range(1..))]
    pub part_rows: u64,
    /// Data folder, whether a service runs on it or not; nothing in it is changed [HEADCOUNT_DATA; default ./headcount-data]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

/// Options of `store check`.
#[derive(Clone, Debug, Args)]
pub struct StoreCheckOptions {
    /// Where.
    #[command(flatten)]
    pub folder: StoreFolder,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `store repair`.
#[derive(Clone, Debug, Args)]
pub struct StoreRepairOptions {
    /// Where.
    #[command(flatten)]
    pub folder: StoreFolder,
    /// New folder for what can be saved; it must hold no data
    #[arg(long, value_name = "NEWFOLDER")]
    pub into: PathBuf,
}

/// Options of `store stats`.
#[derive(Clone, Debug, Args)]
pub struct StoreStatsOptions {
    /// Where.
    #[command(flatten)]
    pub folder: StoreFolder,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
}

const EXPORT_HELP: &str = "\
  facts     every piece of evidence as it was received
  changes   the timelines: what became of whom, in order
  spells    intervals in which nothing about a participant changed; those that overlap the range, not cut
  cells     minutes and how many events each had

Beside the files stands a manifest (_manifest.json, or FILE.manifest.json): the range, the files with rows and
SHA-256, the state of the history they are of, and where in the range something may be missing. It says
\"finished\": true last. A run that was interrupted is taken up by the same command, behind its last whole file.
Rows come by conversation id, cells by minute. Filters are for changes and spells; facts take --conversation.

  headcount export spells --out may.parquet --from 2026-05-01 --to 2026-06-01
  headcount export changes --out changes --format csv --queue 0a1b2c3d-0000-4000-8000-000000000001
  headcount export cells --out cells.csv --data /var/lib/headcount";

/// A command was used in a way that cannot work.
#[derive(Debug)]
pub struct WrongUse(pub String);

impl std::fmt::Display for WrongUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUse {}

/// Why the program ends, in words alone: errors are for people, whatever the log's format.
pub fn in_words(error: &anyhow::Error) -> String {
    let mut text = format!("headcount: {error}");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Writes an answer to standard output; a reader that went away is no error.
///
/// # Errors
/// When it cannot be written: nobody may take half an answer for the whole.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("the answer could not be written to standard output"))
        }
        _ => Ok(()),
    }
}
