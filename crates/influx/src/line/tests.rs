//! Lines as the references show them, and no text breaks out of its place.

use super::*;
use proptest::prelude::*;

#[test]
fn a_line_is_as_the_reference_has_it() {
    let line = Line::of("m").tag("a", Some("x y,z=1")).tag("b", None::<&str>).tag("c", Some("")).fields();
    let line = line.integer("n", 17).string("s", Some("say \"hi\" \\ bye")).string("t", None::<&str>);
    assert_eq!(line.at(5), r#"m,a=x\ y\,z\=1 n=17i,s="say \"hi\" \\ bye" 5"#);
    assert_eq!(line.series(), r"m,a=x\ y\,z\=1");
}

/// The parts of a line by the protocol's rules: series, fields, time.
fn split(line: &str) -> Vec<String> {
    let (mut parts, mut part, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            ' ' if !quoted && !escaped => parts.push(std::mem::take(&mut part)),
            c => {
                quoted ^= c == '"' && !escaped && !parts.is_empty();
                part.push(c);
            }
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(part);
    parts
}

#[test]
fn the_tags_of_a_series_come_back() {
    let line = Line::of("m").tag("a", Some("x y,z=1")).tag("b", Some("€")).fields();
    let tags = tags(line.series());
    assert_eq!(tags, [("a".to_owned(), "x y,z=1".to_owned()), ("b".to_owned(), "€".to_owned())]);
}

proptest! {
    #[test]
    fn no_text_breaks_out(tag in "[ -~\\n\\t€]{1,9}", field in "[ -~\\n\\t€]{0,9}") {
        let line = Line::of("m").tag("a", Some(&tag)).fields().string("s", Some(&field)).integer("n", 1).at(7);
        let parts = split(&line);
        prop_assert_eq!(parts.len(), 3, "{}", line);
        prop_assert!(!line.contains('\n'));
        prop_assert!(parts[1].ends_with(",n=1i"), "{}", line);
        prop_assert_eq!(&parts[2], "7");
    }
}
