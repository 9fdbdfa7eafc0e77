//! What people and programs see.

pub mod errors;
pub mod issued;
pub mod json;
pub mod progress;
pub mod style;
pub mod table;
pub mod words;

use std::io::{self, Write};

/// What a command has to say on standard output, and whether all is well.
pub struct Outcome {
    /// The whole document, with colours.
    pub text: String,
    /// Whether somebody should do something: exit code 1.
    pub attention: bool,
}

impl Outcome {
    /// All is well.
    pub fn fine(text: String) -> Self {
        Self {
            text,
            attention: false,
        }
    }

    /// Somebody should do something, if `attention`.
    pub fn with_attention(text: String, attention: bool) -> Self {
        Self { text, attention }
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
