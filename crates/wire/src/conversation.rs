//! The whole conversation: the nested snapshot of a notification, and the answer to a REST read.
//!
//! Both have one shape; REST only tells more (start times, when a leg began to alert, segments with every hold), and
//! undeclared fields do come in notifications, so that one reader takes from either what is there. A snapshot says
//! nothing about when it was made. What it proves are its times; what it shows without one (a state, held, muted)
//! is handed on as such and placed by when it came. Rejected: one reader for each surface, and comparing a snapshot
//! with the one before it: a fact is in the set or it is not.

use crate::field::{Moment, Text};
use crate::findings::{Findings, Leg, Receipt};
use crate::frame::{admit_body, parse};
use crate::vocabulary::{direction, end_reason};
use crate::{Batch, Limits, Origin, Outcome, Refused};
use engine::{Authority, Fact, Id, Source, Time, Toggle, What, Word};
use serde::Deserialize;

/// Decodes the answer to `GET /api/v2/conversations/{id}`. What it says is appended to `out`; nothing unless it is
/// [`Outcome::Facts`].
pub fn decode_conversation(body: &[u8], origin: Origin, limits: &Limits, out: &mut Batch) -> Outcome {
    let receipt = Receipt { origin, source: Source::Rest, topic: 0 };
    admit_body(body, limits).and_then(|text| decode(text, receipt, limits, out)).into()
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Conversation<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    start_time: Moment,
    end_time: Moment,
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
    user_id: Text<'a>,
    #[serde(borrow)]
    queue_id: Text<'a>,
    start_time: Moment,
    connected_time: Moment,
    end_time: Moment,
    start_acw_time: Moment,
    end_acw_time: Moment,
    #[serde(borrow)]
    wrapup: Option<WrapUp<'a>>,
    #[serde(borrow)]
    calls: Communications<'a>,
    #[serde(borrow)]
    callbacks: Communications<'a>,
    #[serde(borrow)]
    chats: Communications<'a>,
    #[serde(borrow)]
    cobrowsesessions: Communications<'a>,
    #[serde(borrow)]
    emails: Communications<'a>,
    #[serde(borrow)]
    messages: Communications<'a>,
    #[serde(borrow)]
    internal_messages: Communications<'a>,
    #[serde(borrow)]
    screen_monitorings: Communications<'a>,
    #[serde(borrow)]
    screenshares: Communications<'a>,
    #[serde(borrow)]
    social_expressions: Communications<'a>,
    #[serde(borrow)]
    videos: Communications<'a>,
}

type Communications<'a> = Option<Vec<Communication<'a>>>;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Communication<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    direction: Text<'a>,
    held: Option<bool>,
    muted: Option<bool>,
    /// What a video has instead of `muted`.
    audio_muted: Option<bool>,
    start_hold_time: Moment,
    start_alerting_time: Moment,
    connected_time: Moment,
    disconnected_time: Moment,
    #[serde(borrow)]
    disconnect_type: Text<'a>,
    park_time: Moment,
    resume_time: Moment,
    after_call_work: Option<AfterCallWork>,
    #[serde(borrow)]
    wrapup: Option<WrapUp<'a>>,
    #[serde(borrow)]
    segments: Option<Vec<Segment<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct AfterCallWork {
    start_time: Moment,
    end_time: Moment,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct WrapUp<'a> {
    #[serde(borrow)]
    pub code: Text<'a>,
    pub end_time: Moment,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Segment<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    start_time: Moment,
    end_time: Moment,
}

/// Reads a body that is a whole conversation.
pub(crate) fn decode(
    body: &str,
    receipt: Receipt,
    limits: &Limits,
    out: &mut Batch,
) -> Result<Outcome, Refused> {
    let conversation: Conversation = parse(body)?;
    let id = conversation.id.needed_id()?;
    let participants = conversation.participants.unwrap_or_default();
    if participants.len() > limits.participants_max {
        return Err(Refused::TooMany);
    }
    if participants.iter().map(Participant::communications).sum::<usize>() > limits.communications_max {
        return Err(Refused::TooMany);
    }
    let ended = conversation.end_time.checked(receipt.origin)?;
    let mut reader = Reader { origin: receipt.origin, ended, findings: Findings::default() };
    if let Some(at) = conversation.start_time.checked(receipt.origin)? {
        let authority = Authority::Recorded;
        reader.findings.push(Fact { at: Some(at), authority, ..Fact::new(What::LifeCycle) });
    }
    for participant in &participants {
        reader.participant(participant)?;
    }
    Ok(reader.findings.deliver(id, receipt, out))
}

impl<'a> Participant<'a> {
    /// Its communications by medium, in our words for the media.
    fn media(&self) -> [(&'static str, &[Communication<'a>]); 11] {
        [
            ("voice", list(&self.calls)),
            ("callback", list(&self.callbacks)),
            ("chat", list(&self.chats)),
            ("cobrowse", list(&self.cobrowsesessions)),
            ("email", list(&self.emails)),
            ("message", list(&self.messages)),
            ("internalMessage", list(&self.internal_messages)),
            ("screenMonitoring", list(&self.screen_monitorings)),
            ("screenshare", list(&self.screenshares)),
            ("social", list(&self.social_expressions)),
            ("video", list(&self.videos)),
        ]
    }

    fn communications(&self) -> usize {
        self.media().iter().map(|(_, list)| list.len()).sum()
    }
}

fn list<'p, 'a>(communications: &'p Communications<'a>) -> &'p [Communication<'a>] {
    communications.as_deref().unwrap_or_default()
}

struct Reader {
    origin: Origin,
    /// When the whole conversation ended.
    ended: Option<Time>,
    findings: Findings,
}

impl Reader {
    fn participant(&mut self, participant: &Participant) -> Result<(), Refused> {
        let id = participant.id.needed_id()?;
        let started = participant.start_time.checked(self.origin)?;
        let connected = participant.connected_time.checked(self.origin)?;
        let ended = participant.end_time.checked(self.origin)?;
        self.findings.push(Fact {
            participant: Some(id.clone()),
            at: started,
            authority: if started.is_some() { Authority::Recorded } else { Authority::Received },
            role: participant.purpose.lower(),
            user: participant.user_id.id()?,
            queue: participant.queue_id.id()?,
            ..Fact::new(What::Joined)
        });
        for (medium, communications) in participant.media() {
            for communication in communications {
                self.communication(&id, ended, medium, communication)?;
            }
        }
        if let (Some(at), 0) = (connected, participant.communications()) {
            let (participant, state) = (Some(id.clone()), Word::new("connected"));
            let authority = Authority::Recorded;
            self.findings.push(Fact {
                participant,
                at: Some(at),
                authority,
                state,
                ..Fact::new(What::State)
            });
        }
        self.aftermath(&id, participant)?;
        let alone = participant.communications() == 0;
        let worked_out = self.ended.filter(|_| alone).map(|at| (at, Authority::Derived));
        self.findings.left(&id, ended.map(|at| (at, Authority::Recorded)).or(worked_out));
        Ok(())
    }

    fn communication(
        &mut self,
        participant: &Id,
        participant_ended: Option<Time>,
        medium: &str,
        communication: &Communication,
    ) -> Result<(), Refused> {
        let id = communication.id.needed_id()?;
        self.findings.push(Fact {
            participant: Some(participant.clone()),
            communication: Some(id.clone()),
            medium: Word::new(medium),
            direction: direction(communication.direction.as_str()),
            ..Fact::new(What::Joined)
        });
        let disconnected = communication.disconnected_time.checked(self.origin)?;
        let mut leg = Leg {
            participant,
            communication: Some(&id),
            state: communication.state.lower(),
            alerting: communication.start_alerting_time.checked(self.origin)?,
            connected: communication.connected_time.checked(self.origin)?,
            ended: disconnected.map(|at| (at, Authority::Recorded)),
            end_reason: end_reason(communication.disconnect_type.as_str()),
            parked: communication.park_time.checked(self.origin)?,
            resumed: communication.resume_time.planned()?,
        };
        if leg.ended.is_none() && leg.is_over() {
            leg.ended = participant_ended.map(|at| (at, Authority::Reported));
        }
        if leg.ended.is_none() {
            // Nothing outlives its conversation: when it ended is worked out, until a field or an event says it.
            let ended = self.ended.map(|all| participant_ended.map_or(all, |own| own.min(all)));
            leg.ended = ended.map(|at| (at, Authority::Derived));
        }
        self.findings.leg(&leg, self.origin);
        self.holds(participant, &id, communication)?;
        self.toggles(participant, &id, communication, leg.is_over())
    }

    /// Every hold that the segments tell of.
    fn holds(&mut self, participant: &Id, id: &Id, communication: &Communication) -> Result<(), Refused> {
        for segment in communication.segments.iter().flatten() {
            let (began, ended) =
                (segment.start_time.checked(self.origin)?, segment.end_time.checked(self.origin)?);
            let is_hold = segment.kind.as_str().eq_ignore_ascii_case("hold");
            let Some(since) = began.filter(|_| is_hold) else {
                continue;
            };
            for (at, on) in [(Some(since), true), (ended, false)] {
                if at.is_some() {
                    self.findings.push(Fact {
                        participant: Some(participant.clone()),
                        communication: Some(id.clone()),
                        at,
                        authority: Authority::Recorded,
                        since: Some(since),
                        on,
                        ..Fact::new(What::Held)
                    });
                }
            }
        }
        Ok(())
    }

    /// What goes back and forth, of communications that live.
    fn toggles(
        &mut self,
        of: &Id,
        id: &Id,
        communication: &Communication,
        is_over: bool,
    ) -> Result<(), Refused> {
        let since = communication.start_hold_time.checked(self.origin)?;
        let muted = communication.muted.or(communication.audio_muted);
        for (what, value, since) in [(What::Held, communication.held, since), (What::Muted, muted, None)] {
            if let Some(on) = value.filter(|_| !is_over) {
                let (participant, communication) = (of.clone(), id.clone());
                self.findings.push_toggle(Toggle { what, participant, communication, on, since });
            }
        }
        Ok(())
    }

    /// After-call work and wrap-up. The participant's own fields come before those of its communications, which tell
    /// the same again.
    fn aftermath(&mut self, id: &Id, participant: &Participant) -> Result<(), Refused> {
        let mut began = participant.start_acw_time.checked(self.origin)?;
        let mut ended = participant.end_acw_time.checked(self.origin)?;
        let mut wrap_ups: Vec<&WrapUp> = participant.wrapup.iter().collect();
        for communication in participant.media().iter().flat_map(|(_, list)| list.iter()) {
            if let Some(work) = &communication.after_call_work {
                began = began.or(work.start_time.checked(self.origin)?);
                ended = ended.or(work.end_time.checked(self.origin)?);
            }
            wrap_ups.extend(&communication.wrapup);
        }
        let recorded = |at| (at, Authority::Recorded);
        self.findings.after_call_work(id, [began.map(recorded), ended.map(recorded)]);
        let mut codes: Vec<&str> = Vec::new();
        for wrap_up in wrap_ups {
            let at = wrap_up.end_time.checked(self.origin)?;
            let code = wrap_up.code.as_str();
            if !codes.contains(&code) {
                codes.push(code);
                self.findings.wrap_up(id, code, at, Authority::Recorded);
            }
        }
        Ok(())
    }
}
