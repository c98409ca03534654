//! The explanation for a person: one block a fact, aligned, wrapped at the terminal's width.
//!
//! Plain text alone, so that it can be pasted into a ticket. Ids are cut to their first characters where they are named
//! again and again, and stand whole in the list of who is who.

use super::answer::{Fact, Other, Why};
use super::words;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Characters of an id that tell it from its neighbours.
const SHORT: usize = 8;
/// Where the explanations of a fact begin.
const INDENT: usize = 16;

/// The whole answer in lines of at most `width` characters, where no single word is longer.
pub fn spelt_out(why: &Why, width: usize) -> String {
    let page = Page::of(why, width);
    let mut text = page.heading();
    for fact in &why.facts {
        text.push('\n');
        text.push_str(&page.fact(fact));
    }
    text
}

struct Page<'a> {
    why: &'a Why,
    width: usize,
    /// The date that need not be said again.
    date: &'a str,
    /// The newest role of each participant.
    roles: BTreeMap<&'a str, &'a str>,
}

impl<'a> Page<'a> {
    fn of(why: &'a Why, width: usize) -> Self {
        let date = why.facts.first().map_or("", |fact| date(&fact.effective_at));
        let mut roles = BTreeMap::new();
        for fact in &why.facts {
            if let (Some(participant), Some(role)) = (&fact.participant_id, &fact.role) {
                roles.insert(participant.as_str(), role.as_str());
            }
        }
        Self { why, width, date, roles }
    }

    fn heading(&self) -> String {
        let Why { conversation_id, facts, completeness, position, .. } = self.why;
        let shown = facts.iter().filter(|fact| fact.place.is_some()).count();
        let late = facts.iter().filter(|fact| fact.late).count();
        let mut text = format!("conversation {conversation_id}\n");
        if let Some(participant) = &self.why.participant_id {
            text.push_str(&format!("participant {participant} alone\n"));
        }
        let count = format!(
            "{} known, {shown} in the timeline, {late} late; {completeness} as of position {position}. Times are UTC, of {} \
             where no date is given.",
            plural(facts.len(), "fact"),
            self.date
        );
        text.push_str(&wrapped("", &count, 0, self.width));
        text + &self.who_is_who()
    }

    fn who_is_who(&self) -> String {
        let mut known: BTreeMap<&str, (&str, Option<&str>, Option<&str>)> = BTreeMap::new();
        for fact in &self.why.facts {
            let Some(participant) = fact.participant_id.as_deref() else { continue };
            let entry = known.entry(participant).or_insert(("", None, None));
            entry.0 = fact.role.as_deref().unwrap_or(entry.0);
            entry.1 = fact.user_id.as_deref().or(entry.1);
            entry.2 = fact.queue_id.as_deref().or(entry.2);
        }
        let mut text = String::from("\n");
        for (participant, (role, user, queue)) in known {
            let role = if role.is_empty() { "participant" } else { role };
            let mut line = participant.to_owned();
            for (what, id) in [("user", user), ("queue", queue)] {
                line.extend(id.map(|id| format!(", {what} {id}")));
            }
            text.push_str(&wrapped(&format!("  {role:<14}"), &line, INDENT, self.width));
        }
        text
    }

    fn fact(&self, fact: &Fact) -> String {
        let number = fact.place.map_or("-".to_owned(), |place| format!("#{}", place + 1));
        let time = self.time(&fact.effective_at);
        let title = format!("{} {}", self.whose(fact.participant_id.as_deref()), said(fact));
        let mut text = wrapped(&format!("{number:<5} {time}  "), &title, 8, self.width);
        for (label, line) in self.lines(fact) {
            text.push_str(&wrapped(&format!("    {label:<12}"), &line, INDENT, self.width));
        }
        text
    }

    fn lines(&self, fact: &Fact) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        lines.extend(fact.hidden.as_deref().map(|why| ("not shown", words::hidden(why).to_owned())));
        let feed = fact.feed.as_deref().unwrap_or("a feed that is gone");
        let received = self.time(&fact.received_at);
        lines.push(("came from", format!("{feed}, {}; received {received}", words::source(&fact.source))));
        if let Some(at) = &fact.at {
            lines.push(("its time", format!("{} ({})", self.time(at), words::authority(&fact.authority))));
        }
        lines.push(("one fact", words::identity(fact)));
        lines.push(("placed", self.placed(fact)));
        if fact.late {
            lines.push(("late", "it came after its place had been shown".to_owned()));
        }
        lines.extend(self.concurrent(fact).map(|line| ("concurrent", line)));
        lines
    }

    fn placed(&self, fact: &Fact) -> String {
        let by = fact.placed.by.as_ref();
        let apart = match (fact.placed.rule.as_str(), by) {
            ("time", Some(by)) => between(&by.effective_at, &fact.effective_at),
            // Less than a millisecond apart, only the order's own steps lie between.
            (_, Some(by)) => fact
                .at
                .as_deref()
                .and_then(|at| between(at, &by.effective_at))
                .filter(|gap| !gap.ends_with("ns")),
            _ => None,
        };
        words::placed(&fact.placed.rule, by.map(|by| self.other(by)).as_deref(), apart.as_deref())
    }

    fn concurrent(&self, fact: &Fact) -> Option<String> {
        let mut named: Vec<String> = fact.concurrent_with.iter().map(|other| self.other(other)).collect();
        let more = (fact.concurrent_count as usize).saturating_sub(named.len());
        if more > 0 {
            named.push(format!("{more} more"));
        }
        (!named.is_empty()).then(|| format!("neither before nor after {}", named.join(", ")))
    }

    /// Another fact: by its number where it has one here, and by what it says.
    fn other(&self, other: &Other) -> String {
        let found = self.why.facts.iter().find(|fact| fact.id == other.id);
        let number = found.and_then(|fact| fact.place).map(|place| format!("#{} ", place + 1));
        let to = other.to.as_deref().map(|to| format!(" {to}")).unwrap_or_default();
        let whose = match found {
            Some(_) => String::new(),
            None => format!(" of {}", self.whose(other.participant_id.as_deref())),
        };
        format!("{}{}{to}{whose}", number.unwrap_or_default(), other.kind)
    }

    fn whose(&self, participant: Option<&str>) -> String {
        let Some(id) = participant else { return "conversation".to_owned() };
        format!("{} {}", self.roles.get(id).unwrap_or(&"participant"), short(id))
    }

    /// The time of day; with the date where that is another.
    fn time(&self, text: &str) -> String {
        match text.strip_prefix(self.date) {
            Some(rest) if !self.date.is_empty() => rest.trim_matches(['T', 'Z']).to_owned(),
            _ => text.to_owned(),
        }
    }
}

/// What a fact says.
fn said(fact: &Fact) -> String {
    let mut text = fact.kind.clone();
    match (&fact.from, &fact.to) {
        (Some(from), Some(to)) => text.push_str(&format!(" {from} -> {to}")),
        (None, Some(to)) => text.push_str(&format!(" {to}")),
        _ => {}
    }
    text.extend(
        fact.reason.as_ref().filter(|reason| fact.to.as_ref() != Some(reason)).map(|r| format!(" ({r})")),
    );
    if let Some(communication) = &fact.communication_id {
        let medium = fact.medium.as_deref().unwrap_or("communication");
        text.push_str(&format!(", {medium} {}", short(communication)));
    }
    text
}

fn short(id: &str) -> &str {
    id.char_indices().nth(SHORT).map_or(id, |(at, _)| &id[..at])
}

fn date(text: &str) -> &str {
    text.split('T').next().unwrap_or_default()
}

fn plural(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// How long it is from one instant to a later one; none when it is not later, or no time at all.
fn between(from: &str, to: &str) -> Option<String> {
    let (from, to): (Timestamp, Timestamp) = (from.parse().ok()?, to.parse().ok()?);
    let nanos = to.as_nanosecond() - from.as_nanosecond();
    let millis = nanos / 1_000_000;
    match (nanos, millis) {
        (..=0, _) => None,
        (_, 0) => Some(format!("{nanos} ns")),
        (_, ..1_000) => Some(format!("{millis} ms")),
        (_, ..60_000) => Some(format!("{}.{:03} s", millis / 1_000, millis % 1_000)),
        _ => Some(format!("{} min {} s", millis / 60_000, millis / 1_000 % 60)),
    }
}

/// A label and a text behind it; lines that go on are indented. Words are never cut.
fn wrapped(label: &str, text: &str, indent: usize, width: usize) -> String {
    let mut out = label.to_owned();
    let mut column = label.chars().count();
    let mut fresh = true;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if !fresh && column + 1 + len > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            (column, fresh) = (indent, true);
        }
        if !fresh {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        (column, fresh) = (column + len, false);
    }
    out + "\n"
}

#[cfg(test)]
mod tests;
