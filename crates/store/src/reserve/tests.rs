//! The reserve is there, shrinks when it is needed, and the folder remembers how far.

use super::*;

#[test]
fn it_is_made_given_in_steps_and_made_whole_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut reserve = Reserve::of(folder.path());
    assert!(!reserve.give_some(), "there is none");
    assert!(reserve.make());
    let length = || fs::metadata(folder.path().join(FILE)).expect("it is there").len();
    assert_eq!(length(), RESERVE_BYTES);
    assert!(Reserve::of(folder.path()).give_some());
    assert_eq!(length(), RESERVE_BYTES - STEP_BYTES);
    let mut reserve = Reserve::of(folder.path());
    while reserve.give_some() {}
    assert_eq!(length(), 0);
    fs::write(folder.path().join(FILE), "of an odd length").expect("written");
    assert!(Reserve::of(folder.path()).make());
    assert_eq!(length(), RESERVE_BYTES);
    assert!(fs::read(folder.path().join(FILE)).expect("read").starts_with(b"of an odd length"));
}
