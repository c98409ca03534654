//! The explanation of a conversation's facts: what they say, where they came from, what placed them.
//!
//! Words of a closed list each, for machines; what they mean to a person is said by whoever shows them (`headcount why`).

use super::{Entry, Text, fact_id, id, word};
use crate::times::Written;
use engine::{Completeness, Explained, Hidden, Id, Identity, Named, Placed, Rule};
use pipeline::Position;
use serde::Serialize;

/// What is explained, for whoever has no service to ask.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// Of this conversation.
    pub conversation: &'a Id,
    /// Of this participant alone.
    pub participant: Option<&'a Id>,
    /// The facts in their order.
    pub facts: &'a [Explained],
}

impl Explanation<'_> {
    /// The body of `/api/v1/conversations/{id}/why`, in lines.
    ///
    /// # Errors
    /// When a time cannot be written, which none of the engine's is.
    pub fn to_json(&self, position: Position, completeness: Completeness) -> serde_json::Result<String> {
        let about = (position, completeness.as_str());
        serde_json::to_string_pretty(&Why::of(self.conversation, self.participant, self.facts, about))
    }
}

/// Every fact of a conversation, or of one of its participants, in the order of the timeline.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Why<'a> {
    conversation_id: Text<&'a Id>,
    participant_id: Option<Text<&'a Id>>,
    facts: Vec<Fact<'a>>,
    completeness: &'static str,
    position: Text<Position>,
}

/// One fact. `place` is its place in the timeline, null when it is not shown there, and `hidden` says why not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fact<'a> {
    #[serde(flatten)]
    entry: Entry<'a>,
    place: Option<u32>,
    hidden: Option<&'static str>,
    feed: Option<&'a str>,
    incarnation: u32,
    authority: &'static str,
    identity: &'static str,
    placed: Place<'a>,
    concurrent_with: Vec<Other<'a>>,
    concurrent_count: u32,
}

#[derive(Serialize)]
struct Place<'a> {
    rule: &'static str,
    by: Option<Other<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Other<'a> {
    id: String,
    kind: &'static str,
    to: Option<&'a str>,
    participant_id: Option<Text<&'a Id>>,
    communication_id: Option<Text<&'a Id>>,
    effective_at: Written,
}

impl<'a> Why<'a> {
    /// The facts in their order.
    pub(crate) fn of(
        conversation: &'a Id,
        participant: Option<&'a Id>,
        facts: &'a [Explained],
        answer: (Position, &'static str),
    ) -> Self {
        Self {
            conversation_id: Text(conversation),
            participant_id: participant.map(Text),
            facts: facts.iter().map(Fact::of).collect(),
            completeness: answer.1,
            position: Text(answer.0),
        }
    }
}

impl<'a> Fact<'a> {
    fn of(explained: &'a Explained) -> Self {
        Self {
            entry: Entry::of(&explained.entry),
            place: explained.place,
            hidden: explained.hidden.map(hidden),
            feed: explained.feed.as_deref(),
            incarnation: explained.incarnation,
            authority: explained.authority.as_str(),
            identity: identity(explained.identity),
            placed: Place::of(&explained.placed),
            concurrent_with: explained.concurrent.iter().map(Other::of).collect(),
            concurrent_count: explained.concurrent_count,
        }
    }
}

impl<'a> Place<'a> {
    fn of(placed: &'a Placed) -> Self {
        Self { rule: rule(placed.rule), by: placed.by.as_ref().map(Other::of) }
    }
}

impl<'a> Other<'a> {
    fn of(named: &'a Named) -> Self {
        Self {
            id: fact_id(named.fact),
            kind: named.kind,
            to: word(&named.to),
            participant_id: id(&named.participant),
            communication_id: id(&named.communication),
            effective_at: Written(named.effective_at),
        }
    }
}

fn hidden(why: Hidden) -> &'static str {
    match why {
        Hidden::NoChange => "noChange",
        Hidden::Attributes => "attributes",
        Hidden::StandsBack => "standsBack",
    }
}

fn identity(identity: Identity) -> &'static str {
    match identity {
        Identity::Event => "event",
        Identity::Once => "once",
        Identity::Beginning => "beginning",
        Identity::Hold => "hold",
        Identity::NthChange => "nthChange",
        Identity::ContentAndTime => "contentAndTime",
    }
}

fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Time => "time",
        Rule::Received => "received",
        Rule::InFront => "inFront",
        Rule::Clock => "clock",
        Rule::LifeCycle => "lifeCycle",
        Rule::HoldBegan => "holdBegan",
        Rule::TieRank => "tieRank",
        Rule::TieId => "tieId",
    }
}
