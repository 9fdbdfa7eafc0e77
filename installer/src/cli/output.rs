//! What people and programs see.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use installer::machine::{EffectError, Problem, ReadError};

/// Something needs attention.
pub const THEIRS: u8 = 1;
/// A bug.
pub const OURS: u8 = 2;

pub const ERROR: Style = AnsiColor::Red.on_default().bold();
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub const HINT: Style = AnsiColor::Cyan.on_default().bold();
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
pub const STRONG: Style = Style::new().bold();
pub const WEAK: Style = Style::new().dimmed();

/// What a command has to say on standard output, and whether somebody should do something: exit code 1.
pub struct Outcome {
    pub text: String,
    pub attention: bool,
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub struct Failure(Vec<Problem>);

impl Outcome {
    /// All is well.
    pub fn fine(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            attention: false,
        }
    }

    /// Somebody should do something, if `attention`.
    pub fn with_attention(text: impl Into<String>, attention: bool) -> Self {
        Self {
            text: text.into(),
            attention,
        }
    }
}

impl Failure {
    /// A fact and what to do about it.
    pub fn new(fact: impl fmt::Display, hint: impl fmt::Display) -> Self {
        Self(vec![Problem {
            fact: fact.to_string(),
            hint: Some(hint.to_string()),
        }])
    }

    /// A fact that nothing is known to be done about.
    pub fn bare(fact: impl fmt::Display) -> Self {
        Self(vec![Problem {
            fact: fact.to_string(),
            hint: None,
        }])
    }

    /// A fact, and what to do about it if anything is known.
    pub fn maybe(fact: String, hint: Option<String>) -> Self {
        Self(vec![Problem { fact, hint }])
    }

    /// Tells all of it on standard error.
    pub fn print(&self) {
        let mut text = String::new();
        let mut problems = self.0.iter().peekable();
        while let Some(Problem { fact, hint }) = problems.next() {
            let _ = writeln!(text, "{ERROR}error:{ERROR:#} {}", printable(fact));
            // One hint is enough for several problems in a row.
            let again = problems.peek().is_some_and(|next| next.hint == *hint);
            if let Some(hint) = hint.as_ref().filter(|_| !again) {
                let _ = writeln!(text, "{HINT}hint:{HINT:#} {}", printable(hint));
            }
        }
        talk(&text);
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self(error.problems())
    }
}

impl From<installer::etcd::EtcdError> for Failure {
    fn from(error: installer::etcd::EtcdError) -> Self {
        Self::new(&error, error.hint())
    }
}

impl From<installer::bundle::BundleError> for Failure {
    fn from(error: installer::bundle::BundleError) -> Self {
        Self(error.problems())
    }
}

impl From<EffectError> for Failure {
    fn from(EffectError { fact, hint }: EffectError) -> Self {
        Self(vec![Problem { fact, hint }])
    }
}

/// Something allowed but worth a word, on standard error.
pub fn warn(fact: impl fmt::Display) {
    talk(&format!(
        "{WARNING}warning:{WARNING:#} {}\n",
        printable(&fact.to_string())
    ));
}

/// A text from elsewhere must not move the cursor.
pub fn printable(text: &str) -> String {
    let escaped = |c: char| -> String {
        match c {
            '\n' => "\n       ".into(),
            c if c.is_control() => c.escape_debug().collect(),
            c => c.into(),
        }
    };
    text.chars().map(escaped).collect()
}

/// One JSON document.
pub fn json(document: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("plain texts and numbers");
    text.push('\n');
    text
}

/// Writes to standard output. A reader that has gone has seen enough.
///
/// # Errors
/// Any other error, such as a full disk.
pub fn say(text: &str) -> io::Result<()> {
    let mut out = anstream::AutoStream::auto(io::stdout());
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes to standard error. There is nowhere to tell of a failure.
pub fn talk(text: &str) {
    let mut out = anstream::AutoStream::auto(io::stderr());
    let _ = out.write_all(text.as_bytes());
}

impl From<installer::machine::HostError> for Failure {
    fn from(error: installer::machine::HostError) -> Self {
        Self::maybe(error.to_string(), error.hint())
    }
}
