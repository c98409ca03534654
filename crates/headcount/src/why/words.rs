//! What the words of the closed lists mean to a person. A word that is not known is shown as it is.

use super::answer::Fact;

/// What came: the kind of message that a surface carries.
pub fn source(word: &str) -> &str {
    match word {
        "events" => "an event of the gateway",
        "snapshot" => "a notification with the whole conversation",
        "mediaSnapshot" => "a notification of one medium",
        "detail" => "a detail event",
        "rest" => "a REST read",
        other => other,
    }
}

/// How good a time is.
pub fn authority(word: &str) -> &str {
    match word {
        "recorded" => "the field that records it",
        "reported" => "the time of a detail event about it",
        "derived" => "worked out from durations",
        "received" => "no source gave a time",
        other => other,
    }
}

/// What makes two reports one fact.
pub fn identity(fact: &Fact) -> String {
    match fact.identity.as_str() {
        "event" => "its event id: an event with the same id is a copy".to_owned(),
        "once" if fact.kind == "joined" => {
            "that it is there: whoever says so again says nothing new".to_owned()
        }
        "once" => "it happens once: another report of it is a copy, whatever time that one gives".to_owned(),
        "beginning" => {
            "what it says and when that began: it can come again, and is then another fact".to_owned()
        }
        "hold" => "when the hold began: every report of that hold is a copy".to_owned(),
        "nthChange" => {
            "its number among the changes of this toggle, which has no time: one topic counts them".to_owned()
        }
        "contentAndTime" => "what it says, of whom and when: the same again is a copy".to_owned(),
        other => other.to_owned(),
    }
}

/// Why the timeline leaves a fact out.
pub fn hidden(word: &str) -> &str {
    match word {
        "noChange" => "it stood so already, or the communication was over: nothing changed",
        "attributes" => {
            "it says what the communication is, which shows with the communication's other entries"
        }
        "standsBack" => "it is about the participant as a whole, and its communications tell better",
        other => other,
    }
}

/// Which rule placed a fact; `by`: the one that decided, `gap`: how far its own time is from where it stands or from the
/// other, where that says something.
pub fn placed(rule: &str, by: Option<&str>, gap: Option<&str>) -> String {
    let other = by.unwrap_or("another fact");
    let gap_of =
        |text: &str| gap.map(|gap| format!(", {text}", text = text.replace("{}", gap))).unwrap_or_default();
    match (rule, by) {
        ("time", None) => "by its own time; nothing stands before it".to_owned(),
        ("time", Some(_)) => format!("by its own time{} {other}", gap_of("{} after")),
        ("received", _) => "no source gave a time: where it was received".to_owned(),
        ("inFront", _) => format!("no source gave a time: just before {other}, which must follow it"),
        ("clock", _) => format!(
            "by its clock, which has seen {other}: behind it{}",
            gap_of("although its own time is {} earlier")
        ),
        ("lifeCycle", _) => format!(
            "by the life of a communication, which runs one way: behind {other}{}",
            gap_of("although its own time is {} earlier")
        ),
        ("holdBegan", _) => format!("behind {other}: a hold cannot end before it began"),
        ("tieRank", _) => format!("the same instant as {other}: what comes later in a life stands behind"),
        ("tieId", _) => {
            format!("the same instant as {other}: the greater id stands behind, on every machine alike")
        }
        (rule, _) => rule.to_owned(),
    }
}
