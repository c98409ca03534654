//! What can become of a frame: facts, control, ignored, refused.
//!
//! The lists are closed, so that the sum over them is the number of frames and every one is a metric label. Free text
//! of the sender is cut, and ids of channels are left out: a channel's id is part of its credential. Rejected: an
//! error type (a bad frame is counted data, not a failure of ours).

/// The outcome of decoding one frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// So many facts, toggles and user facts were appended; at least one.
    Facts(u32),
    /// It is about the feed itself.
    Control(Control),
    /// It is well formed and says nothing that is kept.
    Ignored(Ignored),
    /// It was refused; nothing was appended.
    Refused(Refused),
}

/// A message about the feed itself. Texts are at most 200 bytes; empty where nothing was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Control {
    /// `events`: the subscription stands.
    SubscriptionConfirmed {
        /// The subscription's id, where one was given.
        id: Option<String>,
    },
    /// The server's heartbeat, about every 30 s.
    Heartbeat,
    /// The answer to our ping.
    Pong,
    /// The answer to a subscription over the socket: it stands.
    Subscribed,
    /// The answer to a subscription over the socket: it failed.
    SubscribeFailed {
        /// What the server said.
        message: String,
    },
    /// The channel expired, was evicted, or its token died.
    ChannelGone,
    /// The socket closes within about a minute, for maintenance.
    SocketClosing,
    /// The channel lost its subscriptions.
    NoLongerSubscribed {
        /// The platform's word, such as `another_channel_subscribed`.
        reason: String,
    },
    /// The token that made the channel was revoked.
    TokenRevoked,
    /// The channel's subscriptions were changed.
    SubscriptionChanged,
    /// A notice that nothing hangs on.
    Notice {
        /// Its topic, without ids.
        topic: String,
    },
}

/// Why a well-formed frame has no facts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ignored {
    /// It says nothing about a state or a role.
    NoState,
    /// It is of a known family of topics that is not ours.
    Topic,
    /// It is of a known event type that is not ours.
    EventType,
    /// It holds nothing at all, such as a conversation without participants.
    Empty,
}

/// Why a frame was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refused {
    /// More bytes than allowed.
    TooLarge,
    /// Nested deeper than allowed.
    TooDeep,
    /// Not UTF-8.
    NotUtf8,
    /// Not JSON, or more than one value.
    NotJson,
    /// `notifications`: no topic, or of no known family.
    UnknownTopic,
    /// `events`: no event type, or an unknown one.
    UnknownType,
    /// The id of the conversation, a participant or a communication is missing.
    MissingId,
    /// An id is too long or holds a control character.
    BadId,
    /// A time is missing where one is needed, unreadable, or before 2000-01-01.
    BadTime,
    /// A time is more than an hour after the frame was received, by the sender's clock where that is known.
    FutureTime,
    /// JSON of another shape: a wrong type, or a field that is there twice.
    BadShape,
    /// More participants, communications, clock entries or values than allowed.
    TooMany,
    /// A causal clock that is no map of regions to counters.
    BadClock,
}

impl Ignored {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 4] = [Self::NoState, Self::Topic, Self::EventType, Self::Empty];

    /// The metric label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoState => "no_state",
            Self::Topic => "topic",
            Self::EventType => "event_type",
            Self::Empty => "empty",
        }
    }
}

impl Refused {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 13] = [
        Self::TooLarge,
        Self::TooDeep,
        Self::NotUtf8,
        Self::NotJson,
        Self::UnknownTopic,
        Self::UnknownType,
        Self::MissingId,
        Self::BadId,
        Self::BadTime,
        Self::FutureTime,
        Self::BadShape,
        Self::TooMany,
        Self::BadClock,
    ];

    /// Whether the frame may have said something of a conversation that is not known now. One of a topic or an event type
    /// that is not known here did not: what is followed was named when it was subscribed to.
    #[must_use]
    pub fn is_loss(self) -> bool {
        !matches!(self, Self::UnknownTopic | Self::UnknownType)
    }

    /// The metric label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::UnknownTopic => "unknown_topic",
            Self::UnknownType => "unknown_type",
            Self::MissingId => "missing_id",
            Self::BadId => "bad_id",
            Self::BadTime => "bad_time",
            Self::FutureTime => "future_time",
            Self::BadShape => "bad_shape",
            Self::TooMany => "too_many",
            Self::BadClock => "bad_clock",
        }
    }
}

impl From<Result<Outcome, Refused>> for Outcome {
    fn from(result: Result<Outcome, Refused>) -> Self {
        result.unwrap_or_else(Self::Refused)
    }
}
