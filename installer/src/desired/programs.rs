//! The programs that a node is made of.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The name of the directory, beside the libraries, of what iptables loads by name when a rule asks for it.
pub const XTABLES: &str = "xtables";

/// The programs that were found, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Programs(pub BTreeMap<String, Program>);

/// One program.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Program {
    /// Where it is on this machine.
    pub path: PathBuf,
    /// What it says its version is, without a leading `v`: `1.37.2`. Empty where it says none.
    pub version: String,
    /// SHA-256 of it, in hexadecimal.
    pub digest: String,
    /// The shared libraries that it loads, the loader, and plugins: their paths and SHA-256. Empty when it is static.
    pub libraries: Vec<(PathBuf, String)>,
}

impl Programs {
    /// The program `name`.
    ///
    /// # Panics
    /// When it was not found: preflight says so before anything asks for it.
    pub fn named(&self, name: &str) -> &Program {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("{name} was looked for before"))
    }
}
