//! Which names and origins are ours.

use super::*;

#[test]
fn addresses_and_the_machines_own_names_are_always_served() {
    let none = Hosts::default();
    for host in [
        "localhost",
        "LocalHost:8080",
        "localhost.",
        "demo.localhost",
        "127.0.0.1:1",
        "10.1.2.3",
        "[::1]:8080",
        "[fe80::1]",
    ] {
        assert!(none.serves(host), "{host}");
    }
    for host in [
        "evil.example",
        "127.0.0.1.evil.example:8080",
        "localhost.evil.example",
        "user@localhost",
        "",
        "a b",
        "?",
    ] {
        assert!(!none.serves(host), "{host}");
    }
}

#[test]
fn names_that_are_allowed_are_served_and_no_others() {
    let hosts: Hosts = " Board.Example.org, wall ,".parse().unwrap();
    for host in ["board.example.org", "BOARD.example.org.:443", "wall:8080"] {
        assert!(hosts.serves(host), "{host}");
    }
    for host in ["example.org", "x.board.example.org", "walls"] {
        assert!(!hosts.serves(host), "{host}");
    }
    assert!("*".parse::<Hosts>().unwrap().serves("anything.example"));
    for wrong in ["http://board", "board:80", "board/path", "a b", "me@board"] {
        let why = wrong.parse::<Hosts>().unwrap_err().to_string();
        assert!(why.contains(wrong) && why.contains("as in board.example.org"), "{why}");
    }
    assert!(vec!["a"; NAMES_MAX + 1].join(",").parse::<Hosts>().is_err());
}

#[test]
fn an_origin_is_ours_when_it_is_this_very_address_or_allowed() {
    let hosts: Hosts = "board.example.org".parse().unwrap();
    for (origin, host) in [
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost:8080", "localhost:8080"),
        ("https://board.example.org", "127.0.0.1:8080"),
        ("https://board.example.org:8443", "board.example.org"),
    ] {
        assert!(hosts.takes_from(origin, Some(host)), "{origin} {host}");
    }
    for (origin, host) in [
        ("null", "127.0.0.1:8080"),
        ("http://evil.example", "127.0.0.1:8080"),
        ("http://localhost:3000", "localhost:8080"),
        ("http://board.example.org.evil.example", "board.example.org"),
    ] {
        assert!(!hosts.takes_from(origin, Some(host)), "{origin} {host}");
    }
}
