//! The API client: what an error body says, and how a permission is named.

use super::*;

fn said(code: &str, message: &str) -> ErrorBody {
    ErrorBody { code: code.to_owned(), message: message.to_owned() }
}

#[test]
fn a_403_is_told_by_the_permission_that_it_names() {
    let body = said(
        "missing.permissions",
        "Unable to perform the requested action. You are missing the following permission(s): [routing:queue:view]",
    );
    assert_eq!(missing_permission(&body).as_deref(), Some("routing:queue:view"));
    let any = said(
        "missing.any.permissions",
        "You must have at least one of the following permissions assigned: a:b:c, d:e:f",
    );
    assert_eq!(missing_permission(&any).as_deref(), Some("a:b:c, d:e:f"));
    assert_eq!(missing_permission(&said("not.authorized", "Not you: really")), None);
    assert_eq!(missing_permission(&said("missing.permissions", "no colon")), None);
}

#[test]
fn what_a_server_says_is_cut_and_cleaned() {
    assert_eq!(said("", "a\nb\u{1b}[31m").in_short(), "ab[31m");
    assert_eq!(said("the.code", "").in_short(), "the.code");
    assert_eq!(said("", &"x".repeat(5_000)).in_short().len(), MESSAGE_CHARS_MAX);
    assert_eq!(said("", "").in_short(), "without a message");
}
