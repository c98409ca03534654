//! `headcount store stats`: how much is stored, by kind and by day.

use super::look;
use crate::cli::{StoreStatsOptions, print};
use jiff::Timestamp;
use serde_json::json;
use store::{Day, Stats};

const SECONDS_PER_DAY: i64 = 86_400;

/// Prints the sizes.
///
/// # Errors
/// When the folder cannot be read.
pub fn run(options: &StoreStatsOptions) -> anyhow::Result<()> {
    let (_, store) = look(&options.folder)?;
    let stats = store.stats()?;
    print(&if options.json { as_json(&stats)? } else { as_text(&stats) })?;
    Ok(())
}

fn as_json(stats: &Stats) -> anyhow::Result<String> {
    let kinds: Vec<_> =
        stats.kinds.iter().map(|k| json!({"kind": k.name, "rows": k.rows, "bytes": k.bytes})).collect();
    let days: Vec<_> = stats
        .days
        .iter()
        .map(|day| {
            json!({"day": date(day), "batches": day.batches, "loggedFacts": day.logged_facts, "logBytes": day.log_bytes,
                   "conversations": day.conversations, "facts": day.facts, "conversationBytes": day.conversation_bytes,
                   "cells": day.cells, "events": day.events})
        })
        .collect();
    let kept = kept_from(stats).map(|(name, from)| (name.to_owned(), json!(from)));
    let kept: serde_json::Map<_, _> = kept.into_iter().collect();
    let body = json!({"fileBytes": stats.file_bytes, "freeBytes": stats.free_bytes, "keptFrom": kept, "kinds": kinds,
                      "days": days});
    Ok(serde_json::to_string_pretty(&body)? + "\n")
}

fn as_text(stats: &Stats) -> String {
    let mut text = format!(
        "{} on disk, {} of it free to be used again\n\n",
        size(stats.file_bytes),
        size(stats.free_bytes)
    );
    text.push_str(&format!("{:<20} {:>12} {:>12}\n", "kind", "rows", "bytes"));
    for kind in &stats.kinds {
        text.push_str(&format!("{:<20} {:>12} {:>12}\n", kind.name, kind.rows, size(kind.bytes)));
    }
    text.push_str("\nkept from (UTC)\n");
    for (name, from) in kept_from(stats) {
        text.push_str(&format!("{name:<20} {}\n", from.as_deref().unwrap_or("the first on")));
    }
    text.push_str(&format!(
        "\n{:<12} {:>10} {:>10} {:>14} {:>10} {:>10} {:>10}\n",
        "day (UTC)", "log facts", "bytes", "conversations", "facts", "bytes", "events"
    ));
    for day in &stats.days {
        text.push_str(&format!(
            "{:<12} {:>10} {:>10} {:>14} {:>10} {:>10} {:>10}\n",
            date(day).unwrap_or_else(|| "none".to_owned()),
            day.logged_facts,
            size(day.log_bytes),
            day.conversations,
            day.facts,
            size(day.conversation_bytes),
            day.events
        ));
    }
    text
}

/// From when on each kind is kept, by the end of conversations and by the time of cells; none: from the first on.
fn kept_from(stats: &Stats) -> [(&'static str, Option<String>); 4] {
    let kept = &stats.cells_kept;
    let minute = |minutes: i64, unit: Option<i64>| unit.map(|unit| unit.saturating_mul(minutes * 60));
    let text = |seconds: Option<i64>| Some(Timestamp::from_second(seconds?).ok()?.to_string());
    [
        ("conversations", text(stats.removed_before.map(|ns| ns.div_euclid(engine::SECOND)))),
        ("minutes", text(minute(1, kept.minutes))),
        ("hours", text(minute(60, kept.hours))),
        ("days", text(minute(1_440, kept.days))),
    ]
}

/// `2026-01-31`; none for what has no day.
fn date(day: &Day) -> Option<String> {
    let begins = Timestamp::from_second(day.number?.checked_mul(SECONDS_PER_DAY)?).ok()?;
    begins.to_string().split_once('T').map(|(date, _)| date.to_owned())
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
