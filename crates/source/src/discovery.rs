//! Which queues and users an organisation has.
//!
//! Both lists are paged through whole; what is new gets a topic, what is gone keeps its (silent) one until the channel
//! is renewed. A list that may not be read leaves the other one to work with, and says which permission is missing.

use crate::TopicTarget;
use crate::api::{Api, ApiError, Call};
use crate::topics::topic_id;
use serde::Deserialize;

/// Entities on a page: the most that clients are known to ask of both lists.
const PAGE_ENTITIES: &str = "100";
/// Pages read: 100,000 users, five times what all channels of a client take.
const PAGES_MAX: u32 = 1_000;

/// What was found, and what could not be read.
#[derive(Debug, Default)]
pub(crate) struct Discovered {
    pub targets: Vec<TopicTarget>,
    pub failures: Vec<(&'static str, ApiError)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Page {
    entities: Vec<Entity>,
    page_count: Option<u32>,
}

#[derive(Deserialize)]
struct Entity {
    id: String,
}

/// Looks up all queues and all users.
pub(crate) async fn discover(api: &Api) -> Discovered {
    let mut found = Discovered::default();
    match ids(api, &["routing", "queues"], "routing:queue:view").await {
        Ok(ids) => found.targets.extend(ids.into_iter().map(TopicTarget::Queue)),
        Err(error) => found.failures.push(("queues", error)),
    }
    match ids(api, &["users"], "directory:user:view").await {
        Ok(ids) => found.targets.extend(ids.into_iter().map(TopicTarget::User)),
        Err(error) => found.failures.push(("users", error)),
    }
    found
}

/// Every id of a paged list.
pub(crate) async fn ids(
    api: &Api,
    path: &[&str],
    permission: &'static str,
) -> Result<Vec<engine::Id>, ApiError> {
    let mut ids = Vec::new();
    for number in 1..=PAGES_MAX {
        let number_text = number.to_string();
        let query = [("pageSize", PAGE_ENTITIES), ("pageNumber", number_text.as_str())];
        let page: Page = api.json(Call::get(path, permission).query(&query)).await?;
        let last = page.entities.is_empty() || page.page_count.is_some_and(|count| number >= count);
        ids.extend(page.entities.iter().filter_map(|entity| topic_id(&entity.id).ok()));
        if last {
            break;
        }
    }
    Ok(ids)
}
