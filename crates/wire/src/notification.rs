//! The `notifications` dialect: the envelope, and what to do by topic.
//!
//! `{"topicName","version","eventBody","metadata"}`. The head is read first and the body left as it is, so that a
//! frame of no interest costs one scan. Neither `version` (the API's, always "2") nor `metadata.CorrelationId` (it
//! proves neither sameness nor difference) is read.

use crate::field::Text;
use crate::findings::Receipt;
use crate::frame::{admit, parse};
use crate::topic::Topic;
use crate::{Batch, Ignored, Limits, Origin, Outcome, Refused};
use crate::{control, conversation, detail, media, user};
use engine::Source;
use rapidhash::v3::rapidhash_v3;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Decodes a frame of the `notifications` dialect. What it says is appended to `out`; nothing unless it is
/// [`Outcome::Facts`].
pub fn decode_notification(frame: &[u8], origin: Origin, limits: &Limits, out: &mut Batch) -> Outcome {
    admit(frame, limits).and_then(|text| notification(text, origin, limits, out)).into()
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    topic_name: Text<'a>,
    #[serde(borrow)]
    event_body: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
}

fn notification(text: &str, origin: Origin, limits: &Limits, out: &mut Batch) -> Result<Outcome, Refused> {
    let envelope: Envelope = parse(text)?;
    let name = envelope.topic_name.as_str();
    if name.is_empty() {
        let result = envelope.result.ok_or(Refused::UnknownTopic)?;
        return control::answer(result.get(), &envelope.status, &envelope.message).map(Outcome::Control);
    }
    let body = envelope.event_body.map_or("{}", RawValue::get);
    let receipt = |source| Receipt { origin, source, topic: rapidhash_v3(name.as_bytes()) };
    match Topic::of(name) {
        Topic::Conversation => conversation::decode(body, receipt(Source::Snapshot), limits, out),
        Topic::Media(medium) => media::decode(body, medium, receipt(Source::MediaSnapshot), limits, out),
        Topic::Detail { conversation, kind } => {
            detail::decode(body, conversation, kind, receipt(Source::Detail), out)
        }
        Topic::Presence(id) => user::presence(body, id, origin, out),
        Topic::RoutingStatus(id) | Topic::Activity(id) => user::activity(body, id, origin, out),
        Topic::Channel => Ok(Outcome::Control(control::notice(name, body))),
        Topic::Other => Ok(Outcome::Ignored(Ignored::Topic)),
        Topic::Unknown => Err(Refused::UnknownTopic),
    }
}
