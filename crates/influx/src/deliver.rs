//! Lines to a server until it has them: waits out what passes, and sets aside what it refuses for good.
//!
//! A refusal that names lines costs one more request; one that names none is cut in halves until the lines are alone. Both
//! may send a line twice, which is the same as once. How much is asked for that is bounded: when a server refuses
//! everything, the rest of the batch is set aside as a whole, counted, instead of holding up the history for ever.

use crate::answer::{Refusal, Verdict};
use crate::server::{Found, Server, patience};
use outward::Backoff;
use std::future::Future;
use std::pin::pin;
use tokio_util::sync::CancellationToken;

/// Refusals of one batch that are looked into, before the rest is set aside unseen.
const REFUSALS_MAX: u32 = 300;

/// A line that was refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetAside {
    /// It.
    pub line: String,
    /// What the server said.
    pub why: String,
}

/// The program stops: what was not sent is sent by the next life.
#[derive(Debug)]
pub(crate) struct Cancelled;

/// The way to one server.
#[derive(Debug)]
pub(crate) struct Way<'a> {
    pub server: &'a Server,
    pub found: &'a Found,
    pub backoff: &'a mut Backoff,
    pub cancel: &'a CancellationToken,
}

impl Way<'_> {
    /// Writes lines, `lines_max` a request; gives those that the server refuses. `trouble` hears why it waits.
    pub async fn write(
        &mut self,
        lines: Vec<String>,
        lines_max: usize,
        trouble: impl Fn(&str),
    ) -> Result<Vec<SetAside>, Cancelled> {
        let (mut aside, mut refusals) = (Vec::new(), 0);
        let mut waiting: Vec<Vec<String>> =
            lines.chunks(lines_max.max(1)).rev().map(<[String]>::to_vec).collect();
        while let Some(lines) = waiting.pop() {
            match self.attempt(&lines, &trouble).await? {
                Verdict::Done | Verdict::Wait(..) => {}
                Verdict::TooLarge if lines.len() == 1 => {
                    aside.extend(set_aside(lines, "the line is too large for the server"));
                }
                Verdict::TooLarge => waiting.extend(halves(lines)),
                Verdict::Refused(refusal) => {
                    refusals += 1;
                    let hopeless = refusals > REFUSALS_MAX;
                    waiting.extend(sort_out(lines, refusal, hopeless, &mut aside));
                }
            }
        }
        Ok(aside)
    }

    /// Asks again until the answer is one that no waiting changes.
    async fn attempt(&mut self, lines: &[String], trouble: impl Fn(&str)) -> Result<Verdict, Cancelled> {
        loop {
            let verdict = unless(self.cancel, self.server.write(self.found.api, lines)).await?;
            let Verdict::Wait(why, asked) = verdict else {
                self.backoff.reset();
                return Ok(verdict);
            };
            trouble(&why);
            self.pause(asked).await?;
        }
    }

    /// Waits before the next attempt.
    pub async fn pause(&mut self, asked: Option<std::time::Duration>) -> Result<(), Cancelled> {
        let wait = patience(asked, self.backoff.wait());
        unless(self.cancel, tokio::time::sleep(wait)).await
    }
}

/// Does something, unless the program stops.
pub(crate) async fn unless<T>(
    cancel: &CancellationToken,
    what: impl Future<Output = T>,
) -> Result<T, Cancelled> {
    let what = pin!(what);
    tokio::select! {
        () = cancel.cancelled() => Err(Cancelled),
        done = what => Ok(done),
    }
}

/// Sets the refused lines aside; what is left to be sent again.
fn sort_out(
    lines: Vec<String>,
    refusal: Refusal,
    hopeless: bool,
    aside: &mut Vec<SetAside>,
) -> Vec<Vec<String>> {
    if !refusal.named.is_empty() {
        let mut left = Vec::with_capacity(lines.len());
        for (at, line) in lines.into_iter().enumerate() {
            match refusal.named.iter().find(|(named, _)| *named == at) {
                Some((_, why)) => aside.push(SetAside { line, why: why.clone() }),
                None => left.push(line),
            }
        }
        return if left.is_empty() { Vec::new() } else { vec![left] };
    }
    if refusal.all || hopeless || lines.len() == 1 {
        aside.extend(set_aside(lines, &refusal.why));
        return Vec::new();
    }
    halves(lines)
}

fn set_aside(lines: Vec<String>, why: &str) -> impl Iterator<Item = SetAside> {
    lines.into_iter().map(move |line| SetAside { line, why: why.to_owned() })
}

fn halves(mut lines: Vec<String>) -> Vec<Vec<String>> {
    let second = lines.split_off(lines.len() / 2);
    vec![second, lines]
}
