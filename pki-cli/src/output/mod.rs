//! What people and programs see.

pub mod errors;
pub mod issued;
pub mod json;
pub mod metrics;
pub mod preview;
pub mod progress;
pub mod style;
pub mod table;
pub mod words;

use std::io::{self, Write};

/// What a command has to say on standard output, and whether all is well.
pub struct Outcome {
    /// The whole document, with colours.
    pub text: String,
    /// The exit code: 1 where somebody should do something.
    pub code: u8,
}

impl Outcome {
    /// All is well.
    pub fn fine(text: String) -> Self {
        Self { text, code: 0 }
    }

    /// Somebody should do something, if `attention`.
    pub fn with_attention(text: String, attention: bool) -> Self {
        Self {
            text,
            code: if attention { errors::THEIRS } else { 0 },
        }
    }

    /// What `kpki check` found. That something could not be told is told by the exit code even where something else
    /// needs attention, as grep does: what is unknown may be worse.
    pub fn of_check(text: String, attention: bool, unknown: bool) -> Self {
        match unknown {
            true => Self {
                text,
                code: errors::UNKNOWN,
            },
            false => Self::with_attention(text, attention),
        }
    }
}

/// Writes to standard output. A reader that has gone (`kpki plan | head`) has seen enough.
///
/// # Errors
/// Any other error, such as a full disk.
pub fn say(text: &str) -> io::Result<()> {
    let mut out = anstream::AutoStream::auto(io::stdout());
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes a line to standard error, in the colours it can show. There is nowhere to tell of a failure.
pub fn talk(text: &str) {
    let mut out = anstream::AutoStream::auto(io::stderr());
    let _ = out.write_all(text.as_bytes());
}
