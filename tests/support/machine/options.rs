//! What a machine is like.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;

use super::network::script;
use crate::command::succeed;

/// What a machine is given. The default is node1 with the first addresses of the network's families.
#[derive(Clone, Debug)]
pub struct MachineOptions {
    /// Its host name, and what its disk is called.
    pub host_name: String,
    /// Addresses of eth0 and how long their prefixes are; none: 192.0.2.11/24 and 2001:db8:2::11/64.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Its default routes; none: the router's.
    pub gateways: Vec<IpAddr>,
    /// How much fits on its disk, as truncate(1) reads it; only what is written takes room.
    pub disk: String,
    /// Directories of this machine that it sees at the same place, read-only.
    pub shares: Vec<PathBuf>,
    /// A root file system with an init of its own; none: the programs of this machine, and no init system.
    pub system: Option<PathBuf>,
}

impl Default for MachineOptions {
    fn default() -> Self {
        Self {
            host_name: "node1".to_owned(),
            addresses: Vec::new(),
            gateways: Vec::new(),
            disk: "20G".to_owned(),
            shares: Vec::new(),
            system: None,
        }
    }
}

impl MachineOptions {
    /// A Debian that systemd boots, as `tests/machine/debian` builds it.
    pub fn debian() -> Self {
        let path = succeed(script("debian").arg("--path"));
        let system = PathBuf::from(path.trim());
        assert!(
            system.is_dir(),
            "{} is not there\nhint: tests/machine/debian",
            system.display()
        );
        Self {
            system: Some(system),
            ..Self::default()
        }
    }

    /// As `tests/machine/boot` reads them.
    pub(super) fn add_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.args(["--host-name", &self.host_name, "--disk", &self.disk]);
        for (address, length) in &self.addresses {
            command.args(["--address", &format!("{address}/{length}")]);
        }
        for gateway in &self.gateways {
            command.args(["--gateway", &gateway.to_string()]);
        }
        for share in &self.shares {
            command.arg("--share").arg(share);
        }
        if let Some(system) = &self.system {
            command.arg("--system").arg(system);
        }
        command
    }
}
