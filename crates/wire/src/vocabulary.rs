//! One spelling for what the vendor spells in five.
//!
//! The same end reason is `endpoint.dnd` in a snapshot, `endpoint.donotdisturb` by REST, `DND_ENDPOINT` in a detail
//! event, `endpointDnd` in a metric and `dndEndpoint` in analytics (`genesys/REFERENCE.md` 4.5); a medium is `VOICE`,
//! `voice` or the name of an array. Ours is that of analytics. Comparing letters and digits alone folds the spellings
//! of one order together, and a short table knows the rest. What is in no table passes as it came, since the vendor
//! adds values without notice.

use engine::Word;

/// The longest reason that the tables know, folded.
const FOLDED_BYTES_MAX: usize = 24;

/// An end reason in the spelling of the analytics API; none when it is absent or unknown to the sender.
pub(crate) fn end_reason(text: &str) -> Option<Word> {
    let mut buffer = [0; FOLDED_BYTES_MAX];
    match fold(text, &mut buffer) {
        Some("unknown") => None,
        folded => Word::new(folded.and_then(analytics_reason).unwrap_or(text)),
    }
}

/// The medium of a detail event's `mediaType`; none when it is absent or unknown to the sender.
pub(crate) fn medium(text: &str) -> Option<Word> {
    match text {
        "INTERNALMESSAGE" => Word::new("internalMessage"),
        "SCREENMONITORING" => Word::new("screenMonitoring"),
        "UNKNOWN" => None,
        _ => Word::lower(text),
    }
}

/// `inbound` or `outbound`; none when it is absent or unknown to the sender.
pub(crate) fn direction(text: &str) -> Option<Word> {
    if text == "UNKNOWN" { None } else { Word::lower(text) }
}

/// The letters and digits in lower case; none when there are too many.
fn fold<'b>(text: &str, buffer: &'b mut [u8; FOLDED_BYTES_MAX]) -> Option<&'b str> {
    let mut length = 0;
    for byte in text.bytes().filter(|byte| !matches!(byte, b'.' | b'_' | b'-' | b' ')) {
        *buffer.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    std::str::from_utf8(buffer.get(..length)?).ok()
}

fn analytics_reason(folded: &str) -> Option<&'static str> {
    Some(match folded {
        "client" => "client",
        "conferencetransfer" | "transferconference" => "conferenceTransfer",
        "consulttransfer" | "transferconsult" => "consultTransfer",
        "dndendpoint" | "endpointdnd" | "endpointdonotdisturb" => "dndEndpoint",
        "dndtransfer" | "transferdnd" | "transferdonotdisturb" => "dndTransfer",
        "endpoint" => "endpoint",
        "error" => "error",
        "forwardtransfer" | "transferforward" => "forwardTransfer",
        "inactivity" => "inactivity",
        "noanswertransfer" | "transfernoanswer" => "noAnswerTransfer",
        "notavailabletransfer" | "transfernotavailable" => "notAvailableTransfer",
        "other" => "other",
        "peer" => "peer",
        "sessionexpired" => "sessionExpired",
        "spam" => "spam",
        "system" => "system",
        "takeover" => "takeover",
        "timeout" => "timeout",
        "transfer" => "transfer",
        "transportfailure" => "transportFailure",
        "uncallable" => "uncallable",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
