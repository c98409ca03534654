//! Which conversations to read: those that are live, and those of a hole that have ended since.
//!
//! The live ones come from the activity query, the only way to learn ids without naming a user; it may cut its list, and
//! then is asked again by queue and by user, whose lists are shorter. The others come from the details query, which gives
//! every conversation that *started* on a day the interval touches; those that ended before the hole are left out. So it
//! is asked day by day: nothing shorter makes an answer shorter. What began on an earlier day and ended in the hole it
//! does not give; the engine wishes for that, since it was active. Whatever cuts a list is a problem of the round that
//! asked: a conversation that nobody named cannot count as read. Rejected: filters and orders by the end of a
//! conversation, of which the platform does not say where they put those that have none yet.

use crate::api::{Api, ApiError, Call};
use crate::context::Context;
use crate::past::Past;
use crate::repairing::Listed;
use crate::topics::topic_id;
use engine::Id;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// The permission of the activity query.
pub(crate) const LIVE_PERMISSION: &str = "analytics:queueObservation:view";
/// The permission of the details query.
pub(crate) const DETAILS_PERMISSION: &str = "analytics:conversationDetail:view";
/// Conversations on a page of the details query: what clients are known to ask.
const PAGE_CONVERSATIONS: usize = 100;
const DAY: i64 = 86_400 * engine::SECOND;
/// How far back a hole is asked about. 30 days: an hour of calls, and what is older REST soon knows no more.
const DAYS_MAX: i64 = 30;
/// Conversations that are listed of one hole: eight hours of calls at 300 a minute, some 10 MB.
const HIDDEN_MAX: usize = 100_000;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Activity {
    results: Vec<ActivityGroup>,
    entity_id_dimension: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ActivityGroup {
    group: HashMap<String, Value>,
    data: Vec<ActivityMetric>,
    entities: Vec<Conversation>,
    truncated: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ActivityMetric {
    entity_ids: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Conversation {
    conversation_id: String,
    conversation_end: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    conversations: Vec<Conversation>,
}

/// Lists what is live and, with `since`, what may have ended unheard from then on.
pub(crate) async fn list<S>(context: &Context<S>, since: Option<&Past>) -> Listed {
    let mut listed = Listed::default();
    let mut found = HashSet::new();
    match live(&context.api).await {
        Ok((ids, whole)) => {
            found.extend(ids);
            listed.problem = (!whole).then(|| "the platform cut its list of live conversations".to_owned());
        }
        Err(error) => listed.problem = Some(format!("the live conversations cannot be listed: {error}")),
    }
    if let Some(since) = since {
        found.extend(list_hole(context, since, &mut listed).await);
    }
    listed.conversations.extend(found);
    listed
}

/// Those of a hole that began at `since`; what cuts the list is a problem of what is listed.
async fn list_hole<S>(context: &Context<S>, since: &Past, listed: &mut Listed) -> HashSet<Id> {
    // What is asked of the platform's history is asked by its clock.
    let cloud = context.api.cloud();
    let now = context.clock.moment();
    cloud.reads(now.wall, now.boot);
    let (since, now) = (cloud.at(since.by(now)), cloud.at(now.wall));
    let timing = &context.settings.timing;
    let margin = i64::try_from(timing.repair_margin.as_nanos()).unwrap_or(0);
    let (from, reach) = (since.saturating_sub(margin), now.saturating_sub(DAYS_MAX * DAY));
    let mut hole =
        Hole { from: from.max(reach), pages_max: timing.repair_day_pages_max, ids: HashSet::new() };
    listed.too_old = from < reach;
    let too_old = listed.too_old.then(|| {
        format!(
            "it began more than {DAYS_MAX} days ago, and of what ended before {} nothing can be listed",
            time(reach)
        )
    });
    let cut = hole
        .list(&context.api, now)
        .await
        .unwrap_or_else(|error| Some(format!("the conversations of the hole cannot be listed: {error}")));
    // The first problem is the one that is told.
    listed.problem = listed.problem.take().or(too_old).or(cut);
    hole.ids
}

/// The ids of live conversations, and whether they are all.
async fn live(api: &Api) -> Result<(HashSet<Id>, bool), ApiError> {
    let (mut ids, whole) = activity(api, None).await?;
    if whole {
        return Ok((ids, true));
    }
    let mut all = true;
    for dimension in ["queueId", "userId"] {
        let (more, whole) = activity(api, Some(dimension)).await?;
        ids.extend(more);
        all &= whole;
    }
    Ok((ids, all))
}

async fn activity(api: &Api, group_by: Option<&str>) -> Result<(HashSet<Id>, bool), ApiError> {
    let answer: Activity = api.json(live_query(group_by)).await?;
    let by_entity = answer.entity_id_dimension.as_deref() == Some("conversationId");
    let mut ids = HashSet::new();
    let mut whole = true;
    for group in &answer.results {
        whole &= !group.truncated;
        let grouped = group.group.get("conversationId").and_then(Value::as_str);
        let entities = group.entities.iter().map(|entity| entity.conversation_id.as_str());
        let named =
            group.data.iter().filter(|_| by_entity).flat_map(|metric| &metric.entity_ids).map(String::as_str);
        ids.extend(grouped.into_iter().chain(entities).chain(named).filter_map(|id| topic_id(id).ok()));
    }
    Ok((ids, whole))
}

/// What is alerting, interacting or waiting now, with details.
pub(crate) fn live_query(group_by: Option<&str>) -> Call<'static> {
    let metrics =
        ["oAlerting", "oInteracting", "oWaiting"].map(|metric| json!({ "metric": metric, "details": true }));
    let mut body = json!({ "metrics": metrics, "order": "asc" });
    if let Some(dimension) = group_by {
        body["groupBy"] = json!([dimension]);
    }
    Call::post(&["analytics", "conversations", "activity", "query"], body, LIVE_PERMISSION)
}

/// The conversations of a hole, as far as they are listed.
struct Hole {
    /// In nanoseconds since the epoch.
    from: i64,
    pages_max: usize,
    ids: HashSet<Id>,
}

impl Hole {
    /// Lists those that started on a day of the hole, which lasts until `to`, and did not end before it; what cut the list.
    async fn list(&mut self, api: &Api, to: i64) -> Result<Option<String>, ApiError> {
        for (begin, end) in days(self.from, to) {
            let whole = self.list_day(api, begin, end).await?;
            if self.ids.len() >= HIDDEN_MAX {
                return Ok(Some(format!(
                    "it hides {HIDDEN_MAX} conversations or more, and no more are listed"
                )));
            }
            if !whole {
                let conversations = self.pages_max.saturating_mul(PAGE_CONVERSATIONS);
                let day = time(begin);
                return Ok(Some(format!(
                    "more than {conversations} conversations started on the day of {day}, and no more are listed"
                )));
            }
        }
        Ok(None)
    }

    /// Whether all of a day was listed.
    async fn list_day(&mut self, api: &Api, begin: i64, end: i64) -> Result<bool, ApiError> {
        for page in 1..=self.pages_max {
            let details: Details = api.json(details_query(begin, end, page, PAGE_CONVERSATIONS)).await?;
            let hidden = details.conversations.iter().filter(|c| !c.ended_before(self.from));
            self.ids.extend(hidden.filter_map(|c| topic_id(&c.conversation_id).ok()));
            if details.conversations.len() < PAGE_CONVERSATIONS {
                return Ok(true);
            }
            if self.ids.len() >= HIDDEN_MAX {
                break;
            }
        }
        Ok(false)
    }
}

/// The parts of `[from, to]` by day (UTC), in nanoseconds since the epoch; one at least.
fn days(from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> {
    let midnight = |at: i64| at.div_euclid(DAY).saturating_add(1).saturating_mul(DAY);
    let to = to.max(from);
    let begins = std::iter::successors(Some(from), move |begin| {
        Some(midnight(*begin)).filter(|next| *begin < *next && *next <= to)
    });
    begins.map(move |begin| (begin, midnight(begin).min(to)))
}

/// One page (from 1) of the conversations of an interval, in nanoseconds since the epoch.
pub(crate) fn details_query(from: i64, to: i64, page: usize, page_size: usize) -> Call<'static> {
    let body = json!({
        "interval": format!("{:.3}/{:.3}", time(from), time(to)),
        "paging": { "pageSize": page_size, "pageNumber": page },
        "order": "asc",
        "orderBy": "conversationStart",
    });
    Call::post(&["analytics", "conversations", "details", "query"], body, DETAILS_PERMISSION)
}

fn time(nanos: i64) -> Timestamp {
    Timestamp::from_millisecond(nanos.div_euclid(1_000_000)).unwrap_or_default()
}

impl Conversation {
    fn ended_before(&self, nanos: i64) -> bool {
        let end = self.conversation_end.as_deref().and_then(|end| end.parse::<Timestamp>().ok());
        end.is_some_and(|end| end.as_nanosecond() < i128::from(nanos))
    }
}

#[cfg(test)]
mod tests;
