//! The whole conversation in one body: `v2.users.{id}.conversations`, `v2.routing.queues.{id}.conversations`, and
//! `GET /api/v2/conversations/{id}`.
//!
//! The shapes are those of `ConversationEventTopicConversation` and `Conversation` in the platform's SDK. They differ
//! in what REST adds: start times, segments with their types, and longer spellings. Two clocks write the times: a
//! participant's connect and end and a communication's `disconnectedTime` come from the provider, the rest from the
//! cloud. A topic shows no `startTime` of the conversation or of a participant.

use serde::Serialize;

use super::{Attributes, Setting};
use crate::centre::conversation::{self as model, Segment, Stretch};
use crate::centre::words::{Direction, Medium, Purpose, State};
use crate::time::{Millis, Stamp};
use crate::truth::Id;

/// Which of the two shapes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum View {
    Topic,
    Rest,
}

/// Writes a conversation as it stands.
pub fn write(setting: Setting<'_>, conversation: &model::Conversation, view: View) -> String {
    let rest = view == View::Rest;
    let participants = conversation.participants.iter();
    let body = Body {
        id: Id(conversation.id),
        address: &conversation.contact.ani,
        start_time: rest.then_some(Stamp(conversation.started_at)),
        end_time: conversation.ended_at.filter(|_| rest).map(Stamp),
        recording_state: if rest { "NONE" } else { "none" },
        secure_pause: false,
        max_participants: 20,
        participants: participants.map(|one| participant(setting, conversation, one, view)).collect(),
        recent_transfers: [],
        self_uri: rest.then(|| format!("/api/v2/conversations/{}", conversation.id)),
    };
    serde_json::to_string(&body).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    id: Id,
    address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Stamp>,
    recording_state: &'static str,
    secure_pause: bool,
    max_participants: u32,
    participants: Vec<Participant<'a>>,
    recent_transfers: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    self_uri: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Participant<'a> {
    id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connected_time: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Stamp>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_id: Option<Id>,
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant_type: Option<&'static str>,
    address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    monitored_participant_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consult_participant_id: Option<Id>,
    wrapup_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrapup: Option<Wrapup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_acw_time: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_acw_time: Option<Stamp>,
    media_roles: [&'static str; 1],
    attributes: Attributes,
    calls: Vec<Leg<'a>>,
    callbacks: Vec<Leg<'a>>,
    chats: Vec<Leg<'a>>,
    emails: Vec<Leg<'a>>,
    messages: Vec<Leg<'a>>,
    cobrowsesessions: [(); 0],
    screenshares: [(); 0],
    social_expressions: [(); 0],
    videos: [(); 0],
    internal_messages: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_properties: Option<Empty>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wrapup {
    code: &'static str,
    notes: &'static str,
    duration_seconds: i64,
    end_time: Stamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Leg<'a> {
    id: Id,
    state: &'static str,
    initial_state: &'static str,
    direction: &'static str,
    held: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_hold_time: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_alerting_time: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connected_time: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnected_time: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    park_time: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume_time: Option<Stamp>,
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Vec<SegmentBody>>,
    after_call_work: AfterCallWork,
    after_call_work_required: bool,
    #[serde(flatten)]
    own: Own<'a>,
}

/// What only some media have.
#[derive(Serialize)]
#[serde(untagged)]
enum Own<'a> {
    #[serde(rename_all = "camelCase")]
    Call {
        muted: bool,
        confined: bool,
        recording: bool,
        recording_state: &'static str,
        secure_pause: bool,
        disconnect_reasons: [(); 0],
        #[serde(rename = "self")]
        this: Address<'a>,
        other: Address<'a>,
    },
    #[serde(rename_all = "camelCase")]
    Callback {
        callback_numbers: [&'a str; 1],
        callback_user_name: &'a str,
        skip_enabled: bool,
    },
    Email {
        subject: &'a str,
        spam: bool,
    },
    #[serde(rename_all = "camelCase")]
    Message {
        r#type: &'static str,
        recipient_country: &'static str,
    },
    Chat {},
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Address<'a> {
    name: &'a str,
    address_normalized: &'a str,
    address_displayable: &'a str,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct AfterCallWork {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Stamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SegmentBody {
    start_time: Stamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Stamp>,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    how_ended: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_type: Option<&'static str>,
}

fn participant<'a>(
    setting: Setting<'a>,
    conversation: &'a model::Conversation,
    one: &'a model::Participant,
    view: View,
) -> Participant<'a> {
    let rest = view == View::Rest;
    let provider = |at: Option<Millis>| at.map(|at| Stamp(at + setting.skew_ms));
    let name = super::name(setting, conversation, one);
    let legs = |medium| {
        let of_medium = one.communications.iter().filter(move |leg| leg.medium == medium);
        of_medium.map(|call| leg(setting, conversation, one, call, name, view)).collect()
    };
    Participant {
        id: Id(one.id),
        start_time: rest.then_some(Stamp(one.joined_at)),
        connected_time: provider(one.connected_at),
        end_time: provider(one.left_at),
        name,
        user_id: one.user.map(|user| Id(setting.people.users[user].id)),
        queue_id: one.queue.map(|queue| Id(setting.people.queues[queue].id)),
        purpose: one.purpose.word(),
        participant_type: rest.then(|| one.purpose.participant_type()),
        address: &conversation.contact.ani,
        monitored_participant_id: one.monitors.map(Id),
        consult_participant_id: one.consults.map(Id),
        wrapup_required: one.purpose == Purpose::Agent,
        wrapup: wrapup(one),
        start_acw_time: one.work_from.map(Stamp),
        end_acw_time: one.work_to.map(Stamp),
        media_roles: ["full"],
        attributes: super::ATTRIBUTES,
        calls: legs(Medium::Voice),
        callbacks: legs(Medium::Callback),
        chats: legs(Medium::Chat),
        emails: legs(Medium::Email),
        messages: legs(Medium::Message),
        cobrowsesessions: [],
        screenshares: [],
        social_expressions: [],
        videos: [],
        internal_messages: [],
        additional_properties: (!rest).then_some(Empty {}),
    }
}

fn wrapup(one: &model::Participant) -> Option<Wrapup> {
    let (from, to) = (one.work_from?, one.work_to?);
    Some(Wrapup {
        code: "a4d5e6f7-0000-4000-8000-000000000001",
        notes: "canary note: customer sounded tired",
        duration_seconds: (to - from) / 1000,
        end_time: Stamp(to),
    })
}

fn leg<'a>(
    setting: Setting<'a>,
    conversation: &'a model::Conversation,
    one: &model::Participant,
    call: &'a model::Communication,
    name: &'a str,
    view: View,
) -> Leg<'a> {
    let rest = view == View::Rest;
    let reason = call.reason.map(|reason| if rest { reason.rest_word() } else { reason.topic_word() });
    let alerted = call.initial == State::Alerting;
    Leg {
        id: Id(call.id),
        state: call.state.word(call.medium),
        initial_state: call.initial.word(call.medium),
        direction: call.direction.word(),
        held: call.held_since.is_some(),
        start_hold_time: call.held_since.map(Stamp),
        start_alerting_time: (rest && alerted).then_some(Stamp(call.began_at)),
        connected_time: call.connected_at.map(Stamp),
        disconnected_time: call.ended_at.map(|at| Stamp(at + setting.skew_ms)),
        disconnect_type: reason,
        park_time: call.parked_at.map(Stamp),
        resume_time: call.resumed_at.map(Stamp),
        provider: call.medium.provider(),
        segments: rest.then(|| segments(call, reason, setting.skew_ms)),
        after_call_work: after_call_work(one),
        after_call_work_required: one.purpose == Purpose::Agent,
        own: own(conversation, call, name),
    }
}

fn own<'a>(conversation: &'a model::Conversation, call: &model::Communication, name: &'a str) -> Own<'a> {
    let contact = &conversation.contact;
    let address =
        |name| Address { name, address_normalized: &contact.ani, address_displayable: "canary-displayable" };
    match call.medium {
        Medium::Voice => Own::Call {
            muted: call.muted,
            confined: false,
            recording: call.direction == Direction::Outbound,
            recording_state: "none",
            secure_pause: false,
            disconnect_reasons: [],
            this: address(name),
            other: address(&contact.name),
        },
        Medium::Callback => Own::Callback {
            callback_numbers: [&contact.ani],
            callback_user_name: &contact.name,
            skip_enabled: false,
        },
        Medium::Email => Own::Email { subject: &contact.subject, spam: false },
        Medium::Message => Own::Message { r#type: "webmessaging", recipient_country: "US" },
        Medium::Chat => Own::Chat {},
    }
}

fn after_call_work(one: &model::Participant) -> AfterCallWork {
    let state = one.work_from.map(|_| if one.work_to.is_some() { "complete" } else { "pending" });
    AfterCallWork { state, start_time: one.work_from.map(Stamp), end_time: one.work_to.map(Stamp) }
}

/// The last segment of an ended leg ends when the leg does, so by the provider's clock.
fn segments(call: &model::Communication, reason: Option<&'static str>, skew_ms: Millis) -> Vec<SegmentBody> {
    let last = call.segments.len().saturating_sub(1);
    let segment = |(index, segment): (usize, &Segment)| {
        let ends_leg = index == last && call.ended_at.is_some();
        SegmentBody {
            start_time: Stamp(segment.from),
            end_time: segment.to.map(|to| Stamp(if ends_leg { to + skew_ms } else { to })),
            r#type: segment_type(segment.stretch),
            how_ended: segment.to.map(|_| if ends_leg { "Disconnect" } else { "Interact" }),
            disconnect_type: reason.filter(|_| ends_leg),
        }
    };
    call.segments.iter().enumerate().map(segment).collect()
}

fn segment_type(stretch: Stretch) -> &'static str {
    match stretch {
        Stretch::System => "System",
        Stretch::Ivr => "IVR",
        Stretch::Delay => "Delay",
        Stretch::Alert => "Alert",
        Stretch::Dial => "Dialing",
        Stretch::Interact => "Interact",
        Stretch::Hold => "Hold",
        Stretch::Park => "Parked",
    }
}
