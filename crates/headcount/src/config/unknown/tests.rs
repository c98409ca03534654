//! Which variables are told of, and with what.

use super::*;

fn told(environment: &[(&str, &str)]) -> Vec<String> {
    unknown(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn a_typing_mistake_is_told_with_what_was_meant_and_never_its_value() {
    for (wrong, meant) in [
        ("GENESYS_CLIENTSECRET", "GENESYS_CLIENT_SECRET"),
        ("GENESYS_SECRET", "GENESYS_CLIENT_SECRET"),
        ("HEADCOUNT_LSITEN", "HEADCOUNT_LISTEN"),
        ("headcount_listen", "HEADCOUNT_LISTEN"),
        ("HEADCOUNT_KEEP_FACT", "HEADCOUNT_KEEP_FACTS"),
        ("INFLUX_TOKENS", "INFLUX_TOKEN"),
    ] {
        let told = told(&[(wrong, "canary")]);
        assert!(told.len() == 1 && told[0].contains(wrong) && !told[0].contains("canary"), "{told:?}");
        assert!(told[0].ends_with(&format!("the nearest known one is {meant}")), "{told:?}");
    }
}

#[test]
fn what_is_known_or_not_ours_is_not_told() {
    let all: Vec<(&str, &str)> = SETTINGS.iter().map(|(_, known)| (*known, "x")).collect();
    assert!(told(&all).is_empty());
    assert!(told(&[("PATH", "x"), ("INFLUXDB_TOKEN", "x"), ("MY_HEADCOUNT_DATA", "x")]).is_empty());
    let service = [
        ("HEADCOUNT_SERVICE_HOST", "10.0.0.1"),
        ("HEADCOUNT_SERVICE_PORT_HTTP", "80"),
        ("HEADCOUNT_PORT", "tcp://10.0.0.1:80"),
        ("INFLUX_PORT_8086_TCP_ADDR", "10.0.0.2"),
        ("INFLUX_PORT_8086_TCP", "tcp://10.0.0.2:8086"),
    ];
    assert!(told(&service).is_empty());
    assert_eq!(told(&[("HEADCOUNT_PORT", "8080")]).len(), 1);
}

#[test]
fn many_and_strange_names_are_bounded() {
    let many: Vec<(String, String)> =
        (0..100).map(|n| (format!("INFLUX_{n:03}{}\n", "x".repeat(5_000)), String::new())).collect();
    let told = unknown(many.into_iter());
    assert_eq!(told.len(), TOLD_MAX + 1);
    assert_eq!(told[TOLD_MAX], "84 more variables are not known");
    assert!(told.iter().all(|line| line.len() < 250 && !line.contains('\n')), "{told:?}");
    assert!(unknown([("GENESYS_\n".to_owned(), String::new())].into_iter())[0].contains("GENESYS_\\n"));
}

#[test]
fn distances_are_those_of_the_definition() {
    for (from, to, wanted) in [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("kitten", "sitting", 3),
        ("AB", "ba", 2),
        ("flaw", "lawn", 2),
    ] {
        assert_eq!((distance(from, to), distance(to, from)), (wanted, wanted), "{from} {to}");
    }
}
