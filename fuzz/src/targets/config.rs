//! The configuration: a file's bytes, and values of the environment.
//!
//! The file comes first; behind a line `---` each line is `NAME=value` of the environment. Whatever they say, the outcome
//! is a configuration or every problem at once: a further problem is told beside those that were there, never instead of
//! one. A secret stands in no message, nor does the text of a URL, which may carry one.

use headcount::cli::ServeOptions;
use headcount::config::{Config, Problems, gather};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;

/// What marks a secret: inputs that put it where secrets belong must not find it in what is said.
const SECRET: &str = "C4n4ry";
/// Variables whose text is never repeated.
const SILENT: [&str; 6] = [
    "GENESYS_CLIENT_SECRET",
    "GENESYS_LOGIN_URL",
    "GENESYS_API_URL",
    "GENESYS_EVENTS_URL",
    "INFLUX_URL",
    "INFLUX_TOKEN",
];
/// The longest message: so much for each byte that was given, and so much in any case.
const MESSAGE_BYTES_PER_BYTE: usize = 400;
const MESSAGE_BYTES: usize = 8_000;

type Environment<'a> = BTreeMap<&'a str, &'a str>;

/// Takes a file and an environment.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (file, rest) = text.split_once("\n---\n").unwrap_or((text, ""));
    let environment: Environment<'_> = rest.lines().filter_map(|line| line.split_once('=')).collect();
    let outcome = read(file, &environment);
    let secretive = is_secretive(file, &environment);
    let said = match &outcome {
        Ok(config) => {
            assert!(
                !config.source.client_id.is_empty()
                    && !config.source.client_secret.expose_secret().is_empty()
            );
            format!("{:?}", config.source.client_secret)
        }
        Err(problems) => problems.to_string(),
    };
    assert!(!secretive || !said.contains(SECRET), "a secret is told: {said}");
    assert!(
        said.len() <= MESSAGE_BYTES + bytes.len() * MESSAGE_BYTES_PER_BYTE,
        "{} bytes are said",
        said.len()
    );
    one_more_problem(file, environment, &outcome);
}

fn read(file: &str, environment: &Environment<'_>) -> Result<Config, Problems> {
    let file = Some(("h.toml", file)).filter(|(_, text)| !text.is_empty());
    gather(file, |name| environment.get(name).map(|value| (*value).to_owned()), &ServeOptions::default())
}

/// Whether the mark stands only where a secret does: in variables that are never repeated, or as the file's own
/// `client_secret`.
fn is_secretive(file: &str, environment: &Environment<'_>) -> bool {
    let told = environment.iter().filter(|(name, _)| !SILENT.contains(name));
    let elsewhere = told.clone().any(|(name, value)| name.contains(SECRET) || value.contains(SECRET));
    let multi_line = file.contains("\"\"\"") || file.contains("'''") || file.contains('[');
    let in_file = file.lines().filter(|line| line.contains(SECRET)).all(|line| {
        line.trim_start()
            .strip_prefix("client_secret")
            .is_some_and(|value| !value.starts_with(|c: char| c.is_alphanumeric()))
    });
    !elsewhere && in_file && (!multi_line || !file.contains(SECRET) || file.starts_with("[genesys]\n"))
}

/// A mailbox of no facts is a problem whatever else there is, and hides none of the others.
fn one_more_problem(file: &str, mut environment: Environment<'_>, before: &Result<Config, Problems>) {
    const WRONG: &str = "HEADCOUNT_MAILBOX_FACTS";
    if environment.contains_key(WRONG) || file.contains("mailbox") || file.contains('\\') {
        return;
    }
    environment.insert(WRONG, "0");
    let after = read(file, &environment).expect_err("a mailbox of no facts").to_string();
    assert!(after.contains(WRONG), "{after}");
    if let Err(before) = before {
        let told = before.to_string();
        let lines = told.split("\n  - ").flat_map(|part| part.split("not right: "));
        for line in lines.filter(|line| !line.starts_with("the configuration is not")) {
            assert!(after.contains(line), "{line} is hidden by another problem: {after}");
        }
    }
}
