//! The lists of queues and users by REST, page by page.
//!
//! Both lists are paged through whole; what is new gets a topic, what is gone keeps its (silent) one until the channel
//! is renewed. Which page is asked for when is the [directory's](crate::listening).

use crate::api::{Api, ApiError, Call};
use crate::listening::{ListKind, PAGES_MAX, Page};
use crate::topics::topic_id;
use serde::Deserialize;

/// Entities on a page: the most that clients are known to ask of both lists.
const PAGE_ENTITIES: &str = "100";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Listing {
    entities: Vec<Entity>,
    page_count: Option<u32>,
}

#[derive(Deserialize)]
struct Entity {
    id: String,
}

impl ListKind {
    fn path(self) -> &'static [&'static str] {
        match self {
            Self::Queues => &["routing", "queues"],
            Self::Users => &["users"],
        }
    }

    fn permission(self) -> &'static str {
        match self {
            Self::Queues => "routing:queue:view",
            Self::Users => "directory:user:view",
        }
    }
}

/// Reads a page, from 1, of a list.
pub(crate) async fn page(api: &Api, list: ListKind, number: u32) -> Result<Page, ApiError> {
    let number_text = number.to_string();
    let query = [("pageSize", PAGE_ENTITIES), ("pageNumber", number_text.as_str())];
    let listing: Listing = api.json(Call::get(list.path(), list.permission()).query(&query)).await?;
    let is_last = listing.entities.is_empty() || listing.page_count.is_some_and(|count| number >= count);
    Ok(Page {
        ids: listing.entities.iter().filter_map(|entity| topic_id(&entity.id).ok()).collect(),
        is_last,
    })
}

/// Reads every id of a list.
pub(crate) async fn ids(api: &Api, list: ListKind) -> Result<Vec<engine::Id>, ApiError> {
    let mut ids = Vec::new();
    for number in 1..=PAGES_MAX {
        let page = page(api, list, number).await?;
        ids.extend(page.ids);
        if page.is_last {
            break;
        }
    }
    Ok(ids)
}
