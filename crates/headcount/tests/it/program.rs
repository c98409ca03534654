//! Starts the program, watches what it says, asks it questions, and ends it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A started program. It is killed when this goes.
pub struct Program {
    child: Child,
    said: Arc<Said>,
    listeners: Vec<JoinHandle<()>>,
}

/// Everything it said so far, on both outputs.
#[derive(Default)]
struct Said {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Program {
    pub fn start(args: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_logging_to(Stdio::piped(), args, environment)
    }

    /// Starts it with a standard error of the test's own; of one that is no pipe nothing is heard.
    pub fn start_logging_to(log: Stdio, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Self::under_limits(environment);
        for name in ["GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET", "GENESYS_ENVIRONMENT", "RUST_LOG"] {
            command.env_remove(name);
        }
        command.args(args).envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Said::default());
        let out = listen(child.stdout.take().unwrap(), said.clone());
        let err = child.stderr.take().map(|err| listen(err, said.clone()));
        Self { child, said, listeners: [out].into_iter().chain(err).collect() }
    }

    /// The program; one that may have no more files open than `FILES_MAX` says, or that is hung up as ever, whoever started
    /// the tests, where `HANGS_UP` says so.
    fn under_limits(environment: &[(&str, &str)]) -> Command {
        let program = env!("CARGO_BIN_EXE_headcount");
        let wanted = |name: &str| environment.iter().find(|(known, _)| *known == name);
        if let Some((_, files_max)) = wanted("FILES_MAX") {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("ulimit -n {files_max} && exec \"$0\" \"$@\""), program]);
            return shell;
        }
        if wanted("HANGS_UP").is_some() {
            let mut env = Command::new("env");
            env.args(["--default-signal=HUP", program]);
            return env;
        }
        Command::new(program)
    }

    /// Waits until a line holds `what`; that line.
    pub fn wait_for(&self, what: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        let mut lines = self.said.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| line.contains(what)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it never said {what:?}; it said:\n{}", lines.join("\n"));
            lines = self.said.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it said.
    pub fn said(&self) -> String {
        self.said.lines.lock().unwrap().join("\n")
    }

    /// Ends it without a word, as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits; its exit code.
    pub fn terminate(mut self, limit: Duration) -> (Option<i32>, String) {
        self.signal("-TERM");
        let code = self.wait(limit);
        (code, self.said())
    }

    /// Sends it a signal.
    pub fn signal(&self, which: &str) {
        let sent = Command::new("kill").args([which, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until all that an ended program said is read.
    pub fn wait_quiet(&mut self) {
        self.listeners.drain(..).for_each(|listener| listener.join().unwrap());
    }

    /// Waits until it ends by itself, and all that it said is read; its exit code.
    pub fn wait(&mut self, limit: Duration) -> Option<i32> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.wait_quiet();
                return status.code();
            }
            assert!(Instant::now() < deadline, "it did not end in time; it said:\n{}", self.said());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn listen(from: impl Read + Send + 'static, said: Arc<Said>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            said.lines.lock().unwrap().push(line);
            said.more.notify_all();
        }
    })
}

/// A simulated cloud, and how to reach it.
pub struct Cloud {
    pub program: Program,
    urls: Vec<(String, String)>,
    pub folder: tempfile::TempDir,
}

impl Cloud {
    /// Starts `headcount simulate` with more options.
    pub fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let truth = folder.path().join("truth.json").display().to_string();
        let fixed = ["simulate", "--listen", "127.0.0.1:0", "--await-subscriber", "--truth", &truth];
        let program = Program::start(&[&fixed[..], options].concat(), &[]);
        program.wait_for("GENESYS_CLIENT_ID=", Duration::from_secs(10));
        let urls = program.said().lines().filter_map(|line| line.split_once('=')).map(owned).collect();
        Self { program, urls, folder }
    }

    /// Starts `headcount serve` on it.
    pub fn serve(&self, dialect: &str, more: &[(&str, &str)]) -> Service {
        let program = self.serve_logging_to(Stdio::piped(), dialect, more);
        let line = program.wait_for("serving on http://", Duration::from_secs(30));
        let address = line.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
        Service { program, address }
    }

    /// The program alone, with a standard error of the test's own.
    pub fn serve_logging_to(&self, log: Stdio, dialect: &str, more: &[(&str, &str)]) -> Program {
        let data = self.folder.path().join("data").display().to_string();
        let mut environment: Vec<(&str, &str)> =
            self.urls.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        environment.extend([
            ("GENESYS_CLIENT_SECRET", "demo"),
            ("HEADCOUNT_DIALECT", dialect),
            ("HEADCOUNT_LISTEN", "127.0.0.1:0"),
            ("HEADCOUNT_DATA", &data),
        ]);
        environment.extend(more);
        Program::start_logging_to(log, &["serve"], &environment)
    }

    /// What really happened until the newest second.
    pub fn truth(&self) -> Value {
        let text = std::fs::read_to_string(self.folder.path().join("truth.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Waits until all conversations are played out.
    pub fn played_out(&self, limit: Duration) {
        self.program.wait_for("played out", limit);
    }

    pub fn url(&self, name: &str) -> &str {
        self.urls.iter().find(|(known, _)| known == name).map(|(_, url)| url.as_str()).unwrap()
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// A running `headcount serve`.
pub struct Service {
    pub program: Program,
    pub address: String,
}

impl Service {
    /// Asks for JSON.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = get(&self.address, path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}

/// One GET: status and body.
pub fn get(address: &str, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, body.to_owned())
}

/// Asks again until `problem` finds nothing, and fails with what it found last.
pub fn eventually(limit: Duration, mut problem: impl FnMut() -> Option<String>) {
    let deadline = Instant::now() + limit;
    while let Some(what) = problem() {
        assert!(Instant::now() < deadline, "still after {} s: {what}", limit.as_secs());
        std::thread::park_timeout(Duration::from_millis(200));
    }
}
