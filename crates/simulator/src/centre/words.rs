//! The platform's vocabulary, in the spelling of each of its surfaces.
//!
//! One thing is spelt differently in notifications, REST, detail events and analytics (a do-not-disturb end is
//! `endpoint.dnd`, `endpoint.donotdisturb`, `DND_ENDPOINT` and `dndEndpoint`); the model holds the thing and each body
//! asks for its spelling. The lists are those of the platform's SDK, cut to what the scenarios use. Rejected: strings
//! in the model (a typo would then be a new state).

/// What a communication is carried by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Medium {
    Voice,
    Callback,
    Chat,
    Email,
    Message,
}

impl Medium {
    /// The analytics word, which is also the truth's.
    pub fn word(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Callback => "callback",
            Self::Chat => "chat",
            Self::Email => "email",
            Self::Message => "message",
        }
    }

    /// The name of a participant's array and of the per-media topic.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Voice => "calls",
            Self::Callback => "callbacks",
            Self::Chat => "chats",
            Self::Email => "emails",
            Self::Message => "messages",
        }
    }

    /// The detail events' word.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Voice => "VOICE",
            Self::Callback => "CALLBACK",
            Self::Chat => "CHAT",
            Self::Email => "EMAIL",
            Self::Message => "MESSAGE",
        }
    }

    /// Who carries it.
    pub fn provider(self) -> &'static str {
        match self {
            Self::Voice => "Edge",
            Self::Callback => "PureCloud Callback",
            Self::Chat => "Webchat Provider",
            Self::Email => "PureCloud Email",
            Self::Message => "PureCloud Messaging",
        }
    }
}

/// How far a communication has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Offering,
    Alerting,
    Dialing,
    Connected,
    Parked,
    Ended,
}

impl State {
    /// The word of notifications and REST. Only some media know `terminated`.
    pub fn word(self, medium: Medium) -> &'static str {
        match self {
            Self::Offering => "offering",
            Self::Alerting => "alerting",
            Self::Dialing => "dialing",
            Self::Connected => "connected",
            Self::Parked => "parked",
            Self::Ended if matches!(medium, Medium::Email | Medium::Message) => "disconnected",
            Self::Ended => "terminated",
        }
    }

    /// The word of the events dialect, which has three.
    pub fn event_word(self) -> &'static str {
        match self {
            Self::Offering | Self::Alerting | Self::Dialing => "alerting",
            Self::Connected | Self::Parked => "connected",
            Self::Ended => "disconnected",
        }
    }
}

/// Why a communication ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    Client,
    Peer,
    Endpoint,
    Transfer,
    ConsultTransfer,
    NoAnswerTransfer,
    DndEndpoint,
}

impl Reason {
    /// The analytics word, which is also the truth's.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Peer => "peer",
            Self::Endpoint => "endpoint",
            Self::Transfer => "transfer",
            Self::ConsultTransfer => "consultTransfer",
            Self::NoAnswerTransfer => "noAnswerTransfer",
            Self::DndEndpoint => "dndEndpoint",
        }
    }

    /// The `disconnectType` of notifications.
    pub fn topic_word(self) -> &'static str {
        match self {
            Self::ConsultTransfer => "transfer.consult",
            Self::NoAnswerTransfer => "transfer.noanswer",
            Self::DndEndpoint => "endpoint.dnd",
            plain => plain.word(),
        }
    }

    /// The `disconnectType` of REST conversations.
    pub fn rest_word(self) -> &'static str {
        match self {
            Self::DndEndpoint => "endpoint.donotdisturb",
            other => other.topic_word(),
        }
    }

    /// The `disconnectType` of detail events.
    pub fn detail_word(self) -> &'static str {
        match self {
            Self::Client => "CLIENT",
            Self::Peer => "PEER",
            Self::Endpoint => "ENDPOINT",
            Self::Transfer => "TRANSFER",
            Self::ConsultTransfer => "CONSULT_TRANSFER",
            Self::NoAnswerTransfer => "NO_ANSWER_TRANSFER",
            Self::DndEndpoint => "DND_ENDPOINT",
        }
    }
}

/// What a participant is there for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Customer,
    Ivr,
    Acd,
    Agent,
    /// A user who is not there for the customer: a supervisor who monitors.
    User,
}

impl Purpose {
    /// The `purpose` of notifications, REST and analytics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Ivr => "ivr",
            Self::Acd => "acd",
            Self::Agent => "agent",
            Self::User => "user",
        }
    }

    /// The first role in the events dialect.
    pub fn role(self) -> &'static str {
        match self {
            Self::User => "supervisor",
            other => other.word(),
        }
    }

    /// The family of its detail events.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Ivr => "flow",
            Self::Acd => "acd",
            Self::Agent | Self::User => "user",
        }
    }

    /// The `participantType` of REST.
    pub fn participant_type(self) -> &'static str {
        match self {
            Self::Customer => "External",
            Self::Ivr => "IVR",
            Self::Acd => "ACD",
            Self::Agent | Self::User => "Internal",
        }
    }
}

/// Which side began a communication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    Inbound,
    Outbound,
}

impl Direction {
    /// The word of every surface but detail events.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }

    /// The word of detail events.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Inbound => "INBOUND",
            Self::Outbound => "OUTBOUND",
        }
    }
}
