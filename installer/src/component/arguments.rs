//! A program's arguments.

use std::fmt::Display;

/// A program and its flags, in the form `--name=value` that Go's flag libraries share.
#[derive(Clone, Debug)]
pub(super) struct Arguments(Vec<String>);

impl Arguments {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn flag(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.0.push(format!("--{name}={value}"));
        self
    }

    pub(super) fn finish(self) -> Vec<String> {
        self.0
    }
}
