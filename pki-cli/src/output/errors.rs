//! The one style of errors: `error: ` and the fact, then `hint: ` and what to do about it.

use std::fmt::{self, Write};
use std::path::Path;

use pki_core::cluster::spec::SpecError;
use pki_core::converge::apply::ApplyError;
use pki_core::converge::cluster_directory::ReadError;
use pki_core::converge::inventory::InventoryError;
use pki_core::converge::outputs::OutputsError;
use pki_core::converge::problem::Problem;
use pki_core::converge::store::StoreError;

use super::style::{ERROR, HINT, WARNING};

/// The user's problem, or something that needs attention.
pub const THEIRS: u8 = 1;
/// A bug, or a system that does not do what systems do.
pub const OURS: u8 = 2;
/// `kpki check` could not tell everything.
pub const UNKNOWN: u8 = 2;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub struct Failure {
    problems: Vec<Problem>,
}

impl Failure {
    /// One problem.
    pub fn new(fact: impl fmt::Display) -> Self {
        let fact = fact.to_string();
        Self {
            problems: vec![Problem { fact, hint: None }],
        }
    }

    /// What to do about the last problem.
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        if let Some(last) = self.problems.last_mut() {
            last.hint = Some(hint.to_string());
        }
        self
    }

    /// What to do about the last problem, if anything is known.
    pub fn maybe_hint(self, hint: Option<impl fmt::Display>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Several at once.
    ///
    /// # Panics
    /// When there is none.
    pub fn all(failures: impl IntoIterator<Item = Self>) -> Self {
        let failures = failures.into_iter();
        let problems: Vec<_> = failures.flat_map(|failure| failure.problems).collect();
        assert!(!problems.is_empty(), "a failure without a problem");
        Self { problems }
    }

    /// Problems as the library tells them.
    ///
    /// # Panics
    /// When there is none.
    pub fn problems(problems: Vec<Problem>) -> Self {
        assert!(!problems.is_empty(), "a failure without a problem");
        Self { problems }
    }

    /// Its first problem, for the library to tell beside its own.
    pub fn into_problem(self) -> Problem {
        let first = self.problems.into_iter().next();
        first.expect("a failure without a problem")
    }

    /// A file or directory that the system does not let us have.
    pub fn io(path: &Path, error: &std::io::Error) -> Self {
        Self {
            problems: vec![Problem::io(path, error)],
        }
    }

    /// Every mistake of a spec that was read from `file` and from flags.
    pub fn spec(error: &SpecError, file: &str) -> Self {
        Self {
            problems: Problem::of_spec(error, file),
        }
    }

    /// What is wrong, in one line.
    pub fn facts(&self) -> String {
        let facts: Vec<_> = self.problems.iter().map(|problem| &*problem.fact).collect();
        facts.join("; ")
    }

    /// Tells all of it on standard error.
    pub fn print(&self) {
        let mut text = String::new();
        let mut problems = self.problems.iter().peekable();
        while let Some(problem) = problems.next() {
            line(&mut text, ERROR, "error", &problem.fact);
            // One hint is enough for several problems in a row.
            let again = problems
                .peek()
                .is_some_and(|next| next.hint == problem.hint);
            if let Some(hint) = problem.hint.as_ref().filter(|_| !again) {
                line(&mut text, HINT, "hint", hint);
            }
        }
        super::talk(&text);
    }
}

/// Something allowed but worth a word, on standard error.
pub fn warn(fact: impl fmt::Display) {
    let mut text = String::new();
    line(&mut text, WARNING, "warning", &fact.to_string());
    super::talk(&text);
}

fn line(out: &mut String, style: anstyle::Style, word: &str, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{style}{word}:{style:#} {}", printable(text));
}

/// A file name or a value from somebody else's file must not move the cursor.
pub fn printable(text: &str) -> String {
    let escaped = |c: char| -> String {
        match c {
            '\n' => "\n       ".into(),
            c if c.is_control() => c.escape_debug().collect(),
            c => c.into(),
        }
    };
    if text.chars().any(char::is_control) {
        text.chars().map(escaped).collect()
    } else {
        text.to_owned()
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self {
            problems: error.problems(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(&error).maybe_hint(error.hint())
    }
}

impl From<OutputsError> for Failure {
    fn from(error: OutputsError) -> Self {
        Self::new(&error).maybe_hint(error.hint())
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        Self::new(&error).maybe_hint(error.hint())
    }
}

impl From<InventoryError> for Failure {
    fn from(error: InventoryError) -> Self {
        Self::new(&error).maybe_hint(error.hint())
    }
}
