//! The reserve is there, goes when it is needed, and the folder remembers which.

use super::*;

#[test]
fn it_is_made_given_up_and_made_again_and_the_folder_remembers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut reserve = Reserve::of(folder.path());
    assert!(!reserve.give_up() && !reserve.is_given_up(), "there is none");
    assert!(reserve.make());
    let length = || fs::metadata(folder.path().join(FILE)).expect("it is there").len();
    assert_eq!(length(), RESERVE_BYTES);
    let mut reserve = Reserve::of(folder.path());
    assert!(!reserve.is_given_up() && reserve.give_up());
    assert_eq!(length(), 0);
    let mut reserve = Reserve::of(folder.path());
    assert!(reserve.is_given_up() && !reserve.give_up());
    assert!(reserve.make() && !reserve.is_given_up());
    assert_eq!(length(), RESERVE_BYTES);
}

#[test]
fn one_that_was_left_half_made_counts_as_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(FILE), "half").expect("written");
    assert!(Reserve::of(folder.path()).is_given_up());
}
