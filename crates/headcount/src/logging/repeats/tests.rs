//! Which lines go out, by a clock of the tests' own.

use super::*;

fn line(words: &str) -> Line {
    Line { place: 7, words: words.to_owned() }
}

fn after(seconds: u64, begin: Instant) -> Instant {
    begin + Duration::from_secs(seconds)
}

#[test]
fn a_cause_is_said_once_and_counted_until_its_minute_is_over() {
    let (mut causes, begin) = (Causes::default(), Instant::now());
    let hear = |causes: &mut Causes, at| causes.hear(&line("no route"), Level::WARN, after(at, begin));
    assert!(hear(&mut causes, 0));
    assert!((1..50).all(|at| !hear(&mut causes, at)));
    assert!(causes.take(after(59, begin), false).is_empty(), "its minute is not over");
    let (level, words) = (Level::WARN, "no route".to_owned());
    let again = Again { level, words, times: 49, last: Duration::from_secs(11) };
    assert_eq!(causes.take(after(60, begin), false), [again]);
    assert!(hear(&mut causes, 61), "what goes on is said again");
    assert!(causes.take(after(121, begin), false).is_empty(), "there is nothing to count");
    assert!(hear(&mut causes, 122), "what comes back is said at once");
}

#[test]
fn other_words_and_other_places_are_other_causes() {
    let (mut causes, now) = (Causes::default(), Instant::now());
    assert!(causes.hear(&line("no route"), Level::WARN, now));
    assert!(causes.hear(&line("refused"), Level::WARN, now));
    assert!(causes.hear(&Line { place: 8, ..line("refused") }, Level::WARN, now));
    assert!(!causes.hear(&line("refused"), Level::WARN, now));
}

#[test]
fn at_the_end_all_counts_are_said_in_the_order_in_which_they_came_last() {
    let (mut causes, begin) = (Causes::default(), Instant::now());
    for (at, words) in [(0, "lost"), (1, "listens"), (2, "once"), (3, "listens"), (4, "lost"), (5, "lost")] {
        causes.hear(&line(words), Level::INFO, after(at, begin));
    }
    let said = causes.take(after(6, begin), true);
    let said: Vec<_> = said.iter().map(|again| (again.words.as_str(), again.times)).collect();
    assert_eq!(said, [("listens", 1), ("lost", 2)]);
    assert!(causes.take(after(6, begin), true).is_empty());
}

#[test]
fn any_number_of_causes_is_said_and_so_many_are_counted() {
    let (mut causes, now) = (Causes::default(), Instant::now());
    for n in 0..2 * CAUSES_MAX {
        assert!(causes.hear(&line(&format!("{n} {}", "x".repeat(2 * REPEATED_CHARS_MAX))), Level::WARN, now));
    }
    assert_eq!(causes.0.len(), CAUSES_MAX);
    assert!(causes.0.values().all(|cause| cause.words.chars().count() == REPEATED_CHARS_MAX));
}

/// What goes out of what is said by `say`.
fn written(repeats: &Repeats, say: impl FnOnce()) -> String {
    use tracing_subscriber::{Layer, layer::SubscriberExt};
    let into: Arc<Mutex<Vec<u8>>> = Arc::default();
    #[derive(Clone)]
    struct Into(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Into {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let to = Into(into.clone());
    let log = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || to.clone());
    let subscriber = tracing_subscriber::registry().with(log.with_filter(repeats.clone()));
    tracing::subscriber::with_default(subscriber, say);
    String::from_utf8(into.lock().unwrap().clone()).unwrap()
}

#[test]
fn numbers_in_fields_make_no_other_cause_and_words_do() {
    let repeats = Repeats::default();
    let text = written(&repeats, || {
        for (feed, wait) in [("a", 1), ("a", 2), ("b", 1), ("a", 3), ("a", 4)] {
            tracing::warn!(feed, wait, took = 0.5 * f64::from(wait), "cannot be reached");
            tracing::debug!(feed, "every line");
        }
        repeats.say_all_counts(Instant::now());
    });
    assert_eq!(text.matches(" WARN").count(), 3, "{text}");
    assert_eq!(text.matches("every line").count(), 5, "{text}");
    let counted = text.lines().last().unwrap();
    assert!(counted.contains("came again: cannot be reached feed=a times=3"), "{text}");
}
