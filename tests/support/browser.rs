//! A real browser without a window: Debian's Chromium, driven over WebDriver (W3C) by plain HTTP to its chromedriver.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Process;

/// Without a sandbox, since tests run as root; and without what Chromium would ask of the network by itself.
const FLAGS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with one empty profile; both go when it is dropped.
pub struct Browser {
    port: u16,
    session: String,
    _driver: Process,
    _directory: TempDir,
}

impl Browser {
    /// Starts one.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let log = directory.path().join("chromedriver.log");
        let mut command = Command::new("chromedriver");
        command.args(["--port=0", "--allowed-ips=127.0.0.1"]);
        let mut driver = Process::start("chromedriver", &mut command, &log);
        let mut port = None;
        driver.wait_until(Duration::from_secs(60), || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let told = text.split("started successfully on port ").nth(1);
            let digits = |text: &str| {
                text.split(|c: char| !c.is_ascii_digit())
                    .next()
                    .map(str::to_owned)
            };
            port = told.and_then(digits).and_then(|digits| digits.parse().ok());
            port.is_some()
        });
        let mut browser = Self {
            port: port.expect("it was waited for"),
            session: String::new(),
            _driver: driver,
            _directory: directory,
        };
        let profile = browser._directory.path().join("profile");
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", profile.display()));
        let made = browser.ask(
            "POST",
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": {"args": flags},
                "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
            }}}),
        );
        let id = made["sessionId"].as_str();
        browser.session = format!(
            "/session/{}",
            id.unwrap_or_else(|| panic!("no session: {made}"))
        );
        // The page that it opens by itself loads parts of its own.
        browser.command("/url", &json!({"url": "about:blank"}));
        browser.requests();
        browser
    }

    /// Shows a file.
    pub fn open(&self, file: &Path) {
        let url = format!("file://{}", file.display());
        self.command("/url", &json!({"url": url}));
    }

    /// How large the window's inside is, whatever the window's least size.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// What `prefers-color-scheme` says, and whether it is for paper.
    pub fn media(&self, scheme: &str, media: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({"media": media, "features": features}),
        );
    }

    /// The value of the body of a JavaScript function.
    pub fn value(&self, body: &str) -> Value {
        self.command("/execute/sync", &json!({"script": body, "args": []}))
    }

    /// A picture of what is in the window, as the base64 of a PNG.
    pub fn screenshot(&self) -> String {
        let answer = self.ask("GET", &format!("{}/screenshot", self.session), &Value::Null);
        answer.as_str().expect("a picture").to_owned()
    }

    /// Presses and lets go a key; those without a letter are in the WebDriver standard, "Keyboard actions".
    pub fn press(&self, key: &str) {
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key},
        ]}]});
        self.command("/actions", &actions);
    }

    /// The addresses of all that was asked for since it was last called.
    pub fn requests(&self) -> Vec<String> {
        let entries = self.command("/se/log", &json!({"type": "performance"}));
        let sent = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            (message["method"] == "Network.requestWillBeSent").then(|| {
                message["params"]["request"]["url"]
                    .as_str()
                    .map(str::to_owned)
            })?
        };
        entries
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(sent)
            .collect()
    }

    /// What the page's console says: errors of scripts, and what the policy refused.
    pub fn console(&self) -> Vec<String> {
        let entries = self.command("/se/log", &json!({"type": "browser"}));
        let all = entries.as_array().expect("a list").iter();
        all.map(ToString::to_string).collect()
    }

    fn devtools(&self, name: &str, parameters: &Value) {
        let body = json!({"cmd": name, "params": parameters});
        self.command("/goog/cdp/execute", &body);
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    /// One request on a connection of its own. Panics where the driver tells of an error.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver listens");
        let limit = Some(Duration::from_secs(120));
        stream.set_read_timeout(limit).expect("a limit");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        // It keeps the connection open longer than it has something to say.
        let text = loop {
            let mut buffer = [0; 64 << 10];
            let many = stream.read(&mut buffer).expect("it answers");
            answer.extend_from_slice(&buffer[..many]);
            if let Some(text) = whole(&answer, many == 0) {
                break text;
            }
        };
        let value: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"));
        let value = &value["value"];
        assert!(value["error"].is_null(), "{method} {path}: {value}");
        value.clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser with the session; without an answer it ends with the driver.
        if !self.session.is_empty() && !std::thread::panicking() {
            self.ask("DELETE", &self.session.clone(), &Value::Null);
        }
    }
}

/// The body, once all of it is there.
fn whole(answer: &[u8], ended: bool) -> Option<String> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = (
        String::from_utf8_lossy(&answer[..head]).to_lowercase(),
        &answer[head + 4..],
    );
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length?.trim().parse().ok()?;
    assert!(!ended || body.len() >= length, "the answer broke off");
    (body.len() >= length).then(|| String::from_utf8_lossy(&body[..length]).into_owned())
}
