//! Programs of the machine that kinstall calls: by their arguments, never through a shell.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Why a program did not do what it was called for.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is not there.
    #[error("there is no program {0}")]
    Missing(String),
    /// It cannot be run.
    #[error("{}: {source}", path.display())]
    Start {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It failed.
    #[error("{call} failed with {status}: {output}")]
    Failed {
        /// The call.
        call: String,
        /// How it ended.
        status: String,
        /// What it said on standard error.
        output: String,
    },
}

/// Where `name` is: on PATH, else where administrators' programs are, which a user's PATH may lack.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    folders
        .chain(usual.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| {
            file.metadata()
                .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
        })
}

/// Calls a program and returns what it wrote to standard output.
pub(crate) fn run<A: AsRef<OsStr>>(name: &str, arguments: &[A]) -> Result<String, ProgramError> {
    run_with(name, arguments, None)
}

/// The same, with something on standard input.
pub(crate) fn run_with<A: AsRef<OsStr>>(
    name: &str,
    arguments: &[A],
    input: Option<&str>,
) -> Result<String, ProgramError> {
    let path = find(name).ok_or_else(|| ProgramError::Missing(name.to_owned()))?;
    let fails = |source| ProgramError::Start {
        path: path.clone(),
        source,
    };
    let mut child = Command::new(&path)
        .args(arguments)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fails)?;
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        // A program that does not want to read on says why when it ends.
        let _ = pipe.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(fails)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let arguments = arguments.iter().map(|one| one.as_ref().to_string_lossy());
    let call: Vec<_> = std::iter::once(name.into()).chain(arguments).collect();
    Err(ProgramError::Failed {
        call: call.join(" "),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

impl ProgramError {
    /// What would mend it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(name) => Some(format!(
                "install the package of this system that holds {name}"
            )),
            Self::Start { source, .. } => super::error::io_hint(source).map(str::to_owned),
            Self::Failed { .. } => None,
        }
    }
}
