//! The answer of `/api/v1/conversations/{id}/why`, as far as it is spelt out.

use serde::Deserialize;

/// Every fact of a conversation, or of one of its participants.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    pub conversation_id: String,
    pub participant_id: Option<String>,
    pub facts: Vec<Fact>,
    pub completeness: String,
    pub position: String,
}

/// One fact.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    pub id: String,
    pub at: Option<String>,
    pub effective_at: String,
    pub received_at: String,
    pub participant_id: Option<String>,
    pub communication_id: Option<String>,
    pub kind: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub role: Option<String>,
    pub user_id: Option<String>,
    pub queue_id: Option<String>,
    pub medium: Option<String>,
    pub reason: Option<String>,
    pub source: String,
    pub late: bool,
    pub place: Option<u32>,
    pub hidden: Option<String>,
    pub feed: Option<String>,
    pub authority: String,
    pub identity: String,
    pub placed: Placed,
    pub concurrent_with: Vec<Other>,
    pub concurrent_count: u32,
}

/// What placed a fact.
#[derive(Debug, Deserialize)]
pub struct Placed {
    pub rule: String,
    pub by: Option<Other>,
}

/// Another fact.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Other {
    pub id: String,
    pub kind: String,
    pub to: Option<String>,
    pub participant_id: Option<String>,
    pub effective_at: String,
}
