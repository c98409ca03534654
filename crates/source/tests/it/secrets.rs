//! No secret is in a log, at any level, whatever goes wrong.

use crate::platform::{Command, Platform};
use crate::support::{body, notice, run, settings, snapshot, until};
use serde_json::json;
use source::Dialect::{self, Events, Notifications};
use std::io;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lives through success and every kind of failure.
async fn live_through_it(dialect: Dialect) {
    let platform = Platform::start().await;
    platform.with(|state| {
        state.rejected.insert("v2.users.u-1?conversations&presence&routingStatus".to_owned(), "a:b:c");
        state.live = vec!["c-1", "c-2"];
        state.conversations.insert("c-1", body("c-1"));
    });
    platform.once("/oauth/token", 400, &[], json!({ "error": "unsupported_grant_type" }));
    platform.once("/api/v2/notifications/channels", 500, &[], json!({ "message": "broken" }));
    let mut settings = settings(&platform, dialect, "queue:q-1,user:u-1");
    settings.timing.credentials_retry = std::time::Duration::from_millis(20);
    let running = run(settings);
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.tell(0, Command::Text(snapshot("c-9")));
    platform.tell(0, Command::Text("the-payload".to_owned()));
    platform.tell(0, Command::Text(notice("v2.system.socket_closing")));
    platform.with(|state| state.token_valid = 99);
    platform.tell(0, Command::Cut);
    until("listening again", || platform.opened() >= 2).await;
    platform.with(|state| state.gone.insert(0));
    platform.tell(1, Command::Cut);
    until("listening at last", || platform.opened() >= 3).await;
    running.stop().await;
}

/// The log is the whole process's, so what other tests say meanwhile is looked at too.
#[tokio::test]
async fn no_secret_is_in_a_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    for dialect in [Notifications, Events] {
        live_through_it(dialect).await;
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("grant type") && log.contains("listens"), "it is the log: {log}");
    for secret in ["the-secret", "secret-token", "channel-0", "access_token=", "the-payload"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
