//! What came out, as the lines that a file of the corpus expects.

use crate::corpus::run::World;
use engine::{CommunicationView, Id, MINUTE, ParticipantView, SECOND, Shown, Time, TimelineEntry};
use wire::format_time;

/// Every section, in the order of the format: the head, and its lines.
pub fn sections(world: &World) -> Vec<(String, Vec<String>)> {
    let mut sections = Vec::new();
    let spelt = |id: &str| world.spelt.contains(id);
    for id in &world.conversations {
        let id = Id::new(id).unwrap();
        let told = world.keeper().about(&id, world.now, |shown| {
            (timeline(shown, world), state(shown, world), spells(shown, world))
        });
        let Some((timeline, state, spells)) = told.unwrap().value else { continue };
        sections.push((format!("timeline {id}"), timeline));
        sections.push((format!("state {id}"), state));
        if spelt(&id.to_string()) {
            sections.push((format!("spells {id}"), spells));
        }
    }
    sections.push(("counts".to_owned(), counts(world)));
    sections.push(("ledger".to_owned(), ledger(world)));
    sections
}

/// The sections as text, as they would stand in a file.
pub fn text(sections: &[(String, Vec<String>)]) -> String {
    let section = |(head, lines): &(String, Vec<String>)| {
        lines.iter().fold(format!("== {head} ==\n"), |text, line| text + line + "\n")
    };
    sections.iter().map(section).collect::<Vec<_>>().join("\n")
}

/// What does not depend on how evidence arrived: no marks of lateness, no completeness, no ledger.
pub fn end_state(sections: &[(String, Vec<String>)]) -> Vec<(String, Vec<String>)> {
    let kept = sections.iter().filter(|(head, _)| head != "ledger");
    let bare = |line: &String| {
        let words = line.split(' ').filter(|word| *word != "late" && !word.starts_with("completeness="));
        words.collect::<Vec<_>>().join(" ")
    };
    kept.map(|(head, lines)| (head.clone(), lines.iter().map(bare).collect())).collect()
}

fn timeline(shown: &Shown<'_>, world: &World) -> Vec<String> {
    shown.timeline().iter().map(|entry| line(entry, world)).collect()
}

fn line(e: &TimelineEntry, world: &World) -> String {
    let mut line = Line::default();
    line.word(match e.at {
        Some(_) => short(world.midnight, e.effective_at),
        None => "~".to_owned(),
    });
    line.word(match (&e.participant, &e.communication) {
        (Some(participant), Some(leg)) => format!("{participant}/{leg}"),
        (Some(participant), None) => participant.to_string(),
        _ => "-".to_owned(),
    });
    line.word(e.kind);
    if e.from.is_some() || e.to.is_some() {
        let or_none = |word: &Option<engine::Word>| word.as_ref().map_or("-".to_owned(), ToString::to_string);
        line.word(format!("{} -> {}", or_none(&e.from), or_none(&e.to)));
    }
    line.value("reason", e.reason.as_ref());
    line.flag("late", e.late);
    line.flag("concurrent", e.concurrent);
    line.0
}

fn state(shown: &Shown<'_>, world: &World) -> Vec<String> {
    let view = shown.conversation();
    let time = |time: Option<Time>| time.map(|time| short(world.midnight, time));
    let mut head = Line::default();
    head.word(if view.active { "active" } else { "ended" });
    head.value("from", time(view.started_at));
    head.value("to", time(view.ended_at));
    let media: Vec<String> = view.media.iter().map(ToString::to_string).collect();
    head.value("media", (!media.is_empty()).then(|| media.join(",")));
    let clock = view.clock.iter().filter(|(actor, _)| !actor.as_str().starts_with("headcount-"));
    let clock: Vec<String> = clock.map(|(region, counter)| format!("{region}:{counter}")).collect();
    head.value("clock", (!clock.is_empty()).then(|| clock.join(",")));
    head.value("completeness", Some(view.completeness.as_str()));
    let mut lines = vec![head.0];
    for participant in &view.participants {
        lines.push(participant_line(participant, world.midnight));
        let legs = participant.communications.iter();
        lines.extend(legs.map(|leg| leg_line(participant, leg, world.midnight)));
    }
    lines
}

fn spells(shown: &Shown<'_>, world: &World) -> Vec<String> {
    let spell = |spell: &engine::SpellView| {
        let mut line = Line::default();
        line.word(match &spell.communication {
            Some(leg) => format!("{}/{leg}", spell.participant),
            None => spell.participant.to_string(),
        });
        line.value("state", spell.state.as_ref());
        line.value("role", spell.role.as_ref());
        line.flag("held", spell.held);
        let end = spell.to.map_or("now".to_owned(), |to| short(world.midnight, to));
        line.word(format!("{} to {end}", short(world.midnight, spell.from)));
        line.0
    };
    shown.spells().iter().map(spell).collect()
}

fn participant_line(p: &ParticipantView, midnight: i64) -> String {
    let mut line = Line::default();
    line.word(&p.id);
    line.value("role", p.role.as_ref());
    line.value("user", p.user.as_ref());
    line.value("queue", p.queue.as_ref());
    line.value("state", p.state.as_ref());
    line.value("left", p.left_at.map(|time| short(midnight, time)));
    line.value("reason", p.end_reason.as_ref());
    line.flag("active", p.active);
    line.flag("held", p.held);
    line.flag("muted", p.muted);
    line.0
}

fn leg_line(p: &ParticipantView, leg: &CommunicationView, midnight: i64) -> String {
    let time = |time: Option<Time>| time.map(|time| short(midnight, time));
    let mut line = Line::default();
    line.word(format!("{}/{}", p.id, leg.id));
    line.value("medium", leg.medium.as_ref());
    line.value("direction", leg.direction.as_ref());
    line.value("state", leg.state.as_ref());
    line.value("connected", time(leg.connected_at));
    line.value("ended", time(leg.ended_at));
    line.value("reason", leg.end_reason.as_ref());
    line.flag("held", leg.held);
    line.flag("muted", leg.muted);
    line.0
}

fn counts(world: &World) -> Vec<String> {
    let engine = world.keeper().engine();
    let mut lines = vec![format!("active {}", engine.active_count())];
    let activity = engine.activity();
    let first = activity.newest_minute.unwrap_or_default() - activity.counts.len() as i64 + 1;
    for (minute, count) in (first..).zip(activity.counts).filter(|(_, count)| *count > 0) {
        let time = short(world.midnight, Time::from_nanos(minute * MINUTE));
        lines.push(format!("cell {} {count}", time.strip_suffix(":00").unwrap_or(&time)));
    }
    lines
}

fn ledger(world: &World) -> Vec<String> {
    let feeds = world.keeper().engine().feeds(world.now);
    let mut lines: Vec<String> =
        feeds.iter().map(|feed| format!("feed {} {}", feed.name, feed.completeness.as_str())).collect();
    for row in world.holes.values() {
        let time = |nanos| short(world.midnight, Time::from_nanos(nanos).to_millis());
        let (from, end) = (time(row.from), row.to.map_or("now".to_owned(), time));
        lines.push(format!("hole {} {from} to {end} {}", row.name, row.state.as_str()));
    }
    lines.extend(world.outcomes.iter().map(|((outcome, reason), n)| format!("{outcome} {reason} {n}")));
    lines.extend(world.asked.iter().map(|(conversation, reason)| format!("asks {conversation} {reason}")));
    lines
}

/// `[±DAYS/]HH:MM:SS[.fraction]` without zeros at the end of the fraction.
pub fn short(midnight: i64, time: Time) -> String {
    const DAY: i64 = 86_400 * SECOND;
    let (days, of_day) = ((time.nanos - midnight).div_euclid(DAY), (time.nanos - midnight).rem_euclid(DAY));
    let text = format_time(Time::from_nanos(of_day));
    let clock = text.trim_start_matches("1970-01-01T").trim_end_matches('Z');
    let clock = clock.trim_end_matches('0').trim_end_matches('.');
    // A clock like 12:30:00 lost its own zeros too.
    let clock = if clock.len() < 8 { &text[11..19] } else { clock };
    if days == 0 { clock.to_owned() } else { format!("{days:+}/{clock}") }
}

/// A line put together word by word.
#[derive(Default)]
struct Line(String);

impl Line {
    fn word(&mut self, word: impl std::fmt::Display) {
        let gap = if self.0.is_empty() { "" } else { " " };
        self.0 += &format!("{gap}{word}");
    }

    fn value(&mut self, key: &str, value: Option<impl std::fmt::Display>) {
        value.into_iter().for_each(|value| self.word(format!("{key}={value}")));
    }

    fn flag(&mut self, name: &str, is_set: bool) {
        if is_set {
            self.word(name);
        }
    }
}
