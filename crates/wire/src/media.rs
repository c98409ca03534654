//! The conversation seen through one medium: the flat snapshot.
//!
//! Each participant is folded together with its one communication, whose id is lost. The facts are therefore the
//! participant's, and the nested form of the same conversation says more; toggles are left to it. A start is when
//! the platform noted it, so that a nested time of the same thing goes before it. Rejected: inventing a communication
//! for it, which would stand beside the real one for good.

use crate::conversation::WrapUp;
use crate::field::{Moment, Text};
use crate::findings::{Findings, Leg, Receipt};
use crate::frame::parse;
use crate::vocabulary::{direction, end_reason};
use crate::{Batch, Limits, Outcome, Refused};
use engine::{Authority, Fact, Id, What, Word};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Conversation<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    participants: Option<Vec<Participant<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Participant<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    purpose: Text<'a>,
    #[serde(borrow)]
    user: Option<Reference<'a>>,
    #[serde(borrow)]
    queue: Option<Reference<'a>>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    direction: Text<'a>,
    #[serde(borrow)]
    disconnect_type: Text<'a>,
    start_time: Moment,
    connected_time: Moment,
    end_time: Moment,
    start_acw_time: Moment,
    end_acw_time: Moment,
    park_time: Moment,
    resume_time: Moment,
    #[serde(borrow)]
    wrapup: Option<WrapUp<'a>>,
}

/// A thing by its id; the name beside it is not read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Reference<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

/// Reads a body that is a conversation seen through one medium.
pub(crate) fn decode(
    body: &str,
    medium: &str,
    receipt: Receipt,
    limits: &Limits,
    out: &mut Batch,
) -> Result<Outcome, Refused> {
    let conversation: Conversation = parse(body)?;
    let id = conversation.id.needed_id()?;
    let participants = conversation.participants.unwrap_or_default();
    if participants.len() > limits.participants_max.min(limits.communications_max) {
        return Err(Refused::TooMany);
    }
    let mut findings = Findings::default();
    for participant in &participants {
        read(participant, medium, receipt, &mut findings)?;
    }
    Ok(findings.deliver(id, receipt, out))
}

fn read(
    participant: &Participant,
    medium: &str,
    receipt: Receipt,
    findings: &mut Findings,
) -> Result<(), Refused> {
    let origin = receipt.origin;
    let id = participant.id.needed_id()?;
    let started = participant.start_time.checked(origin)?;
    findings.push(Fact {
        participant: Some(id.clone()),
        at: started,
        authority: if started.is_some() { Authority::Reported } else { Authority::Received },
        role: participant.purpose.lower(),
        user: reference(participant.user.as_ref())?,
        queue: reference(participant.queue.as_ref())?,
        medium: Word::new(medium),
        direction: direction(participant.direction.as_str()),
        ..Fact::new(What::Joined)
    });
    let ended = participant.end_time.checked(origin)?;
    let leg = Leg {
        participant: &id,
        communication: None,
        state: participant.state.lower(),
        alerting: None,
        connected: participant.connected_time.checked(origin)?,
        ended: ended.map(|at| (at, Authority::Recorded)),
        end_reason: end_reason(participant.disconnect_type.as_str()),
        parked: participant.park_time.checked(origin)?,
        resumed: participant.resume_time.planned()?,
    };
    findings.leg(&leg, origin);
    let recorded = |at| (at, Authority::Recorded);
    let began = participant.start_acw_time.checked(origin)?.map(recorded);
    let done = participant.end_acw_time.checked(origin)?.map(recorded);
    findings.after_call_work(&id, [began, done]);
    if let Some(wrap_up) = &participant.wrapup {
        findings.wrap_up(&id, wrap_up.code.as_str(), wrap_up.end_time.checked(origin)?, Authority::Recorded);
    }
    // Its end is that of its part in this medium: it may go on in another.
    Ok(())
}

fn reference(reference: Option<&Reference>) -> Result<Option<Id>, Refused> {
    reference.map_or(Ok(None), |reference| reference.id.id())
}
