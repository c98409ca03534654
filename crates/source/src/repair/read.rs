//! Reads one conversation and submits what it says.

use crate::api::{ApiError, Call};
use crate::context::Context;
use crate::sink::Sink;
use engine::{FeedEvent, FeedNote, Id};
use outward::Backoff;
use pipeline::{Outcome as RepairLabel, Reason};
use wire::{Batch, Origin, Outcome, Refused};

/// The permission to read a conversation.
pub(crate) const PERMISSION: &str = "conversation:communication:view";
/// How often a read is tried before it counts as failed.
const TRIES_MAX: u32 = 3;
/// REST reads come through no socket; they are told under the first feed.
const FEED: u16 = 0;

/// How a read ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// Its facts are submitted.
    Done,
    /// The platform does not know it any more; the engine is told.
    Gone,
    /// A permission is missing; why.
    Forbidden(String),
    /// It could not be read; why.
    Failed(String),
    /// What came cannot be understood, now and most likely ever; why.
    Unreadable(String),
}

impl Read {
    /// Why something may be missing still.
    pub fn problem(self) -> Option<String> {
        match self {
            Self::Done | Self::Gone => None,
            Self::Forbidden(why) | Self::Failed(why) | Self::Unreadable(why) => {
                Some(format!("a conversation cannot be read: {why}"))
            }
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Done => "ok",
            Self::Gone => "gone",
            Self::Forbidden(_) => "forbidden",
            Self::Failed(_) => "failed",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

/// Reads a conversation, again where that may help, and counts how it ended.
pub(crate) async fn read<S: Sink>(context: &Context<S>, id: &Id) -> Read {
    let timing = context.settings.timing;
    let mut waits = Backoff::new(timing.backoff_min, timing.backoff_max, fastrand::Rng::new());
    let mut tries = 0;
    let outcome = loop {
        tries += 1;
        match attempt(context, id).await {
            Err(error @ ApiError::Forbidden { .. }) => break Read::Forbidden(error.to_string()),
            Err(error @ ApiError::TooLarge { .. }) => break Read::Unreadable(error.to_string()),
            Err(ApiError::NotFound { .. }) => {
                let event = FeedEvent::Gone { conversation: id.clone() };
                context.sink.note(FeedNote { feed: FEED, at: context.clock.now(), event });
                break Read::Gone;
            }
            Err(error) if tries == TRIES_MAX => break Read::Failed(error.to_string()),
            Err(error) => tokio::time::sleep(waits.wait().max(error.retry_in())).await,
            Ok(outcome) => break outcome,
        }
    };
    context.telemetry.repairs.get_or_create(&RepairLabel { result: outcome.label() }).inc();
    outcome
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
        return Ok(if why == Refused::FutureTime {
            Read::Failed(problem)
        } else {
            Read::Unreadable(problem)
        });
    }
    Ok(match context.sink.submit(batch.deliveries, batch.users).await {
        true => Read::Done,
        false => Read::Failed("what it said found no room in the mailbox".to_owned()),
    })
}
