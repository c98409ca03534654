//! The file: TOML, each value with its line.

use super::{Problems, Raw, SETTINGS};
use toml::de::{DeTable, DeValue};

/// Reads all values of a file; what is wrong goes to `problems`, each with its line.
pub fn read(name: &str, text: &str, raw: &mut Raw, problems: &mut Problems) {
    let line = |at: usize| text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        problems.add(&format!("{name}, line {}", line(at)), error.message());
    }
    for (section, value) in table.get_ref() {
        let at = format!("{name}, line {}", line(section.span().start));
        let DeValue::Table(entries) = value.get_ref() else {
            problems.add(
                &at,
                format!("`{}` stands outside a section; sections are {}", section.get_ref(), sections()),
            );
            continue;
        };
        for (key, value) in entries {
            let at = format!("{name}, line {}", line(key.span().start));
            let path = format!("{}.{}", section.get_ref(), key.get_ref());
            let Some((setting, _)) = SETTINGS.iter().find(|(setting, _)| *setting == path) else {
                problems.add(&at, format!("there is no setting `{path}`; {}", known(section.get_ref())));
                continue;
            };
            match plain(value.get_ref()) {
                // A quote that is not closed takes in all that follows, a secret perhaps: such a text is not repeated.
                Some(value) if value.contains(['\n', '\r']) => {
                    problems.add(&at, format!("`{path}` takes one line; is its closing quote missing?"));
                }
                Some(value) => drop(raw.insert(setting, (value, at))),
                None => problems.add(&at, format!("`{path}` takes a text, a number or a list of texts")),
            }
        }
    }
}

/// A text, a number, or a list of texts with commas between them.
fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().replace('_', "")),
        DeValue::Array(items) => {
            let texts: Option<Vec<String>> = items.iter().map(|item| plain(item.get_ref())).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

fn sections() -> String {
    let mut names: Vec<&str> = SETTINGS.iter().filter_map(|(path, _)| path.split('.').next()).collect();
    names.dedup();
    names.iter().map(|name| format!("[{name}]")).collect::<Vec<_>>().join(", ")
}

fn known(section: &str) -> String {
    let prefix = format!("{section}.");
    let names: Vec<&str> =
        SETTINGS.iter().filter_map(|(path, _)| path.strip_prefix(prefix.as_str())).collect();
    match names.is_empty() {
        true => format!("sections are {}", sections()),
        false => format!("[{section}] has {}", names.join(", ")),
    }
}
