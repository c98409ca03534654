//! The page and its files, compiled in.
//!
//! Plain files without a build step or a library: what is in the folder is what the browser runs. What the page must
//! know before its first request (heading, zone) is written into it here, escaped.

use crate::Shared;
use crate::error::{Code, Problem};
use crate::zone::Zone;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const INDEX: &str = include_str!("../assets/index.html");

/// Name, type and content.
const ASSETS: [(&str, &str, &str); 10] = [
    ("app.js", JAVASCRIPT, include_str!("../assets/app.js")),
    ("connection.js", JAVASCRIPT, include_str!("../assets/connection.js")),
    ("conversations.js", JAVASCRIPT, include_str!("../assets/conversations.js")),
    ("feeds.js", JAVASCRIPT, include_str!("../assets/feeds.js")),
    ("heatmap.js", JAVASCRIPT, include_str!("../assets/heatmap.js")),
    ("timeline.js", JAVASCRIPT, include_str!("../assets/timeline.js")),
    ("words.js", JAVASCRIPT, include_str!("../assets/words.js")),
    ("zone.js", JAVASCRIPT, include_str!("../assets/zone.js")),
    ("style.css", CSS, include_str!("../assets/style.css")),
    ("favicon.svg", SVG, include_str!("../assets/favicon.svg")),
];

/// `GET /`.
pub(crate) async fn page(State(shared): State<Arc<Shared>>) -> Response {
    file(HTML, shared.index.clone())
}

/// `GET /assets/{name}`.
pub(crate) async fn asset(name: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let not_found = || Problem::new(Code::NotFound, "the page has no such file");
    let Path(name) = name.map_err(|_| not_found())?;
    let (_, kind, content) = ASSETS.iter().find(|(known, ..)| *known == name).ok_or_else(not_found)?;
    Ok(file(kind, Bytes::from_static(content.as_bytes())))
}

/// The page with its heading and zone.
pub(crate) fn index(title: &str, note: Option<&str>, zone: &Zone) -> Bytes {
    INDEX
        .replace("{{zone}}", &escaped(zone.name()))
        .replace("{{rules}}", &escaped(zone.release().unwrap_or("of an unknown release")))
        .replace("{{note}}", &escaped(note.unwrap_or_default()))
        .replace("{{title}}", &escaped(title))
        .into()
}

fn file(kind: &'static str, content: Bytes) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], content).into_response()
}

/// Text that is safe in an element and in a quoted attribute. Braces go too, so that no text looks like a place to
/// fill in.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' | '{' | '}' => safe.push_str(&format!("&#{};", u32::from(c))),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests;
