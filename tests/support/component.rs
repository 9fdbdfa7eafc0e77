//! The real components, where `tests/components/build` puts them.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// The path of a built component. Panics with a hint when it is not there: nothing is skipped.
pub fn path(name: &str) -> PathBuf {
    let cache = match env::var_os("KPKI_COMPONENTS") {
        Some(cache) => PathBuf::from(cache),
        None => match env::var_os("XDG_CACHE_HOME") {
            Some(cache) => PathBuf::from(cache),
            None => PathBuf::from(env::var_os("HOME").expect("$HOME is set")).join(".cache"),
        }
        .join("kpki/components"),
    };
    let path = cache.join("bin").join(name);
    assert!(
        path.is_file(),
        "{} is not built\nhint: tests/components/build {name}",
        path.display()
    );
    path
}

/// A command that runs a built component.
pub fn command(name: &str) -> Command {
    Command::new(path(name))
}
