//! The public corpus of ugly event orders, file by file, and the rules that hold for any file.
//!
//! `corpus/README.md` has the format and the rules by which expectations are worked out. A file that misses a section
//! fails and shows what came out, which is how the output of a new one is looked at; what it ought to be is reasoned from the rules.

mod parse;
mod render;
mod run;

use parse::{Case, Step, What, parse};
use render::{end_state, sections, text};
use run::play;
use std::path::PathBuf;

type Sections = Vec<(String, Vec<String>)>;

/// How many files the corpus promises.
const FILES_MIN: usize = 75;
/// Arbitrary orders tried of each file, beside the reversed one.
const SHUFFLES: u64 = 3;
/// After the last line, time for whatever still waits to go.
const SETTLE_NS: i64 = 30 * engine::SECOND;

fn cases() -> Vec<(String, Case)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    files.sort();
    let case = |path: PathBuf| {
        let name = format!("corpus/{}", path.file_name().unwrap().to_str().unwrap());
        let case = parse(&std::fs::read_to_string(&path).unwrap());
        let case = case.unwrap_or_else(|why| panic!("{name}: {why}"));
        (name, case)
    };
    files.into_iter().map(case).collect()
}

/// Expected against actual, a line each: `-` is expected and missing, `+` came out and is not expected.
fn difference(expected: &Sections, actual: &Sections) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (expected, actual) = (text(expected), text(actual));
    let (expected, actual): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
    let same_head = expected.iter().zip(&actual).take_while(|(a, b)| a == b).count();
    let rest = expected.len().min(actual.len()) - same_head;
    let tails = expected.iter().rev().zip(actual.iter().rev());
    let same_tail = tails.take(rest).take_while(|(a, b)| a == b).count();
    let part = |lines: &[&str], mark: &str| {
        let part = &lines[same_head..lines.len() - same_tail];
        part.iter().map(|line| format!("  {mark} {line}\n")).collect::<String>()
    };
    let before = expected[..same_head].iter().rev().find(|line| line.starts_with("==")).unwrap_or(&"");
    Some(format!("  {before}\n{}{}", part(&expected, "-"), part(&actual, "+")))
}

#[test]
fn every_file_ends_as_it_says() {
    let cases = cases();
    let mut failures = Vec::new();
    for (name, case) in &cases {
        let actual = sections(&play(case, &case.steps));
        if let Some(difference) = difference(&case.sections, &actual) {
            failures.push(format!("{name}: {}\n{difference}\nwhat came out:\n{}", case.title, text(&actual)));
        }
    }
    assert!(failures.is_empty(), "{} files differ\n\n{}", failures.len(), failures.join("\n"));
    assert!(cases.len() >= FILES_MIN, "{} files; at least {FILES_MIN} are promised", cases.len());
}

/// Plays every file as it is and as each of its variants, and holds the end states against one another.
fn same_end_state(why: &str, variants: impl Fn(&Case) -> Vec<Vec<Step>>) {
    let mut failures = Vec::new();
    for (name, case) in cases() {
        let as_written = end_state(&sections(&play(&case, &settled(case.steps.clone()))));
        for (n, steps) in variants(&case).into_iter().enumerate() {
            let actual = end_state(&sections(&play(&case, &settled(steps))));
            if let Some(difference) = difference(&as_written, &actual) {
                failures.push(format!("{name}: {why} (variant {n})\n{difference}"));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{} files differ\n\n{}", failures.len(), failures.join("\n"));
}

fn settled(mut steps: Vec<Step>) -> Vec<Step> {
    let at = steps.last().map_or(0, |step| step.at) + SETTLE_NS;
    steps.push(Step { at, what: What::Wait });
    steps
}

#[test]
fn every_frame_twice_ends_the_same() {
    same_end_state("with every frame twice", |case| {
        let twice = |step: &Step| {
            let times = if matches!(step.what, What::Frame(_)) { 2 } else { 1 };
            std::iter::repeat_n(step.clone(), times)
        };
        vec![case.steps.iter().flat_map(twice).collect()]
    });
}

#[test]
fn a_restart_in_the_middle_ends_the_same() {
    same_end_state("with a restart in the middle", |case| {
        let mut steps = case.steps.clone();
        let middle = steps.len() / 2;
        let at = steps[middle].at;
        steps.insert(middle, Step { at, what: What::Restart });
        vec![steps]
    });
}

#[test]
fn frames_in_any_order_end_the_same() {
    same_end_state("with its frames in another order", |case| {
        if !case.free {
            return Vec::new();
        }
        let shuffles = (1..=SHUFFLES).map(|seed| reordered(case, |places| shuffle(places, seed)));
        std::iter::once(reordered(case, |places| places.reverse())).chain(shuffles).collect()
    });
}

/// The steps with their frames in another order. A frame keeps its own receive time; the clock goes on line by line.
fn reordered(case: &Case, reorder: impl FnOnce(&mut Vec<usize>)) -> Vec<Step> {
    let is_frame = |at: &usize| matches!(case.steps[*at].what, What::Frame(_));
    let places: Vec<usize> = (0..case.steps.len()).filter(is_frame).collect();
    let mut from = places.clone();
    reorder(&mut from);
    let mut steps = case.steps.clone();
    for (place, from) in places.into_iter().zip(from) {
        steps[place].what = case.steps[from].what.clone();
    }
    steps
}

/// Fisher and Yates, with a generator that the seed alone decides.
fn shuffle(places: &mut [usize], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for last in (1..places.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        places.swap(last, (state >> 33) as usize % (last + 1));
    }
}
