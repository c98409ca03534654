//! The five spellings of each reason.

use super::{direction, end_reason, medium};

#[track_caller]
fn check(ours: &str, theirs: &[&str]) {
    for spelling in theirs {
        assert_eq!(end_reason(spelling).unwrap().as_str(), ours, "{spelling}");
    }
}

/// Ours first, then as notifications, REST, detail events and metrics spell it.
const SPELLINGS: [&str; 8] = [
    "dndEndpoint endpoint.dnd endpoint.donotdisturb DND_ENDPOINT endpointDnd",
    "dndTransfer transfer.dnd transfer.donotdisturb DND_TRANSFER transferDnd",
    "conferenceTransfer transfer.conference CONFERENCE_TRANSFER transferConference",
    "consultTransfer transfer.consult CONSULT_TRANSFER transferConsult",
    "forwardTransfer transfer.forward FORWARD_TRANSFER transferForward",
    "noAnswerTransfer transfer.noanswer NO_ANSWER_TRANSFER transferNoAnswer",
    "notAvailableTransfer transfer.notavailable NOT_AVAILABLE_TRANSFER transferNotAvailable",
    "transportFailure transport.failure TRANSPORT_FAILURE",
];

#[test]
fn one_spelling_for_all() {
    for spellings in SPELLINGS {
        let spellings: Vec<&str> = spellings.split(' ').collect();
        check(spellings[0], &spellings);
    }
    check("sessionExpired", &["session.expired", "SESSION_EXPIRED", "sessionExpired"]);
    let plain =
        "client endpoint error inactivity other peer spam system takeover timeout transfer uncallable";
    for word in plain.split(' ') {
        check(word, &[word, &word.to_uppercase()]);
    }
}

#[test]
fn what_no_table_knows_passes_as_it_came() {
    let long = "a.reason.that.is.longer.than.the.table";
    for word in ["Some.New_Reason", long, "ünbekannt"] {
        check(word, &[word]);
    }
    assert_eq!(end_reason(""), None);
    assert_eq!(end_reason("UNKNOWN"), None);
}

#[test]
fn media_and_directions() {
    assert_eq!(medium("VOICE").unwrap().as_str(), "voice");
    assert_eq!(medium("INTERNALMESSAGE").unwrap().as_str(), "internalMessage");
    assert_eq!(medium("HOLOGRAM").unwrap().as_str(), "hologram");
    assert_eq!((medium("UNKNOWN"), medium("")), (None, None));
    assert_eq!(direction("INBOUND").unwrap().as_str(), "inbound");
    assert_eq!((direction("UNKNOWN"), direction("")), (None, None));
}
