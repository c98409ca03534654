//! Detail events: one transition each, with its own time.
//!
//! They tell when a communication begins and ends, but of a user never when it was answered
//! (`genesys/REFERENCE.md` 4.3): that is worked out backwards from the durations at its end, and marked as derived.
//! A user's start is when it starts alerting. An end also says what its communication was, without a time for it, for
//! those who subscribed too late to see the start. An ACD leg that ends as answered was transferred to the agent,
//! which is what snapshots call it. Rejected: taking an answer from `answeredUserId` of an ACD leg's end, which names
//! a user but none of its communications.

use crate::field::{Moment, Text};
use crate::findings::{Findings, Receipt};
use crate::frame::parse;
use crate::topic::DetailKind;
use crate::vocabulary::{direction, end_reason, medium};
use crate::{Batch, Outcome, Refused};
use engine::{Authority, Fact, Id, Time, What, Word};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Event<'a> {
    event_time: Moment,
    #[serde(borrow)]
    conversation_id: Text<'a>,
    #[serde(borrow)]
    participant_id: Text<'a>,
    /// The communication's id in the snapshots.
    #[serde(borrow)]
    session_id: Text<'a>,
    #[serde(borrow)]
    media_type: Text<'a>,
    #[serde(borrow)]
    direction: Text<'a>,
    #[serde(borrow)]
    user_id: Text<'a>,
    #[serde(borrow)]
    queue_id: Text<'a>,
    #[serde(borrow)]
    disconnect_type: Text<'a>,
    #[serde(borrow)]
    acd_outcome: Text<'a>,
    #[serde(borrow)]
    wrapup_code: Text<'a>,
    interacting_duration_ms: Option<i64>,
    held_duration_ms: Option<i64>,
    wrapup_duration_ms: Option<i64>,
}

/// Reads the body of a detail event; the conversation's id stands in the topic too.
pub(crate) fn decode(
    body: &str,
    conversation: &str,
    kind: DetailKind,
    receipt: Receipt,
    out: &mut Batch,
) -> Result<Outcome, Refused> {
    let event: Event = parse(body)?;
    let conversation = match event.conversation_id.id()? {
        Some(id) => id,
        None => Id::new(conversation).map_err(|_| Refused::MissingId)?,
    };
    let participant = event.participant_id.needed_id()?;
    let at = event.event_time.needed(receipt.origin)?;
    let mut findings = Findings::default();
    match kind {
        DetailKind::Start(role) => event.start(participant, role, at, &mut findings)?,
        DetailKind::End(role) => event.end(participant, role, at, &mut findings)?,
        DetailKind::AfterCallWork => {
            let began = before(at, event.wrapup_duration_ms)?.map(|at| (at, Authority::Derived));
            findings.after_call_work(&participant, [began, Some((at, Authority::Reported))]);
            findings.wrap_up(&participant, event.wrapup_code.as_str(), Some(at), Authority::Reported);
        }
        DetailKind::WrapUp => {
            findings.wrap_up(&participant, event.wrapup_code.as_str(), Some(at), Authority::Reported);
        }
    }
    Ok(findings.deliver(conversation, receipt, out))
}

impl Event<'_> {
    fn start(&self, participant: Id, role: &str, at: Time, findings: &mut Findings) -> Result<(), Refused> {
        let communication = self.session_id.id()?;
        for joined in self.joined(&participant, communication.as_ref(), role)? {
            findings.push(Fact { at: Some(at), authority: Authority::Reported, ..joined });
        }
        if role == "agent" {
            findings.push(reported(participant, communication, "alerting", at));
        }
        Ok(())
    }

    fn end(&self, participant: Id, role: &str, at: Time, findings: &mut Findings) -> Result<(), Refused> {
        let communication = self.session_id.id()?;
        for joined in self.joined(&participant, communication.as_ref(), role)? {
            findings.push(joined);
        }
        let held = self.held_duration_ms.unwrap_or(0).max(0);
        let talked = self
            .interacting_duration_ms
            .map(|talked| if talked > 0 { talked.saturating_add(held) } else { 0 });
        if let (true, Some(at)) = (role == "agent", before(at, talked)?) {
            let connected = reported(participant.clone(), communication.clone(), "connected", at);
            findings.push(Fact { authority: Authority::Derived, ..connected });
        }
        let answered = role == "acd" && self.acd_outcome.as_str() == "ANSWERED";
        let reason = end_reason(self.disconnect_type.as_str());
        let reason = reason.or_else(|| Word::new("transfer").filter(|_| answered));
        findings.push(Fact { reason, ..reported(participant, communication, "disconnected", at) });
        Ok(())
    }

    /// Who the participant is, and what its communication is, without a time.
    fn joined(
        &self,
        participant: &Id,
        communication: Option<&Id>,
        role: &str,
    ) -> Result<impl Iterator<Item = Fact>, Refused> {
        let who = Fact {
            participant: Some(participant.clone()),
            role: Word::new(role),
            user: self.user_id.id()?,
            queue: self.queue_id.id()?,
            ..Fact::new(What::Joined)
        };
        let what = Fact {
            communication: communication.cloned(),
            medium: medium(self.media_type.as_str()),
            direction: direction(self.direction.as_str()),
            ..who.clone()
        };
        let who = communication.is_some().then_some(who);
        Ok(who.into_iter().chain([what]))
    }
}

fn reported(participant: Id, communication: Option<Id>, state: &str, at: Time) -> Fact {
    Fact {
        participant: Some(participant),
        communication,
        at: Some(at),
        authority: Authority::Reported,
        state: Word::new(state),
        ..Fact::new(What::State)
    }
}

/// The time so many milliseconds earlier; none when there are none. A time before the platform existed is refused.
fn before(at: Time, duration_ms: Option<i64>) -> Result<Option<Time>, Refused> {
    let Some(duration_ms) = duration_ms.filter(|ms| *ms > 0) else {
        return Ok(None);
    };
    let nanos = at.nanos.saturating_sub(duration_ms.saturating_mul(1_000_000));
    Moment::At(Time { nanos, ..at }).planned()
}
