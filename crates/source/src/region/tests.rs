//! Environments are known or refused with the list; plain text is for loopback only.

use super::*;

#[test]
fn a_region_is_found_by_domain_and_by_aws_name() {
    let by_domain = Endpoints::for_environment("mypurecloud.de").unwrap();
    assert_eq!(by_domain, Endpoints::for_environment(" EU-Central-1 ").unwrap());
    assert_eq!(by_domain.login.as_str(), "https://login.mypurecloud.de/");
    assert_eq!(by_domain.api.as_str(), "https://api.mypurecloud.de/");
    assert_eq!(by_domain.events.as_str(), "wss://api.mypurecloud.de/api/v2/events");
}

#[test]
fn an_unknown_environment_is_told_every_known_one() {
    let error = Endpoints::for_environment("emea").unwrap_err().to_string();
    for (aws, domain) in environments() {
        assert!(error.contains(aws) && error.contains(domain), "{error} lacks {aws} or {domain}");
    }
}

#[test]
fn plain_text_is_for_loopback_only() {
    let region = || Endpoints::for_environment("mypurecloud.com").unwrap();
    for host in ["127.0.0.1:1", "[::1]:1", "localhost:1", "127.8.8.8"] {
        let url = format!("http://{host}");
        region().with_overrides(Some(&url), Some(&url), Some(&format!("ws://{host}/x"))).unwrap();
    }
    for host in ["10.0.0.1", "example.com", "localhost.example.com", "127.0.0.1.example.com"] {
        let error = region().with_overrides(None, Some(&format!("http://{host}")), None).unwrap_err();
        assert_eq!(error, EndpointError::Plain { endpoint: "API", wanted: "https" }, "{host}");
    }
}

#[test]
fn hosts_may_be_named_for_plain_text() {
    let region = Endpoints::for_environment("mypurecloud.com").unwrap();
    let region = region.allowing_plain("gateway, 10.0.0.1".parse().unwrap());
    let (login, api, events) = ("http://gateway", "http://10.0.0.1:1", "ws://gateway/x");
    let taken = region.clone().with_overrides(Some(login), Some(api), Some(events)).unwrap();
    assert!(taken.all_plain());
    let error = region.with_overrides(None, Some("http://10.0.0.2"), None).unwrap_err();
    assert!(error.to_string().contains("HEADCOUNT_PLAIN_HOSTS"), "{error}");
}

#[test]
fn credentials_and_other_schemes_are_refused() {
    let region = || Endpoints::for_environment("mypurecloud.com").unwrap();
    let with_events = |text| region().with_overrides(None, None, Some(text)).unwrap_err();
    assert_eq!(with_events("wss://host/e?access_token=x"), EndpointError::Credential("events"));
    assert_eq!(with_events("wss://u:p@host/e"), EndpointError::Credential("events"));
    assert_eq!(with_events("https://host/e"), EndpointError::Scheme { endpoint: "events", wanted: "wss" });
    assert_eq!(with_events("host"), EndpointError::Unreadable("events"));
}

#[test]
fn only_the_host_of_a_url_is_shown() {
    let url = Url::parse("wss://user:word@host.example:8443/channels/secret?access_token=t").unwrap();
    assert_eq!(outward::host(&url), "host.example:8443");
}
