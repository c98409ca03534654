//! Who is on which conversation: the list, and what is known of one.
//!
//! A page is addressed by the id it begins behind, not by a number, so that conversations that come and go between two
//! pages neither repeat nor hide others.

use crate::Shared;
use crate::error::{Code, Problem};
use crate::parameters::{Parameters, short};
use crate::show::{self, Conversation, Items, PageOf, Spell, Timeline, User, Why};
use crate::times;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use engine::{Filter, Id, Word};
use pipeline::{Answer, When};
use std::sync::Arc;

/// The longest page.
const LIMIT_MAX: usize = 1_000;
/// The page of a caller who does not say.
const LIMIT_DEFAULT: usize = 100;

type Named = Result<Path<String>, PathRejection>;

/// `GET /api/v1/conversations`, as they were at an instant with `?at=`, as they were shown at one with `?known_at=`.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let Wanted { filter, after, limit, when } = Wanted::of(parameters, shared.clock.now())?;
    let answer = shared.reader.list(filter, after, limit, when).await?;
    let page = PageOf {
        items: answer.value.items.iter().map(Conversation::listed).collect(),
        next_cursor: answer.value.next.as_ref().map(cursor),
        active_interactions: (when == When::default()).then_some(answer.value.active),
        position: answer.position.to_string(),
        completeness: answer.completeness.as_str(),
        at: when.at.map(times::ours),
        known_at: when.known_at.map(times::ours),
    };
    Ok(Json(page).into_response())
}

/// `GET /api/v1/conversations/{id}`, as it was at an instant with `?at=`, as it was shown at one with `?known_at=`.
pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    name: Named,
    mut given: Parameters,
) -> Result<Response, Problem> {
    let id = id_of(name).ok_or_else(unknown_conversation)?;
    let now = shared.clock.now();
    let when = when(&mut given, now)?;
    let answer = shared.reader.conversation(id, when).await?;
    let view = answer.value.as_ref().ok_or_else(|| gone(&answer, nothing_then(when)))?;
    Ok(Json(Conversation::whole(view, answer.position, when)).into_response())
}

/// `GET /api/v1/conversations/{id}/timeline`, as it was shown at an instant with `?known_at=`.
pub(crate) async fn timeline(
    State(shared): State<Arc<Shared>>,
    name: Named,
    given: Parameters,
) -> Result<Response, Problem> {
    let (id, at) = (id_of(name).ok_or_else(unknown_conversation)?, known_at(given, &shared)?);
    let answer = shared.reader.timeline(id.clone(), at).await?;
    let entries = answer.value.as_ref().ok_or_else(|| gone(&answer, unknown_then(at)))?;
    Ok(Json(Timeline::of(&id, entries, show::about(&answer), at)).into_response())
}

/// `GET /api/v1/conversations/{id}/spells`, as they were shown at an instant with `?known_at=`.
pub(crate) async fn spells(
    State(shared): State<Arc<Shared>>,
    name: Named,
    given: Parameters,
) -> Result<Response, Problem> {
    let (id, at) = (id_of(name).ok_or_else(unknown_conversation)?, known_at(given, &shared)?);
    let answer = shared.reader.spells(id, at).await?;
    let spells = answer.value.as_ref().ok_or_else(|| gone(&answer, unknown_then(at)))?;
    let items = Items {
        items: spells.iter().map(Spell::of).collect(),
        position: answer.position.to_string(),
        completeness: answer.completeness.as_str(),
        known_at: at.map(times::ours),
    };
    Ok(Json(items).into_response())
}

/// `GET /api/v1/conversations/{id}/why`, of one participant with `?participantId=`.
pub(crate) async fn why(
    State(shared): State<Arc<Shared>>,
    name: Named,
    mut given: Parameters,
) -> Result<Response, Problem> {
    let id = id_of(name).ok_or_else(unknown_conversation)?;
    let of = given.take_as("participantId", "a participant's id", |text| Id::new(text).ok())?;
    let answer = shared.reader.why(id.clone(), of.clone()).await?;
    let facts = answer.value.as_ref().ok_or_else(|| gone(&answer, unknown_conversation()))?;
    if facts.is_empty() {
        let detail = "nothing was ever heard of a participant with this id in this conversation";
        return Err(Problem::new(Code::UnknownParticipant, detail));
    }
    Ok(Json(Why::of(&id, of.as_ref(), facts, show::about(&answer))).into_response())
}

/// `GET /api/v1/users/{id}`.
pub(crate) async fn user(State(shared): State<Arc<Shared>>, name: Named) -> Result<Response, Problem> {
    let unknown = || Problem::new(Code::UnknownUser, "nothing was ever heard of a user with this id");
    let id = id_of(name).ok_or_else(unknown)?;
    let answer = shared.reader.user(id.clone()).await?;
    let view = answer.value.as_ref().ok_or_else(unknown)?;
    Ok(Json(User::of(&id, view, show::about(&answer))).into_response())
}

/// Which conversations a caller wants.
#[derive(Debug)]
struct Wanted {
    filter: Filter,
    after: Option<Id>,
    limit: usize,
    when: When,
}

impl Wanted {
    fn of(mut given: Parameters, now: i64) -> Result<Self, Problem> {
        let filter = Filter {
            active: given.take_as("active", "true or false", |text| text.parse().ok())?,
            role: given.take_as("role", "a role of at most 64 bytes", |text| short(text, Word::lower))?,
            queue: given.take_as("queueId", "a queue's id", |text| Id::new(text).ok())?,
            user: given.take_as("userId", "a user's id", |text| Id::new(text).ok())?,
            medium: given.take_as("medium", "a medium of at most 64 bytes", |text| short(text, Word::new))?,
            state: given.take_as("state", "a state of at most 64 bytes", |text| short(text, Word::lower))?,
            suspect: given.take_as("suspect", "true or false", |text| text.parse().ok())?,
        };
        let limit = given.take_as("limit", "a number from 1 to 1000", |text| {
            text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
        })?;
        let after = match given.take("cursor")? {
            None => None,
            Some(text) => Some(after_cursor(&text).ok_or_else(bad_cursor)?),
        };
        let when = when(&mut given, now)?;
        if when != When::default() && filter.suspect.is_some() {
            let detail = "\"suspect\" cannot be applied to an instant: that an end may have been missed is found out later";
            return Err(Problem::new(Code::BadParameter, detail));
        }
        Ok(Self { filter, after, limit: limit.unwrap_or(LIMIT_DEFAULT), when })
    }
}

/// The bytes of an id in hexadecimal digits: safe in a query, and plainly not to be built by hand.
fn cursor(after: &Id) -> String {
    after.to_string().bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn after_cursor(cursor: &str) -> Option<Id> {
    let digits: Option<Vec<u8>> =
        cursor.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    let bytes = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    Id::new(&String::from_utf8(bytes).ok()?).ok()
}

fn id_of(name: Named) -> Option<Id> {
    let Path(name) = name.ok()?;
    Id::new(&name).ok()
}

fn unknown_conversation() -> Problem {
    Problem::new(Code::UnknownConversation, "nothing was ever heard of a conversation with this id")
}

/// Why there is nothing: what was known was removed, or else what is given.
fn gone<T>(answer: &Answer<T>, otherwise: Problem) -> Problem {
    let Some(until) = answer.removed_until else { return otherwise };
    let until = times::ours(until);
    let detail = format!(
        "what was known of a conversation with this id was removed by retention, with others that had ended before {until}; \
         `keep_facts` and `max_size` of the configuration's section [store] say what is kept"
    );
    Problem::new(Code::UnknownConversation, detail)
}

/// Nothing is known of a conversation, or nothing of it had happened, or was known then.
fn nothing_then(when: When) -> Problem {
    let When { at: Some(at), known_at } = when else { return unknown_then(when.known_at) };
    let mut detail = format!("nothing of a conversation with this id had happened at {}", times::ours(at));
    if let Some(known_at) = known_at {
        detail.push_str(&format!(", as far as was known at {}", times::ours(known_at)));
    }
    Problem::new(Code::UnknownConversation, detail)
}

/// Nothing is known of a conversation, or was at that instant.
fn unknown_then(at: Option<i64>) -> Problem {
    let Some(at) = at else { return unknown_conversation() };
    let detail = format!("nothing was known of a conversation with this id at {}", times::ours(at));
    Problem::new(Code::UnknownConversation, detail)
}

/// The only parameter of one that answers as things were known at an instant.
fn known_at(mut given: Parameters, shared: &Shared) -> Result<Option<i64>, Problem> {
    let at = past(&mut given, "known_at", shared.clock.now())?;
    Ok(at)
}

/// As of when a caller asks: what was true, and what was shown, at instants that are not in the future.
pub(crate) fn when(given: &mut Parameters, now: i64) -> Result<When, Problem> {
    Ok(When { at: past(given, "at", now)?, known_at: past(given, "known_at", now)? })
}

/// An instant that is not in the future.
fn past(given: &mut Parameters, name: &str, now: i64) -> Result<Option<i64>, Problem> {
    let at = given.take_as(name, times::MUST_BE, times::read)?;
    match at {
        Some(at) if at > now => {
            let detail = format!("\"{name}\" must not be in the future: what will be then is not known");
            Err(Problem::new(Code::BadParameter, detail))
        }
        at => Ok(at),
    }
}

fn bad_cursor() -> Problem {
    Problem::new(Code::BadCursor, "\"cursor\" must be a page's nextCursor, as it was given")
}

#[cfg(test)]
mod tests;
