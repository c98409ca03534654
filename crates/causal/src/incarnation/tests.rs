//! Incarnations begin at one and only grow.

use super::*;

#[test]
fn nobody_has_incarnation_zero() {
    assert_eq!(Incarnation::new(0), None);
}

#[test]
fn the_next_one_is_greater() {
    let first = Incarnation::new(1).unwrap();
    assert!(first.next() > first);
    assert_eq!(first.next().get(), 2);
}

#[test]
fn the_last_one_stays() {
    let last = Incarnation::new(u32::MAX).unwrap();
    assert_eq!(last.next(), last);
}

#[test]
fn it_is_shown_as_its_number() {
    assert_eq!(Incarnation::new(42).unwrap().to_string(), "42");
}
