//! Reads the data folder of a service that is stopped, and changes nothing in it.

use super::Wanted;
use anyhow::Context;
use pipeline::{Clock, Keeper};
use std::path::Path;
use store::Store;

/// The same JSON that the service would answer.
///
/// # Errors
/// When the folder is in use or cannot be read, and when it knows nothing of what is asked for.
pub fn read(folder: &Path, wanted: &Wanted) -> anyhow::Result<String> {
    let now = Clock::system().now();
    let opened = Store::look(folder)?;
    let (mut keeper, _) = Keeper::recover(opened, engine::Limits::default(), now)?;
    // What waited is shown as the next start would show it; nothing of it is written.
    keeper.begin(now);
    let of = wanted.participant.as_ref();
    let answer = keeper.about(&wanted.conversation, now, |shown| shown.why(of))?;
    let Some(facts) = &answer.value else {
        anyhow::bail!("{}: nothing is known of a conversation with this id", wanted.conversation);
    };
    if let Some(participant) = of.filter(|_| facts.is_empty()) {
        anyhow::bail!("{}: nothing is known of its participant {participant}", wanted.conversation);
    }
    let explained = serve::Explanation { conversation: &wanted.conversation, participant: of, facts };
    explained.to_json(answer.position, answer.completeness).context("the answer could not be written")
}
