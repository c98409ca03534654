//! A token is kept, renewed once however many ask, and never shown.

use super::*;

#[test]
fn a_token_is_used_until_five_minutes_before_its_end_or_for_four_fifths() {
    let seconds = |life| usable(Duration::from_secs(life)).as_secs();
    assert_eq!(seconds(86_400), 86_100);
    assert_eq!(seconds(1_500), 1_200);
    assert_eq!(seconds(600), 480);
    assert_eq!(seconds(300), 240);
    assert_eq!(seconds(0), 0);
}
