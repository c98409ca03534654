//! Where `why` asks.

use super::*;

fn wanted(conversation: &str, participant: Option<&str>) -> Wanted {
    let id = |text: &str| engine::Id::new(text).unwrap();
    Wanted { conversation: id(conversation), participant: participant.map(id) }
}

fn asked(url: Option<&str>, listen: Option<&str>) -> Result<String, String> {
    address(url, listen, &PlainHosts::default(), &wanted("c", None)).map(|url| url.to_string())
}

#[test]
fn the_service_of_this_environment_is_asked_unless_another_is_named() {
    let why = "/api/v1/conversations/c/why";
    for (url, listen, origin) in [
        (None, None, "http://127.0.0.1:8080"),
        (None, Some(" "), "http://127.0.0.1:8080"),
        (None, Some("0.0.0.0:9000"), "http://127.0.0.1:9000"),
        (None, Some("[::]:9000"), "http://[::1]:9000"),
        (Some("localhost:7"), Some("127.0.0.1:9000"), "http://localhost:7"),
        (Some("https://headcount.example/board/"), None, "https://headcount.example/board"),
        (Some("http://[::1]:7/?x=1"), None, "http://[::1]:7"),
    ] {
        assert_eq!(asked(url, listen), Ok(format!("{origin}{why}")));
    }
}

#[test]
fn plain_http_stays_on_this_machine() {
    for url in [
        "http://headcount.example",
        "http://10.0.0.1:8080",
        "ftp://127.0.0.1",
        "http://",
        "127.0.0.1.example",
    ] {
        assert!(asked(Some(url), None).is_err(), "{url}");
    }
    let said = asked(Some("http://headcount:8080"), None).unwrap_err();
    assert!(said.contains("HEADCOUNT_PLAIN_HOSTS"), "{said}");
    let named =
        address(Some("http://headcount:8080"), None, &"headcount".parse().unwrap(), &wanted("c", None));
    assert_eq!(named.unwrap().as_str(), "http://headcount:8080/api/v1/conversations/c/why");
    assert!(asked(None, Some("everywhere")).is_err_and(|what| what.contains("--url")));
}

#[test]
fn ids_are_escaped() {
    let url = address(None, None, &PlainHosts::default(), &wanted("a/../b ?#", Some("p&q=1"))).unwrap();
    assert_eq!(
        url.as_str(),
        "http://127.0.0.1:8080/api/v1/conversations/a%2F..%2Fb%20%3F%23/why?participantId=p%26q%3D1"
    );
}
