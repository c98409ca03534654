//! Lists that fail, once and for long, in virtual time.

use super::*;

const MINUTE: Millis = 60_000;

fn directory() -> Directory {
    Directory::new(Timing::default(), &mut fastrand::Rng::with_seed(1))
}

fn page(ids: &[&str], is_last: bool) -> Page {
    Page { ids: ids.iter().map(|id| Id::new(id).unwrap()).collect(), is_last }
}

fn failure(problem: &str) -> Failure {
    Failure { problem: problem.to_owned(), retry_in: Duration::ZERO, lasting: problem.contains("permission") }
}

fn asks(directory: &mut Directory, now: Millis) -> Vec<(ListKind, u32)> {
    std::iter::from_fn(|| directory.poll_ask(now)).collect()
}

/// Reads a list of one page whole.
fn read(directory: &mut Directory, now: Millis, kind: ListKind, ids: &[&str]) -> Option<Named> {
    directory.handle_page(now, kind, page(ids, true))
}

#[test]
fn both_lists_are_asked_for_at_once_and_again_in_time() {
    let mut directory = directory();
    assert_eq!(asks(&mut directory, 0), [(ListKind::Queues, 1), (ListKind::Users, 1)]);
    assert_eq!(directory.poll_timeout(), None, "both are under way");
    assert!(!directory.was_tried() && directory.unknown(0).is_some());
    let named = read(&mut directory, 100, ListKind::Queues, &["q"]).unwrap();
    assert_eq!((named.targets.len(), named.since), (1, 0));
    read(&mut directory, 100, ListKind::Users, &["u"]);
    assert_eq!((directory.was_tried(), directory.unknown(100)), (true, None));
    assert_eq!(directory.poll_timeout(), Some(100 + 10 * MINUTE));
    assert_eq!(asks(&mut directory, 100 + 10 * MINUTE).len(), 2);
}

#[test]
fn a_page_that_fails_is_asked_for_again_within_seconds_and_what_was_read_is_used() {
    let mut directory = directory();
    asks(&mut directory, 0);
    assert_eq!(directory.handle_page(10, ListKind::Users, page(&["u-1"], false)), None);
    assert_eq!(asks(&mut directory, 10), [(ListKind::Users, 2)]);
    let named = directory.handle_failure(20, ListKind::Users, failure("status 503")).unwrap();
    assert_eq!(named.targets.len(), 1);
    let (unknown, since) = directory.unknown(20).unwrap();
    assert_eq!(since, 0);
    assert!(unknown.contains("users") && unknown.contains("status 503"), "{unknown}");
    let mut now = 20;
    for _ in 0..8 {
        let due = directory.poll_timeout().unwrap();
        assert!(due > now && due <= now + 61_000, "from {now} to {due}");
        now = due;
        assert_eq!(asks(&mut directory, now), [(ListKind::Users, 2)], "the page that failed");
        directory.handle_failure(now, ListKind::Users, failure("status 503"));
    }
    assert!(now > 60_000, "the waits grow");
    now = directory.poll_timeout().unwrap();
    asks(&mut directory, now);
    let named = directory.handle_page(now, ListKind::Users, page(&["u-2"], true)).unwrap();
    assert_eq!(
        (named.targets.len(), named.since),
        (1, 0),
        "all of it may have been missed from the beginning"
    );
    read(&mut directory, now, ListKind::Queues, &[]);
    assert_eq!((directory.unknown(now), directory.failing()), (None, None));
}

#[test]
fn what_a_person_must_mend_is_asked_for_more_rarely_but_for_ever() {
    let mut directory = directory();
    asks(&mut directory, 0);
    read(&mut directory, 0, ListKind::Queues, &["q"]);
    let (mut now, mut tries) = (0, 0);
    directory.handle_failure(0, ListKind::Users, failure("it lacks the permission x:y:view"));
    while now < 24 * 60 * MINUTE {
        now = directory.poll_timeout().unwrap();
        for (kind, _) in asks(&mut directory, now) {
            match kind {
                ListKind::Queues => drop(read(&mut directory, now, kind, &["q"])),
                ListKind::Users => {
                    tries += 1;
                    directory.handle_failure(now, kind, failure("it lacks the permission x:y:view"));
                }
            }
        }
        assert!(directory.unknown(now).unwrap().0.contains("x:y:view"));
    }
    assert!((100..400).contains(&tries), "{tries} tries in a day");
}

#[test]
fn a_server_that_asks_to_wait_is_left_alone_for_so_long() {
    let mut directory = directory();
    asks(&mut directory, 0);
    read(&mut directory, 0, ListKind::Queues, &[]);
    let retry_in = Duration::from_secs(90);
    directory.handle_failure(0, ListKind::Users, Failure { retry_in, ..failure("429") });
    assert_eq!(directory.poll_timeout(), Some(90_000));
}

#[test]
fn what_is_new_was_missed_since_the_reading_before_began() {
    let mut directory = directory();
    asks(&mut directory, 0);
    let whole = |directory: &mut Directory, asked: Millis, answered: Millis| {
        asks(directory, asked);
        read(directory, answered, ListKind::Users, &["u"]);
        read(directory, answered, ListKind::Queues, &["q"]).unwrap().since
    };
    assert_eq!(whole(&mut directory, 0, 500), 0);
    assert_eq!(whole(&mut directory, 700_000, 700_500), 0, "the first reading began at 0");
    assert_eq!(whole(&mut directory, 1_400_000, 1_400_500), 700_000);
}

#[test]
fn a_list_that_was_known_is_not_when_it_could_not_be_read_for_too_long() {
    let mut directory = directory();
    asks(&mut directory, 0);
    read(&mut directory, 0, ListKind::Queues, &["q"]);
    read(&mut directory, 0, ListKind::Users, &["u"]);
    asks(&mut directory, 10 * MINUTE);
    read(&mut directory, 10 * MINUTE, ListKind::Users, &["u"]);
    directory.handle_failure(10 * MINUTE, ListKind::Queues, failure("status 502"));
    assert_eq!(directory.unknown(10 * MINUTE), None);
    assert!(directory.failing().unwrap().contains("status 502"), "it is said at once");
    assert_eq!(directory.unknown(20 * MINUTE), None);
    let (unknown, since) = directory.unknown(20 * MINUTE + 1).unwrap();
    assert_eq!((unknown.contains("queues"), since), (true, 0), "since the reading that was whole");
}
