//! Which conversations to read: those that are live, and those of a hole that have ended since.
//!
//! The live ones come from the activity query, the only way to learn ids without naming a user; it may cut its list, and
//! then is asked again by queue and by user, whose lists are shorter. The others come from the details query, which gives
//! every conversation that *started* on a day the interval touches; those that ended before the hole are left out.

use crate::api::{Api, ApiError, Call};
use crate::context::Context;
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
/// Pages read of the details query: 100,000 conversations of one hole.
const PAGES_MAX: usize = 1_000;
/// The details query takes 31 days at most.
const HOLE_NANOS_MAX: i64 = 30 * 86_400 * engine::SECOND;

/// What is to be read, and why that may not be all.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub conversations: HashSet<Id>,
    pub problem: Option<String>,
}

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
pub(crate) async fn list<S>(context: &Context<S>, since: Option<i64>) -> Listed {
    let mut listed = Listed::default();
    match live(&context.api).await {
        Ok((ids, whole)) => {
            listed.conversations.extend(ids);
            listed.problem = (!whole).then(|| "the platform cut its list of live conversations".to_owned());
        }
        Err(error) => listed.problem = Some(format!("the live conversations cannot be listed: {error}")),
    }
    let Some(since) = since else { return listed };
    // What is asked of the platform's history is asked by its clock.
    let cloud = context.api.cloud();
    let (since, now) = (cloud.at(since), cloud.at(context.clock.now()));
    let margin = i64::try_from(context.settings.timing.repair_margin.as_nanos()).unwrap_or(0);
    let from = since.saturating_sub(margin).max(now.saturating_sub(HOLE_NANOS_MAX));
    match of_hole(&context.api, from, now).await {
        Ok(ids) => listed.conversations.extend(ids),
        Err(error) => {
            let problem = || format!("the conversations of the hole cannot be listed: {error}");
            listed.problem.get_or_insert_with(problem);
        }
    }
    listed
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

/// The ids of conversations that started on a day of the hole and did not end before it.
async fn of_hole(api: &Api, from: i64, to: i64) -> Result<HashSet<Id>, ApiError> {
    let mut ids = HashSet::new();
    for page in 1..=PAGES_MAX {
        let details: Details = api.json(details_query(from, to, page, PAGE_CONVERSATIONS)).await?;
        let of_hole = details.conversations.iter().filter(|c| !c.ended_before(from));
        ids.extend(of_hole.filter_map(|c| topic_id(&c.conversation_id).ok()));
        if details.conversations.len() < PAGE_CONVERSATIONS {
            break;
        }
    }
    Ok(ids)
}

/// One page (from 1) of the conversations of an interval, in nanoseconds since the epoch.
pub(crate) fn details_query(from: i64, to: i64, page: usize, page_size: usize) -> Call<'static> {
    let at = |nanos: i64| Timestamp::from_millisecond(nanos.div_euclid(1_000_000)).unwrap_or_default();
    let body = json!({
        "interval": format!("{:.3}/{:.3}", at(from), at(to)),
        "paging": { "pageSize": page_size, "pageNumber": page },
        "order": "asc",
        "orderBy": "conversationStart",
    });
    Call::post(&["analytics", "conversations", "details", "query"], body, DETAILS_PERMISSION)
}

impl Conversation {
    fn ended_before(&self, nanos: i64) -> bool {
        let end = self.conversation_end.as_deref().and_then(|end| end.parse::<Timestamp>().ok());
        end.is_some_and(|end| end.as_nanosecond() < i128::from(nanos))
    }
}

#[cfg(test)]
mod tests;
