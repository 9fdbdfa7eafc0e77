//! Several machines that become one cluster: `kpki init` in one place, and each machine gets its own node's tree.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::attacker;
use crate::cluster::{Cluster, DIRECTORY};
use crate::command::succeed;
use crate::machine::{Families, Machine, MachineOptions, Network};
use crate::node::{Node, answer};

/// The machines, and where the cluster's PKI was made.
#[derive(Debug)]
pub struct Nodes<'a> {
    /// `node1` and so on; the first has an API server.
    pub all: Vec<Node<'a>>,
    /// What `kpki init` made.
    pub pki: Cluster,
}

impl<'a> Nodes<'a> {
    /// One machine for each of `roles`, with its own node's tree and kinstall on it. Nothing is installed yet.
    ///
    /// `init` is what `kpki init` is told besides, `arguments` what `kinstall node` is.
    pub fn prepare(
        network: &'a Network,
        roles: &[&str],
        init: &[&str],
        arguments: &[&str],
    ) -> Self {
        let names: Vec<_> = (1..=roles.len())
            .map(|number| format!("node{number}"))
            .collect();
        let mut flags: Vec<_> = init.iter().map(ToString::to_string).collect();
        for (number, (name, roles)) in names.iter().zip(roles).enumerate() {
            let addresses: Vec<_> = addresses(network, number)
                .into_iter()
                .map(|(address, _)| address.to_string())
                .collect();
            let node = format!("{name}={}:{roles}", addresses.join(","));
            flags.extend(["--node".to_owned(), node]);
        }
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        let pki = Cluster::init(&flags);
        let arguments = [&["--dir", DIRECTORY][..], arguments].concat();
        let boot = |(number, name): (usize, &String)| {
            let options = MachineOptions {
                host_name: name.clone(),
                addresses: addresses(network, number),
                ..MachineOptions::default()
            };
            let machine = Machine::boot(network, options);
            bring_tree(&pki, name, &machine);
            Node::prepare(machine, &arguments)
        };
        let all = names.iter().enumerate().map(boot).collect();
        Self { all, pki }
    }

    /// The same, and `kinstall node` run to its end on each: on the first machine, and then on all others at once.
    pub fn install(
        network: &'a Network,
        roles: &[&str],
        init: &[&str],
        arguments: &[&str],
    ) -> Self {
        let nodes = Self::prepare(network, roles, init, arguments);
        nodes.first().finish();
        nodes.at_once(&nodes.all[1..], Node::finish);
        nodes
    }

    /// The first control-plane node.
    pub fn first(&self) -> &Node<'a> {
        &self.all[0]
    }

    /// Ready for the API, and healthy for `kinstall status` on the machine itself.
    pub fn are_well(&self) {
        let said = self.first().objects(&["get", "nodes"]);
        let ready = |name: &str| {
            let items = said["items"].as_array().into_iter().flatten();
            let mut own = items.filter(|one| one["metadata"]["name"] == name);
            let conditions = own.next().map(|one| one["status"]["conditions"].clone());
            let conditions = conditions.and_then(|all| all.as_array().cloned());
            let mut conditions = conditions.into_iter().flatten();
            conditions.any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        for node in &self.all {
            assert!(ready(node.machine.name()), "{said:#}");
            let ended = node.kinstall(&["status"]);
            let words = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
            let name = node.machine.name();
            assert!(words.contains(name) && words.contains("healthy"), "{words}");
        }
        assert_eq!(said["items"].as_array().map(Vec::len), Some(self.all.len()));
    }

    /// Nothing but the kubelet, and on a control plane the API server and etcd, can be reached from the network, and each refuses
    /// whoever it does not know.
    pub fn refuse_attackers(&self, network: &Network) {
        for (number, node) in self.all.iter().enumerate() {
            let addresses: Vec<_> = addresses(network, number)
                .into_iter()
                .map(|(address, _)| address)
                .collect();
            let open = attacker::no_port_answers(network, &addresses);
            let is_control_plane = node
                .machine
                .path("/etc/kubernetes/manifests/kube-apiserver.yaml")
                .exists();
            let wanted: &[u16] = if is_control_plane {
                &[2379, 2380, 6443, 10250]
            } else {
                &[10250]
            };
            let open: Vec<_> = open.into_iter().collect();
            assert_eq!(open, wanted, "{}", node.machine.name());
        }
    }

    /// Does the same on several machines at once. Panics when it does on one.
    pub fn at_once(&self, nodes: &[Node<'a>], work: impl Fn(&Node<'a>) + Sync) {
        thread::scope(|scope| {
            let threads: Vec<_> = nodes
                .iter()
                .map(|node| scope.spawn(|| work(node)))
                .collect();
            let ended: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
            if let Some(panic) = ended.into_iter().find_map(Result::err) {
                std::panic::resume_unwind(panic);
            }
        });
    }
}

/// cluster.toml and the node's own tree, and nothing else, where `kinstall node` looks for it.
pub fn bring_tree(pki: &Cluster, name: &str, machine: &Machine<'_>) {
    let to = machine.path(Path::new("/root").join(DIRECTORY));
    fs::create_dir_all(to.join("nodes")).expect("room for it");
    let copy = |from: &Path, to: &Path| {
        succeed(Command::new("cp").arg("--archive").arg(from).arg(to));
    };
    copy(&pki.dir().join("cluster.toml"), &to);
    copy(&pki.node(name), &to.join("nodes"));
}

/// Those of the machine of that number, counted from nought, and how long their prefixes are: after the first machine's.
fn addresses(network: &Network, number: usize) -> Vec<(IpAddr, u8)> {
    let last = 11 + u8::try_from(number).expect("few machines");
    let four = (IpAddr::from(Ipv4Addr::new(192, 0, 2, last)), 24);
    // 2001:db8:2::11 reads as decimal.
    let digits = u16::from_str_radix(&last.to_string(), 16).expect("digits");
    let six = Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, digits);
    let six = (IpAddr::from(six), 64);
    match network.families() {
        Families::Both => vec![four, six],
        Families::V4 => vec![four],
        Families::V6 => vec![six],
    }
}
