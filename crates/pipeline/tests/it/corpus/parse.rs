//! Reads a file of the corpus: `corpus/README.md` has the format.
//!
//! Everything that a reader of the format needs is here and nowhere else: headers, sections, times, and the short ways
//! to write a frame. Frames come out as the bytes that a socket would have given.

use engine::{SECOND, Time};
use wire::{format_time, parse_time};

/// The day that times without a date belong to.
const DAY: &str = "2026-03-02";

/// One file.
#[derive(Clone, Debug, Default)]
pub struct Case {
    pub title: String,
    pub from: String,
    /// The frames may be handled in any order.
    pub free: bool,
    /// Midnight of the file's day, in nanoseconds since the epoch.
    pub midnight: i64,
    pub feeds: Vec<Feed>,
    pub steps: Vec<Step>,
    /// Expectations: the head of a section and its lines.
    pub sections: Vec<(String, Vec<String>)>,
}

#[derive(Clone, Debug)]
pub struct Feed {
    pub name: String,
    pub is_events: bool,
    pub resends: bool,
}

/// One line of the arrival order.
#[derive(Clone, Debug)]
pub struct Step {
    pub at: i64,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Frame(Frame),
    Listening(u16),
    Lost { feed: u16, heard: i64, reason: String },
    Repaired(u16),
    RepairFailed(u16, String),
    Dropped { feed: u16, conversation: String, facts: u64 },
    Wait,
    Restart,
}

/// Bytes that came in.
#[derive(Clone, Debug)]
pub struct Frame {
    pub feed: u16,
    pub received: i64,
    pub kind: Kind,
    pub bytes: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Event,
    Notification,
    Read,
}

/// Reads a file; the message says what is wrong with it.
pub fn parse(text: &str) -> Result<Case, String> {
    let mut case = Case { free: true, midnight: midnight_of(DAY)?, ..Case::default() };
    let mut section: Option<String> = None;
    for line in joined_lines(text) {
        if let Some(head) = line.strip_prefix("== ").and_then(|rest| rest.strip_suffix(" ==")) {
            if head != "arrive" {
                case.sections.push((head.to_owned(), Vec::new()));
            }
            section = Some(head.to_owned());
            continue;
        }
        match section.as_deref() {
            None => header(&mut case, &line)?,
            Some("arrive") => {
                let step = step(&case, &line).map_err(|why| format!("{why}: {line}"))?;
                case.steps.push(step);
            }
            Some(_) => {
                case.sections.last_mut().into_iter().for_each(|(_, lines)| lines.push(squeezed(&line)))
            }
        }
    }
    let complete = !case.title.is_empty() && !case.from.is_empty() && !case.feeds.is_empty();
    if complete { Ok(case) } else { Err("title, from or feed is missing".to_owned()) }
}

/// The lines without comments and blanks; one that begins with a blank goes on with the line before.
fn joined_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        match lines.last_mut().filter(|_| line.starts_with(' ')) {
            Some(last) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            None => lines.push(line.trim_end().to_owned()),
        }
    }
    lines
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn header(case: &mut Case, line: &str) -> Result<(), String> {
    let (key, value) = line.split_once(": ").ok_or_else(|| format!("no header: {line}"))?;
    match key {
        "title" => value.clone_into(&mut case.title),
        "from" => value.clone_into(&mut case.from),
        "day" => case.midnight = midnight_of(value)?,
        "order" => case.free = value.split_whitespace().next() != Some("fixed"),
        "feed" => {
            let mut words = value.split_whitespace();
            let name = words.next().unwrap_or_default().to_owned();
            let is_events = match words.next() {
                Some("events") => true,
                Some("notifications") => false,
                _ => return Err(format!("no dialect: {line}")),
            };
            case.feeds.push(Feed { name, is_events, resends: words.next() == Some("resends") });
        }
        _ => return Err(format!("no header of the format: {line}")),
    }
    Ok(())
}

fn midnight_of(day: &str) -> Result<i64, String> {
    let time = parse_time(&format!("{day}T00:00:00Z")).ok_or_else(|| format!("no day: {day}"))?;
    Ok(time.nanos)
}

/// The first word, and what stands behind it.
fn cut(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim()))
}

fn step(case: &Case, line: &str) -> Result<Step, String> {
    let (time, rest) = cut(line);
    let at = time_of(case.midnight, time).ok_or("no time")?.nanos;
    let (feed, rest) = cut(rest);
    let what = match feed {
        "wait" => What::Wait,
        "restart" => What::Restart,
        name => {
            let number = case.feeds.iter().position(|feed| feed.name == name).ok_or("no such feed")?;
            of_feed(case, number as u16, at, rest)?
        }
    };
    Ok(Step { at, what })
}

fn of_feed(case: &Case, feed: u16, at: i64, rest: &str) -> Result<What, String> {
    let (word, rest) = cut(rest);
    let is_events = case.feeds[usize::from(feed)].is_events;
    let dialect = if is_events { Kind::Event } else { Kind::Notification };
    let frame = |kind, bytes| Ok(What::Frame(Frame { feed, received: at, kind, bytes }));
    match word {
        "listening" => Ok(What::Listening(feed)),
        "repaired" => Ok(What::Repaired(feed)),
        "failed" => Ok(What::RepairFailed(feed, rest.to_owned())),
        "lost" => {
            let (heard, reason) = cut(rest);
            let heard = heard.strip_prefix("heard=").and_then(|time| time_of(case.midnight, time));
            Ok(What::Lost { feed, heard: heard.ok_or("no heard=")?.nanos, reason: reason.to_owned() })
        }
        "dropped" => {
            let (conversation, facts) = cut(rest);
            let facts = facts.parse().map_err(|_| "how many?")?;
            Ok(What::Dropped { feed, conversation: conversation.to_owned(), facts })
        }
        "raw" => frame(dialect, with_times(case.midnight, rest)?),
        "read" => frame(Kind::Read, with_times(case.midnight, rest)?),
        id if is_events => frame(Kind::Event, event(case, id, rest)?),
        topic => frame(Kind::Notification, notification(case, topic, rest)?),
    }
}

/// `TOPIC [cor=ID] BODY`: the envelope around a body.
fn notification(case: &Case, topic: &str, rest: &str) -> Result<String, String> {
    let topic = match topic.split_once(':') {
        Some(("queue", id)) => format!("v2.routing.queues.{id}.conversations"),
        Some(("user", id)) => format!("v2.users.{id}.conversations"),
        Some(("detail", rest)) => format!("v2.detail.events.conversation.{rest}"),
        _ => topic.to_owned(),
    };
    let (correlation, body) = match cut(rest) {
        (word, body) if word.starts_with("cor=") => (&word[4..], body),
        _ => ("corpus", rest),
    };
    let body = with_times(case.midnight, body)?;
    Ok(format!(
        r#"{{"topicName":"{topic}","version":"2","eventBody":{body},"metadata":{{"CorrelationId":"{correlation}"}}}}"#
    ))
}

/// `EVENT-ID WHAT CONVERSATION [PARTICIPANT] [@TIME] [key=value ...]`: an event of the `events` dialect.
fn event(case: &Case, id: &str, rest: &str) -> Result<String, String> {
    let mut words = rest.split_whitespace();
    let what = words.next().unwrap_or_default();
    let kind = match what {
        "joined" => "participant.joined",
        "left" => "participant.left",
        "role" => "participant.roleChanged",
        "state" | "life" => "lifecycleStateChange",
        _ => return Err("no event of the format".to_owned()),
    };
    let mut data = vec![("interactionId", quoted(words.next().ok_or("no conversation")?))];
    if what != "life" {
        data.push(("participantId", quoted(words.next().ok_or("no participant")?)));
    }
    let mut frame = format!(r#"{{"eventId":{},"eventType":"interaction.{kind}""#, quoted(id));
    for word in words {
        match (word.strip_prefix('@'), word.split_once('=')) {
            (Some(time), _) => {
                frame += &format!(r#","timestamp":{}"#, quoted(&rfc3339(case.midnight, time)?))
            }
            (_, Some(("clock", entries))) => data.push(("vectorClock", clock(entries)?)),
            (_, Some((key, value))) => data.push((key, quoted(value))),
            _ => return Err(format!("what is {word}")),
        }
    }
    let data: Vec<String> = data.iter().map(|(key, value)| format!(r#""{key}":{value}"#)).collect();
    let id_is_absent = id == "-";
    let frame = frame + &format!(r#","data":{{{}}}}}"#, data.join(","));
    Ok(if id_is_absent { frame.replacen(r#""eventId":"-","#, "", 1) } else { frame })
}

/// `eu:2,us:1` as a JSON object.
fn clock(entries: &str) -> Result<String, String> {
    let entry = |entry: &str| {
        let (region, counter) = entry.split_once(':').ok_or_else(|| format!("no clock entry: {entry}"))?;
        Ok(format!("{}:{counter}", quoted(region)))
    };
    let entries: Result<Vec<String>, String> = entries.split(',').map(entry).collect();
    Ok(format!("{{{}}}", entries?.join(",")))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// JSON with the short times spelt out: `"@TIME"` becomes RFC 3339, `"#TIME"` milliseconds since the epoch.
fn with_times(midnight: i64, json: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = json;
    while let Some(at) = rest.find("\"@").into_iter().chain(rest.find("\"#")).min() {
        let (before, from) = rest.split_at(at);
        let end = from[1..].find('"').ok_or("a time without its end")? + 1;
        out += before;
        if from[1..].starts_with('@') {
            out += &quoted(&rfc3339(midnight, &from[2..end])?);
        } else {
            let time = time_of(midnight, &from[2..end]).ok_or_else(|| format!("no time: {from}"))?;
            out += &(time.nanos / 1_000_000).to_string();
        }
        rest = &from[end + 1..];
    }
    Ok(out + rest)
}

/// A time of the format as RFC 3339, with as many digits as were written. What is no time of ours passes, since a file
/// may want just that.
fn rfc3339(midnight: i64, text: &str) -> Result<String, String> {
    Ok(time_of(midnight, text).map_or_else(|| text.to_owned(), format_time))
}

/// `[±DAYS/]HH:MM:SS[.fraction]`.
fn time_of(midnight: i64, text: &str) -> Option<Time> {
    let (days, clock) = match text.split_once('/') {
        Some((days, clock)) => (days.parse::<i64>().ok()?, clock),
        None => (0, text),
    };
    let of_day = parse_time(&format!("1970-01-01T{clock}Z"))?;
    Some(Time { nanos: midnight + days * 86_400 * SECOND + of_day.nanos, digits: of_day.digits })
}
