//! Ranges and filters.

use super::*;
use engine::Time;

fn ask(from: Option<i64>, to: Option<i64>) -> Ask {
    Ask { what: What::Spells, format: Format::Csv, from, to, only: Only::default() }
}

#[test]
fn a_range_holds_its_first_instant_and_not_its_last() {
    let range = ask(Some(10), Some(20));
    assert!(!range.holds(9) && range.holds(10) && range.holds(19) && !range.holds(20));
    assert!(ask(None, Some(20)).holds(i64::MIN) && ask(Some(10), None).holds(i64::MAX));
}

#[test]
fn a_spell_is_in_every_range_that_it_overlaps() {
    let range = ask(Some(10), Some(20));
    let cases = [
        (0, Some(9), false),
        (0, Some(10), false),
        (0, Some(11), true),
        (0, None, true),
        (12, Some(15), true),
        (19, Some(40), true),
        (20, Some(40), false),
        (20, None, false),
        (10, Some(10), true),
        (20, Some(20), false),
    ];
    for (from, to, inside) in cases {
        assert_eq!(range.overlaps(from, to), inside, "{from} {to:?}");
    }
    assert!(ask(None, None).overlaps(i64::MAX, None));
}

#[test]
fn filters_hold_together_and_absence_matches_none() {
    let id = |text: &str| Id::new(text).ok();
    let spell = SpellView {
        participant: id("p").unwrap(),
        communication: None,
        role: Word::new("agent"),
        user: id("u"),
        queue: None,
        medium: None,
        state: None,
        held: false,
        from: Time::from_nanos(1),
        to: None,
    };
    let mut wanted = ask(None, None);
    wanted.only = Only { role: Word::new("agent"), user: id("u"), ..Only::default() };
    assert!(wanted.takes_spell(&spell));
    wanted.only.queue = id("q");
    assert!(!wanted.takes_spell(&spell));
    assert_eq!(wanted.misplaced(), None);
    wanted.what = What::Facts;
    assert_eq!(wanted.misplaced(), Some(Field::Queue));
}
