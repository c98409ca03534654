//! Reads one conversation once and submits what it says.

use crate::api::{ApiError, Call};
use crate::context::Context;
use crate::repairing::{FEED, Read};
use crate::sink::Sink;
use engine::Id;
use pipeline::Reason;
use std::time::Duration;
use wire::{Batch, Origin, Outcome, Refused};

/// The permission to read a conversation.
const PERMISSION: &str = "conversation:communication:view";

/// What a read that ended so is called where reads are counted.
pub(super) fn label(read: &Read) -> &'static str {
    match read {
        Read::Done => "ok",
        Read::Gone => "gone",
        Read::Forbidden(_) => "forbidden",
        Read::Failed { .. } => "failed",
        Read::Unreadable(_) => "unreadable",
    }
}

/// Reads a conversation.
pub(super) async fn read<S: Sink>(context: &Context<S>, id: &Id) -> Read {
    match attempt(context, id).await {
        Ok(read) => read,
        Err(error @ ApiError::Forbidden { .. }) => Read::Forbidden(error.to_string()),
        Err(error @ ApiError::TooLarge { .. }) => Read::Unreadable(error.to_string()),
        Err(ApiError::NotFound { .. }) => Read::Gone,
        Err(error) => Read::Failed { problem: error.to_string(), retry_in: error.retry_in() },
    }
}

async fn attempt<S: Sink>(context: &Context<S>, id: &Id) -> Result<Read, ApiError> {
    let id = id.to_string();
    let answer = context.api.send(Call::get(&["conversations", &id], PERMISSION)).await?;
    let received = context.clock.now();
    context.api.cloud().reads(received, context.clock.boot());
    let origin = Origin { feed: FEED, received, sent_by: context.api.cloud().at(received) };
    let mut batch = Batch::default();
    let outcome = wire::decode_conversation(&answer.body, origin, &context.settings.limits, &mut batch);
    if let Outcome::Refused(why) = outcome {
        let reason = why.as_str();
        context.telemetry.refused_frames.get_or_create(&Reason { reason }).inc();
        let problem = format!("the answer was refused for {reason}");
        // What seems to lie ahead is a matter of what is believed of the platform's time, and passes.
        return Ok(if why == Refused::FutureTime { failed(problem) } else { Read::Unreadable(problem) });
    }
    Ok(match context.sink.submit(batch.deliveries, batch.users).await {
        true => Read::Done,
        false => failed("what it said found no room in the mailbox".to_owned()),
    })
}

fn failed(problem: String) -> Read {
    Read::Failed { problem, retry_in: Duration::ZERO }
}
