//! Programs of the machine that kinstall calls: by their arguments, never through a shell.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::bounded;

/// None of them needs a second, but for waiting on a lock or for the kernel.
const LONGEST: Duration = Duration::from_secs(60);

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
    let mut command = Command::new(&path);
    command.args(arguments).env("LC_ALL", "C").current_dir("/");
    // What it says goes to files in memory and not to pipes: when we are killed, it is not killed by that too,
    // as useradd(8) with the lock of /etc/passwd in its hands.
    let ended = bounded::run(&mut command, LONGEST, |mut pipe| {
        // A program that does not want to read on says why when it ends.
        let _ = pipe.write_all(input.unwrap_or_default().as_bytes());
    })
    .map_err(fails)?;
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    let arguments = arguments.iter().map(|one| one.as_ref().to_string_lossy());
    let call: Vec<_> = std::iter::once(name.into()).chain(arguments).collect();
    Err(ProgramError::Failed {
        call: call.join(" "),
        status: if ended.late {
            format!("no end within {} s", LONGEST.as_secs())
        } else {
            ended.status.to_string()
        },
        output: ended.stderr.trim().to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_said_and_what_is_missing() {
        let text = run_with("cat", &["-"], Some("in\n")).unwrap();
        assert_eq!(text, "in\n");
        let error = run("cat", &["/no/such"]).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("cat /no/such failed with exit status: 1: "));
        assert!(text.ends_with("cat: /no/such: No such file or directory"));
        let none: [&str; 0] = [];
        let error = run("no-such-program", &none).unwrap_err();
        assert_eq!(error.to_string(), "there is no program no-such-program");
        let hint = "install the package of this system that holds no-such-program";
        assert_eq!(error.hint().unwrap(), hint);
    }
}
