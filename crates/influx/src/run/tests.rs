//! Warnings come in time, and not for ever.

use super::*;

#[test]
fn series_are_warned_of_before_there_are_too_many_and_not_for_ever() {
    let (mut said, mut warnings) = (0, Vec::new());
    for series in (0..1_000_000).step_by(100) {
        if series >= next_said(said) {
            said = series;
            warnings.push(series);
        }
    }
    assert_eq!(warnings, [80_000, 90_000, 100_000, 200_000, 400_000, 800_000]);
}
