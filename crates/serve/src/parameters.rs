//! Query parameters, taken one by one.
//!
//! A parameter that is misspelt must not be ignored: `?actve=true` would list everything and look right. So whoever
//! reads parameters takes those it knows, and what is left over is an error that names it. An empty value counts as
//! absent, as in `?role=&limit=10`. Rejected: deserialising into a struct (its errors do not name the parameter in
//! words that a caller knows).

use crate::error::{Code, Problem};
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use engine::{WORD_BYTES_MAX, Word};
use std::convert::Infallible;

/// How much of a stranger's text is repeated in an error, in characters.
const REPEATED_MAX: usize = 64;

/// The parameters that were given and not yet taken.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let given = Query::try_from_uri(&parts.uri).map_or_else(|_| Vec::new(), |Query(given)| given);
        Ok(Self(given))
    }
}

impl Parameters {
    /// Takes the value of a parameter; none when it is absent or empty.
    ///
    /// # Errors
    /// [`Code::BadParameter`] when it is given twice.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.0.extract_if(.., |(key, _)| key == name).map(|(_, value)| value);
        let first = values.next();
        match values.count() {
            0 => Ok(first.filter(|value| !value.is_empty())),
            _ => Err(bad(name, "is given more than once")),
        }
    }

    /// Takes the value of a parameter and reads it with `read`, which says what a value must be when this is none.
    ///
    /// # Errors
    /// [`Code::BadParameter`] when it is given twice or `read` refuses it.
    pub(crate) fn take_as<T>(
        &mut self,
        name: &str,
        must_be: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.take(name)? else {
            return Ok(None);
        };
        match read(&value) {
            Some(read) => Ok(Some(read)),
            None => Err(bad(name, &format!("must be {must_be}, not \"{}\"", repeated(&value)))),
        }
    }

    /// Nothing may be left over.
    ///
    /// # Errors
    /// [`Code::BadParameter`] that names the first parameter nobody took.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(bad(&repeated(name), "is not a parameter of this")),
        }
    }
}

/// A word that is not cut: one that is longer would match what it is not.
pub(crate) fn short(text: &str, word: impl FnOnce(&str) -> Option<Word>) -> Option<Word> {
    (text.len() <= WORD_BYTES_MAX).then(|| word(text)).flatten()
}

fn bad(name: &str, what: &str) -> Problem {
    Problem::new(Code::BadParameter, format!("\"{name}\" {what}"))
}

fn repeated(text: &str) -> String {
    text.chars().take(REPEATED_MAX).collect()
}
