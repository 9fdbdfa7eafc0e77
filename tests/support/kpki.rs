//! The program under test.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// The built `kpki`: `$KPKI`, or the one in the target directory that this test was built into.
pub fn path() -> PathBuf {
    let path = match env::var_os("KPKI") {
        Some(path) => PathBuf::from(path),
        None => {
            let test = env::current_exe().expect("a running test has a file");
            let profile = test.parent().and_then(|deps| deps.parent());
            profile.expect("tests are in target/*/deps").join("kpki")
        }
    };
    assert!(
        path.is_file(),
        "{} is not built\nhint: cargo build --bin kpki, as tests/run does",
        path.display()
    );
    path
}

/// A command that runs it, untouched by the environment that the tests run in.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    command.args(arguments);
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE", "KUBECONFIG"] {
        command.env_remove(name);
    }
    command
}
