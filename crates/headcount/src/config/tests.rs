//! The configuration: layers, lines, and every problem at once.

use super::*;

const NOTHING: fn(&str) -> Option<String> = |_| None;

fn credentials(name: &str) -> Option<String> {
    let value = match name {
        "GENESYS_CLIENT_ID" => "id",
        "GENESYS_CLIENT_SECRET" => "canary-secret",
        "GENESYS_ENVIRONMENT" => "mypurecloud.de",
        _ => return None,
    };
    Some(value.to_owned())
}

fn problems(outcome: Result<Config, Problems>) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn all_that_is_missing_is_named_in_one_message() {
    let text = problems(gather(None, NOTHING, &ServeOptions::default()));
    for name in ["GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET", "GENESYS_ENVIRONMENT", "headcount demo"] {
        assert!(text.contains(name), "{name} is not in: {text}");
    }
}

#[test]
fn the_tutorials_variables_are_enough() {
    let config = gather(None, credentials, &ServeOptions::default()).unwrap();
    assert_eq!(config.source.endpoints.login.as_str(), "https://login.mypurecloud.de/");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.data, PathBuf::from("./headcount-data"));
    assert_eq!(config.mailbox.facts_max, 5_000);
    assert!(!format!("{config:?}").contains("canary-secret"));
}

#[test]
fn options_beat_the_environment_which_beats_the_file() {
    let file = "[serve]\nlisten = \"127.0.0.1:1\"\nzone = \"Europe/Berlin\"\n[store]\ndata = \"from-file\"\n";
    let environment = |name: &str| match name {
        "HEADCOUNT_LISTEN" => Some("127.0.0.1:2".to_owned()),
        "HEADCOUNT_DATA" => Some("from-environment".to_owned()),
        other => credentials(other),
    };
    let options = ServeOptions { listen: Some("127.0.0.1:3".to_owned()), ..ServeOptions::default() };
    let config = gather(Some(("h.toml", file)), environment, &options).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.data, PathBuf::from("from-environment"));
    assert_eq!(config.zone.name(), "Europe/Berlin");
}

#[test]
fn every_problem_is_reported_with_its_line() {
    let file = "[serve]\nlisten = \"nowhere\"\nzone = \"Mars/Base\"\n\n[mailbox]\nfacts = 0\ncolour = 1\n[genesys]\ntopics = [\"queue:1\", \"planet:2\"]\n";
    let text = problems(gather(Some(("h.toml", file)), credentials, &ServeOptions::default()));
    for part in ["line 2", "line 3", "line 6", "line 7", "line 9", "Mars/Base", "mailbox.colour", "planet:2"]
    {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn host_names_come_from_a_list_and_a_wrong_one_says_what_is_wanted() {
    let file = "[serve]\nhosts = [\"board.example.org\", \"wall\"]\n";
    let config = gather(Some(("h.toml", file)), credentials, &ServeOptions::default()).unwrap();
    assert_eq!(config.hosts, "board.example.org,wall".parse().unwrap());
    let environment = |name: &str| match name {
        "HEADCOUNT_HOSTS" => Some("https://board.example.org/".to_owned()),
        other => credentials(other),
    };
    let text = problems(gather(Some(("h.toml", file)), environment, &ServeOptions::default()));
    assert!(text.contains("HEADCOUNT_HOSTS") && text.contains("without scheme"), "{text}");
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let text =
        problems(gather(Some(("h.toml", "[serve]\nlisten = \n")), credentials, &ServeOptions::default()));
    assert!(text.contains("h.toml, line 2"), "{text}");
}

#[test]
fn an_unknown_region_lists_those_that_exist() {
    let environment = |name: &str| match name {
        "GENESYS_ENVIRONMENT" => Some("mypurecloud.xx".to_owned()),
        other => credentials(other),
    };
    let text = problems(gather(None, environment, &ServeOptions::default()));
    assert!(text.contains("mypurecloud.de") && text.contains("eu-central-1"), "{text}");
}

#[test]
fn the_events_dialect_needs_its_own_urls_only() {
    let environment = |name: &str| match name {
        "GENESYS_ENVIRONMENT" => None,
        "HEADCOUNT_DIALECT" => Some("events".to_owned()),
        "GENESYS_LOGIN_URL" => Some("http://127.0.0.1:9/oauth".to_owned()),
        "GENESYS_EVENTS_URL" => Some("ws://127.0.0.1:9/api/v2/events".to_owned()),
        other => credentials(other),
    };
    let config = gather(None, environment, &ServeOptions::default()).unwrap();
    assert_eq!(config.source.endpoints.events.as_str(), "ws://127.0.0.1:9/api/v2/events");
}

#[test]
fn plain_http_is_for_loopback_only() {
    let environment = |name: &str| match name {
        "GENESYS_API_URL" => Some("http://example.org".to_owned()),
        other => credentials(other),
    };
    let text = problems(gather(None, environment, &ServeOptions::default()));
    assert!(text.contains("GENESYS_API_URL") && text.contains("loopback"), "{text}");
}

#[test]
fn hosts_may_be_named_for_plain_http_and_no_others_are_meant() {
    let environment = |name: &str| match name {
        "GENESYS_API_URL" => Some("http://gateway:8080".to_owned()),
        "GENESYS_EVENTS_URL" => Some("ws://127.0.0.1:1/x".to_owned()),
        "INFLUX_URL" => Some("http://influxdb:8086".to_owned()),
        "INFLUX_BUCKET" => Some("calls".to_owned()),
        other => credentials(other),
    };
    let read = |file: &str| gather(Some(("h.toml", file)), environment, &ServeOptions::default());
    let text = problems(read(""));
    for (variable, count) in [("GENESYS_API_URL", 1), ("INFLUX_URL", 1), ("HEADCOUNT_PLAIN_HOSTS", 2)] {
        assert_eq!(text.matches(variable).count(), count, "{text}");
    }
    let text = problems(read("[network]\nplain_hosts = [\"influxdb\"]\n"));
    assert!(text.contains("GENESYS_API_URL") && !text.contains("INFLUX_URL"), "{text}");
    let config = read("[network]\nplain_hosts = [\"influxdb\", \"gateway\"]\n").unwrap();
    assert_eq!(config.unencrypted, ["gateway:8080", "influxdb:8086"]);
    let text = problems(read("[network]\nplain_hosts = [\"http://influxdb\"]\n"));
    assert!(text.contains("h.toml, line 2") && text.contains("without scheme"), "{text}");
    assert!(gather(None, credentials, &ServeOptions::default()).unwrap().unencrypted.is_empty());
}

#[test]
fn a_quote_that_is_not_closed_tells_no_secret() {
    let file = "[serve]\nzone = '''Europe/Berlin\n[genesys]\nclient_secret = \"canary-secret\"\n";
    let text = problems(gather(Some(("h.toml", file)), NOTHING, &ServeOptions::default()));
    assert!(!text.contains("canary"), "{text}");
    assert!(text.contains("h.toml, line 2") && text.contains("quote"), "{text}");
}

#[test]
fn a_wrong_value_is_repeated_in_part_only() {
    let file = format!("[serve]\nzone = \"{}\"\n", "Mars/".repeat(200));
    let text = problems(gather(Some(("h.toml", &file)), credentials, &ServeOptions::default()));
    assert!(text.contains("Mars/") && text.len() < 300, "{text}");
}

fn with_influx(more: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let given = more.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        given.or_else(|| credentials(name))
    }
}

#[test]
fn the_tutorials_influx_variables_are_enough_and_without_a_url_there_is_none() {
    let tutorial = with_influx(&[
        ("INFLUX_URL", "http://localhost:8086"),
        ("INFLUX_ORG", "org"),
        ("INFLUX_BUCKET", "calls"),
        ("INFLUX_TOKEN", "canary-token"),
    ]);
    let config = gather(None, tutorial, &ServeOptions::default()).unwrap();
    assert!(!format!("{config:?}").contains("canary"));
    let settings = config.influx.unwrap().settings;
    assert_eq!((settings.bucket.as_str(), settings.org.as_deref()), ("calls", Some("org")));
    assert_eq!((settings.api, settings.schema, settings.batch_lines), (None, None, 5_000));
    let without = with_influx(&[("INFLUX_BUCKET", "calls"), ("INFLUX_TOKEN", "canary-token")]);
    assert!(gather(None, without, &ServeOptions::default()).unwrap().influx.is_none());
}

#[test]
fn what_is_wrong_with_influx_is_told_at_once_without_the_token() {
    let wrong = with_influx(&[
        ("INFLUX_URL", "http://influx.example.org:8086"),
        ("INFLUX_TOKEN", "canary token"),
        ("INFLUX_API", "v4"),
        ("INFLUX_SCHEMA", "wide"),
        ("INFLUX_BATCH_MS", "20000"),
    ]);
    let text = problems(gather(None, wrong, &ServeOptions::default()));
    for part in ["loopback", "v4", "wide", "INFLUX_BATCH_MS", "INFLUX_TOKEN", "INFLUX_BUCKET"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert!(!text.contains("canary"), "{text}");
    let bare =
        with_influx(&[("INFLUX_URL", "http://127.0.0.1:8086"), ("INFLUX_BUCKET", "b"), ("INFLUX_API", "v2")]);
    let text = problems(gather(None, bare, &ServeOptions::default()));
    assert!(text.contains("INFLUX_ORG") && text.contains("INFLUX_TOKEN"), "{text}");
}

#[test]
fn influx_has_a_section_in_the_file() {
    let file = "[influx]\nurl = \"https://influx.example.org\"\nbucket = \"calls\"\nschema = \"tutorial\"\nkeep_hours = 24\n";
    let influx =
        gather(Some(("h.toml", file)), credentials, &ServeOptions::default()).unwrap().influx.unwrap();
    assert_eq!(influx.settings.schema, Some(::influx::Schema::Tutorial));
    assert_eq!(influx.outbox.age_ns_max, 24 * 3_600 * engine::SECOND);
    let text = problems(gather(
        Some(("h.toml", "[influx]\nurl = \"https://u:w@x\"\n")),
        credentials,
        &ServeOptions::default(),
    ));
    assert!(
        text.contains("h.toml, line 2") && text.contains("INFLUX_TOKEN") && !text.contains("u:w"),
        "{text}"
    );
}

#[test]
fn what_is_kept_is_said_with_units() {
    let day = 86_400 * engine::SECOND;
    let kept = |file: &str| gather(Some(("h.toml", file)), credentials, &ServeOptions::default());
    let retention = |file| kept(file).unwrap().retention;
    let default =
        Retention { facts_ns: Some(400 * day), minutes_ns: Some(400 * day), ..Retention::default() };
    assert_eq!(retention(""), default);
    let said = retention("[store]\nkeep_facts = \"12w\"\nmax_size = \"20 GiB\"\n");
    assert_eq!(said, Retention { facts_ns: Some(84 * day), bytes_max: Some(20 << 30), ..default });
    let cells = retention("[store]\nkeep_minutes = \"30d\"\nkeep_hours = \"2y\"\nkeep_days = \"5y\"\n");
    let years = |n: i64| Some(n * 365 * day);
    let each = Retention { minutes_ns: Some(30 * day), hours_ns: years(2), days_ns: years(5), ..default };
    assert_eq!(cells, each);
    let all =
        retention("[store]\nkeep_facts = \"forever\"\nkeep_minutes = \"forever\"\nmax_size = \"none\"\n");
    assert_eq!(all, Retention::default());
    for wrong in ["400", "1d", "-3d", "d", "99999999999999y", "18446744073709551616d", "", "3 fortnights"] {
        let text = problems(kept(&format!("[store]\n\nkeep_facts = \"{wrong}\"\n")));
        assert!(text.contains("h.toml, line 3") && text.contains('d'), "{wrong}: {text}");
    }
    for wrong in ["20", "1MiB", "1.5GiB", "99999999999TiB"] {
        let text = problems(kept(&format!("[store]\nmax_size = \"{wrong}\"\n")));
        assert!(text.contains("h.toml, line 2") && text.contains("MiB"), "{wrong}: {text}");
    }
    for (wrong, why) in [
        ("keep_hours = \"1y\"", "`keep_hours` is 8760h, and `keep_minutes` 9600h"),
        ("keep_minutes = \"forever\"\nkeep_hours = \"9y\"", "`keep_minutes` forever"),
        ("keep_hours = \"3y\"\nkeep_days = \"2y\"", "`keep_days` is 17520h, and `keep_hours` 26280h"),
        ("keep_days = \"9y\"", "`keep_hours` forever"),
    ] {
        let text = problems(kept(&format!("[store]\n{wrong}\n")));
        assert!(text.contains("h.toml, line") && text.contains(why), "{wrong}: {text}");
    }
    let text = problems(kept("[store]\nkeep_weeks = \"1y\"\n"));
    let known = "keep_facts, keep_minutes, keep_hours, keep_days, max_size";
    assert!(text.contains("keep_weeks") && text.contains(known), "{text}");
}
