//! What `headcount check` finds out about somebody else's service, and how to mend it.

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Ok,
    /// The program runs, with less than it could.
    Warning,
    /// The program cannot do its work.
    Problem,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub name: &'static str,
    /// How it went.
    pub level: Level,
    /// What was seen.
    pub detail: String,
    /// How to mend it.
    pub remedy: Option<String>,
}

impl Finding {
    /// All is as it should be.
    #[must_use]
    pub fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, detail: detail.into(), remedy: None }
    }
}
