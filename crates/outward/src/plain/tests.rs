//! Which hosts are named, and which are meant by it.

use super::*;

fn allow(hosts: &str, url: &str) -> bool {
    hosts.parse::<PlainHosts>().unwrap().allow(&Url::parse(url).unwrap())
}

#[test]
fn loopback_and_those_that_are_named_are_allowed_and_nobody_else() {
    let hosts = " influxdb, 10.0.0.7,fd00::7 ,[fd00::8],Gateway.Example.,";
    for url in [
        "http://influxdb:8086",
        "ws://INFLUXDB/x",
        "http://10.0.0.7",
        "http://[fd00::7]:1",
        "http://[fd00::8]",
        "http://gateway.example./",
        "http://127.0.0.1",
        "http://localhost:1",
    ] {
        assert!(allow(hosts, url), "{url}");
    }
    for url in ["http://influxdb.example", "http://x.influxdb", "http://10.0.0.70", "http://[fd00::9]"] {
        assert!(!allow(hosts, url), "{url}");
    }
    assert!(!allow("", "http://influxdb") && allow("", "http://[::1]"));
}

#[test]
fn secrets_go_in_the_clear_only_where_a_named_host_has_no_encryption() {
    let hosts: PlainHosts = "influxdb".parse().unwrap();
    let used = |url| hosts.are_used_by(&Url::parse(url).unwrap());
    assert!(used("http://influxdb:8086") && used("ws://influxdb"));
    assert!(!used("https://influxdb") && !used("http://127.0.0.1") && !used("http://elsewhere"));
}

#[test]
fn what_is_no_host_is_named_in_part() {
    for wrong in ["*", "*.example", "http://influxdb", "influxdb:8086", "a b", "influxdb/path", "u@host"] {
        let error = wrong.parse::<PlainHosts>().unwrap_err();
        assert!(error.to_string().contains(wrong) && error.to_string().contains("without scheme"), "{error}");
    }
    let long = format!("{}/", "x".repeat(5_000)).parse::<PlainHosts>().unwrap_err().to_string();
    assert!(long.len() < 250, "{long}");
    let many: Vec<String> = (0..65).map(|n| format!("h{n}")).collect();
    assert_eq!(many.join(",").parse::<PlainHosts>(), Err(NoPlainHosts::TooMany));
}
