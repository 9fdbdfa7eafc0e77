//! The machine of a node that is removed, reset over SSH.

use std::time::Duration;

use installer::fleet::{self, Found, Machine, Places, Reset, Watcher};
use installer::machine::Problem;
use installer::remote::Ssh;
use pki_core::cluster::spec::{ClusterSpec, Node};

use super::cluster::reach::nothing_was_changed;
use crate::cli::output::Failure;

/// A machine that is reached, and what there is to be taken away.
pub struct Elsewhere<'a> {
    machine: Machine<'a>,
    places: Places,
    found: Found,
}

impl<'a> Elsewhere<'a> {
    /// Connects, and looks. Changes nothing.
    pub fn reach(ssh: &'a Ssh, node: &Node) -> Result<Self, Failure> {
        let reached = fleet::reach(ssh, &[node], 1, &Quiet);
        let mut machines = Vec::new();
        for one in reached {
            machines.push(one.map_err(|error| nothing_was_changed(vec![Problem::from(error)]))?);
        }
        let machine = machines.remove(0);
        let places = Places::system();
        let found = fleet::look(&machine, &places).map_err(nothing_was_changed)?;
        Ok(Self {
            machine,
            places,
            found,
        })
    }

    /// Where it is, and how many things kinstall made there; nothing where there is nothing to do.
    pub fn found(&self) -> Option<(String, usize)> {
        let destination = self.machine.node.ssh_destination().to_string();
        (!self.found.is_empty()).then_some((destination, self.found.made))
    }

    /// Takes away what kinstall made and what was brought, with etcd's data.
    pub fn reset(&self, spec: &ClusterSpec) -> Result<(), Failure> {
        let reset = Reset {
            spec,
            machines: std::slice::from_ref(&self.machine),
            found: &[self.found],
            places: &self.places,
            purge: true,
            at_once: 1,
        };
        for result in fleet::reset(&reset, &Quiet).into_iter().flatten() {
            result?;
        }
        Ok(())
    }
}

/// The progress of a removal says it already.
struct Quiet;

impl Watcher for Quiet {
    fn now(&self, _node: &str, _what: &str) {}

    fn done(&self, _node: &str, _what: &str, _took: Duration) {}
}
