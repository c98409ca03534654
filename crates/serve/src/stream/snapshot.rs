//! What is active when a stream begins: one answer of the shard, and so one committed state.
//!
//! The count, the list and the position come out of one question. Rejected: the count of the newest summary beside a list
//! that is asked for afterwards, page by page: conversations come and go in between, and the two contradict each other.
//! The list is cut where one answer is (`truncated`); with a filter nobody has counted the rest, and the count is null.
//! Each conversation has a line of its own: readers of event streams bound a line, not an event.

use super::{Follower, RETRY};
use crate::show::Conversation;
use axum::response::sse::Event;
use engine::ConversationView;
use pipeline::{Answer, NoAnswer, Page, When};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

/// How many active conversations a snapshot holds at most: a page of the list.
const SNAPSHOT_MAX: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot<'a> {
    position: String,
    active_interactions: Option<u64>,
    completeness: &'static str,
    conversations: Vec<Conversation<'a>>,
    truncated: bool,
}

impl Follower {
    /// What is active now, of what is wanted; the stream goes on from its position.
    pub(super) async fn snapshot(&mut self) -> Result<Event, NoAnswer> {
        let answer = self.active().await?;
        let Page { items, next, active } = &answer.value;
        let all = self.wanted.conversation.is_none() && self.wanted.of_all();
        let counted = if all { Some(*active) } else { next.is_none().then_some(items.len() as u64) };
        self.at = answer.position;
        let snapshot = Snapshot {
            position: answer.position.to_string(),
            active_interactions: counted,
            completeness: answer.completeness.as_str(),
            conversations: items.iter().map(Conversation::listed).collect(),
            truncated: next.is_some(),
        };
        let text = in_lines(&snapshot).map_err(|_| NoAnswer::Stopped)?;
        Ok(Event::default().event("snapshot").id(self.at.to_string()).retry(RETRY).data(text))
    }

    async fn active(&self) -> Result<Answer<Page>, NoAnswer> {
        let (reader, now) = (&self.shared.reader, When::default());
        let Some(id) = &self.wanted.conversation else {
            return reader.list(self.wanted.active(), None, SNAPSHOT_MAX, now).await;
        };
        let Answer { value, position, completeness, removed_until } =
            reader.conversation(id.clone(), now).await?;
        let items: Vec<ConversationView> =
            value.into_iter().filter(|view| self.wanted.is_active(view)).collect();
        let value = Page { active: items.len() as u64, items, next: None };
        Ok(Answer { value, position, completeness, removed_until })
    }
}

/// Writes JSON with a line for each value of the outermost list.
fn in_lines(snapshot: &Snapshot<'_>) -> Result<String, serde_json::Error> {
    let mut text = Vec::new();
    snapshot.serialize(&mut Serializer::with_formatter(&mut text, Lines { depth: 0 }))?;
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

struct Lines {
    depth: usize,
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.depth += 1;
        CompactFormatter.begin_array(to)
    }

    fn end_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.depth -= 1;
        CompactFormatter.end_array(to)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        CompactFormatter.begin_array_value(to, first)?;
        if self.depth == 1 { to.write_all(b"\n") } else { Ok(()) }
    }
}
