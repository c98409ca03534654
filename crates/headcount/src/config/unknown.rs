//! Variables that look like ours and are none: a typing mistake leaves a setting at its default without a word.
//!
//! They are told by name, with the nearest that there is, and never by value: what was meant may be a secret. Rejected: to
//! refuse them (other tools and other versions have variables of such names).

use super::SETTINGS;

/// How variables of ours begin.
const PREFIXES: [&str; 3] = ["HEADCOUNT_", "GENESYS_", "INFLUX_"];
/// How many are told; the rest is counted.
const TOLD_MAX: usize = 16;
/// How much of a name is looked at, and repeated, in characters.
const NAME_CHARS_MAX: usize = 64;

/// A sentence for each variable of an environment, as name and value, that is not known and looks like ours.
pub fn unknown(environment: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut names: Vec<String> =
        environment.filter(|(name, value)| is_meant_for_us(name, value)).map(|(name, _)| name).collect();
    names.sort_unstable();
    let mut told: Vec<String> = names.iter().take(TOLD_MAX).map(|name| sentence(name)).collect();
    if let Some(more) = names.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
        told.push(format!("{more} more variables are not known"));
    }
    told
}

fn is_meant_for_us(name: &str, value: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    PREFIXES.iter().any(|prefix| upper.starts_with(prefix))
        && !SETTINGS.iter().any(|(_, known)| *known == name)
        && !is_of_a_service(name, value)
}

/// Kubernetes gives each container variables of the services beside it: one named `headcount` makes `HEADCOUNT_PORT`,
/// `HEADCOUNT_SERVICE_HOST` and others (its documentation, "Discovering services").
fn is_of_a_service(name: &str, value: &str) -> bool {
    let parts = ["_SERVICE_HOST", "_SERVICE_PORT", "_TCP_", "_UDP_"];
    parts.iter().any(|part| name.contains(part)) || value.starts_with("tcp://") || value.starts_with("udp://")
}

fn sentence(name: &str) -> String {
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let nearest = SETTINGS.iter().map(|(_, known)| *known).min_by_key(|known| distance(&name, known));
    let meant = nearest.map(|known| format!("; the nearest known one is {known}")).unwrap_or_default();
    format!("the variable {} is not known and left out{meant}", name.escape_debug())
}

/// How many characters must be put in, taken out or exchanged to make one name of the other (Levenshtein), whatever their case.
fn distance(from: &str, to: &str) -> usize {
    let [from, to] = [from, to].map(|text| text.to_ascii_uppercase().chars().collect::<Vec<char>>());
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, left) in from.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, right) in to.iter().enumerate() {
            let exchanged = diagonal + usize::from(left != right);
            diagonal = row[column + 1];
            row[column + 1] = exchanged.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests;
