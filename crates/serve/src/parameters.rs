//! Query parameters, taken one by one.
//!
//! A parameter that is misspelt must not be ignored: `?actve=true` would list everything and look right. So every route
//! declares the names it knows (`routes.rs`), and a request with any other is refused before the handler sees it, with
//! the known ones named. A handler takes them one by one, and can take none that is not declared. An empty value counts as
//! absent, as in `?role=&limit=10`. Rejected: deserialising into a struct (its errors do not name the parameter in
//! words that a caller knows), and a check at the end of each handler (one that takes nothing forgets it).

use crate::error::{Code, Problem};
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use engine::{WORD_BYTES_MAX, Word};

/// How much of a stranger's text is repeated in an error, in characters.
const REPEATED_MAX: usize = 64;

/// The names of the parameters that a route knows.
pub(crate) type Known = &'static [&'static str];

/// The parameters that were given and not yet taken.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    given: Vec<(String, String)>,
    known: Known,
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // They are put there by `only_known`, through which every route goes.
        let given = parts.extensions.remove();
        given.ok_or_else(|| Problem::new(Code::Internal, "nobody read the parameters"))
    }
}

/// Lets a request through whose parameters are all known.
pub(crate) async fn only_known(State(known): State<Known>, mut request: Request, next: Next) -> Response {
    match Parameters::of(&request, known) {
        Ok(parameters) => {
            request.extensions_mut().insert(parameters);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

impl Parameters {
    fn of(request: &Request, known: Known) -> Result<Self, Problem> {
        let Query(given) = Query::<Vec<(String, String)>>::try_from_uri(request.uri())
            .map_err(|_| Problem::new(Code::BadParameter, "the query cannot be read"))?;
        match given.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(Self { given, known }),
            Some((name, _)) => {
                Err(bad(&repeated(name), &format!("is not a parameter of this; {}", those(known))))
            }
        }
    }

    /// Takes the value of a parameter; none when it is absent or empty.
    ///
    /// # Errors
    /// [`Code::BadParameter`] when it is given twice.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        debug_assert!(self.known.contains(&name), "the route does not declare \"{name}\"");
        let mut values = self.given.extract_if(.., |(key, _)| key == name).map(|(_, value)| value);
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
}

/// What may be given, in words.
fn those(known: Known) -> String {
    match known {
        [] => "it takes none".to_owned(),
        [one] => format!("it takes \"{one}\""),
        [most @ .., last] => format!("it takes \"{}\" and \"{last}\"", most.join("\", \"")),
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
