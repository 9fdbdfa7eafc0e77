//! A unit, as systemd shows it.

use std::collections::BTreeMap;
use std::fmt;

use tests::node::Node;

/// What `systemctl show` says of a service.
#[derive(Debug)]
pub struct Unit(BTreeMap<String, String>);

impl Unit {
    /// Of a node's machine, now.
    pub fn of(node: &Node<'_>, name: &str) -> Self {
        let said = node
            .machine
            .shell(&format!("systemctl show {name}.service"));
        let pairs = said.lines().filter_map(|line| line.split_once('='));
        Self(
            pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// One of its properties.
    pub fn value(&self, key: &str) -> &str {
        self.0.get(key).unwrap_or_else(|| panic!("no {key}"))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in ["ActiveState", "SubState", "Result", "MainPID", "NRestarts"] {
            write!(f, "{key}={} ", self.value(key))?;
        }
        Ok(())
    }
}
