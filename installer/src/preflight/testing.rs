//! A machine that passes every check, for tests to spoil.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::ClusterSpec;
use pki_core::cluster::{FileMode, Location};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

use super::{Check, Context, Finding, Ours, Severity};
use crate::desired::{CgroupVersion, Facts, InitSystem, Network, Program, Programs, layout};
use crate::machine::readings::{Kernel, Reading, Readings, Route, Space};

pub(super) struct Fixture {
    pub facts: Facts,
    pub readings: Readings,
    pub spec: ClusterSpec,
    pub network: Network,
    pub blueprint: Blueprint,
    pub inventory: Inventory,
    pub files: Vec<(Location, FileMode, Vec<u8>)>,
    pub programs: Vec<(String, String)>,
    pub found: Programs,
    pub ours: Ours,
    pub now: OffsetDateTime,
    node: &'static str,
}

impl Fixture {
    pub fn ipv4() -> Self {
        Self::new(&["10.3.0.0/24"], "cp1=192.0.2.11")
    }

    pub fn dual() -> Self {
        Self::new(
            &["10.3.0.0/24", "fd00:3::/112"],
            "cp1=192.0.2.11,2001:db8::11",
        )
    }

    pub fn ipv6() -> Self {
        Self::new(&["fd00:3::/112"], "cp1=2001:db8::11")
    }

    /// The machine is the second of the cluster, and only a worker.
    pub fn worker() -> Self {
        let mut fixture = Self::of(
            &["10.3.0.0/24"],
            &["cp1=192.0.2.9:control-plane,etcd", "w1=192.0.2.11:worker"],
        );
        fixture.node = "w1";
        fixture
    }

    pub fn new(cidrs: &[&str], node: &str) -> Self {
        Self::of(cidrs, &[node])
    }

    fn of(cidrs: &[&str], nodes: &[&str]) -> Self {
        let builder = ClusterSpec::builder().service_cidrs(cidrs);
        let builder = nodes
            .iter()
            .fold(builder, |builder, node| builder.node_flag(node));
        let spec = builder.build().unwrap();
        let blueprint = Blueprint::new(&spec, &Profile::kubeadm()).unwrap();
        let now = OffsetDateTime::now_utc();
        Self {
            facts: facts(),
            readings: readings(),
            spec,
            network: Network::Flannel,
            blueprint,
            inventory: Inventory::empty(),
            files: Vec::new(),
            programs: Vec::new(),
            found: Programs::default(),
            ours: Ours::default(),
            now,
            node: "cp1",
        }
    }

    /// With all certificates and keys. Making them takes its time, so only who asks gets them.
    pub fn with_pki(mut self) -> Self {
        let changes = Plan::new(&self.blueprint, &self.inventory, self.now);
        let changes = changes.execute(&SystemRandom::new()).unwrap();
        for (location, mode, contents) in changes.secret_files() {
            self.inventory.add(location.clone(), mode, contents);
            self.files.push((location.clone(), mode, contents.to_vec()));
        }
        self
    }

    pub fn context(&self) -> Context<'_> {
        Context {
            facts: &self.facts,
            readings: &self.readings,
            spec: &self.spec,
            node: self.spec.node(self.node).unwrap(),
            network: self.network,
            blueprint: &self.blueprint,
            inventory: &self.inventory,
            programs: &self.programs,
            found: &self.found,
            ours: &self.ours,
            now: self.now,
        }
    }

    /// A program of a version is among those that were found.
    pub fn found(&mut self, name: &str, version: &str) {
        let program = Program {
            path: name.into(),
            version: version.into(),
            digest: String::new(),
            libraries: Vec::new(),
        };
        self.found.0.insert(name.into(), program);
    }

    pub fn set(&mut self, key: &str, value: &str) {
        let reading = Reading {
            value: value.into(),
            writable: true,
        };
        self.readings.sysctls.insert(key.into(), reading);
    }

    pub fn run(&self, check: Check) -> Vec<Finding> {
        (check.run)(&self.context())
    }

    #[track_caller]
    pub fn fine(&self, check: Check) {
        assert_eq!(self.run(check), []);
    }

    /// The fact of the one error.
    #[track_caller]
    pub fn error(&self, check: Check) -> String {
        self.one(check, Severity::Error)
    }

    /// The fact of the one warning.
    #[track_caller]
    pub fn warning(&self, check: Check) -> String {
        self.one(check, Severity::Warning)
    }

    #[track_caller]
    fn one(&self, check: Check, severity: Severity) -> String {
        let mut findings = self.run(check);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].severity, severity);
        assert!(!findings[0].fix.is_empty());
        findings.remove(0).fact
    }
}

fn facts() -> Facts {
    let net = |text: &str| text.parse().unwrap();
    Facts {
        host_name: "cp1".into(),
        init: InitSystem::Systemd,
        cgroups: CgroupVersion::V2,
        has_sys_resource: true,
        resolv_conf: PathBuf::from("/etc/resolv.conf"),
        has_nameserver: true,
        conntrack_writable: true,
        has_nf_tables: true,
        cores: 2,
        memory_bytes: 4 << 30,
        addresses: vec![
            ("eth0".into(), net("192.0.2.11/24")),
            ("eth0".into(), net("2001:db8::11/64")),
        ],
        accounts: BTreeMap::new(),
        router_advertisements: Vec::new(),
    }
}

fn readings() -> Readings {
    let names = |names: &[&str]| {
        names
            .iter()
            .map(ToString::to_string)
            .collect::<BTreeSet<_>>()
    };
    let sysctls = [
        ("fs/inotify/max_user_instances", "1024"),
        ("kernel/keys/root_maxbytes", "25000000"),
        ("kernel/keys/root_maxkeys", "1000000"),
        ("kernel/panic", "10"),
        ("kernel/panic_on_oops", "1"),
        ("net/bridge/bridge-nf-call-ip6tables", "1"),
        ("net/bridge/bridge-nf-call-iptables", "1"),
        ("net/ipv4/conf/all/rp_filter", "0"),
        ("net/ipv4/conf/default/rp_filter", "2"),
        ("net/ipv4/ip_forward", "1"),
        ("net/ipv6/conf/all/disable_ipv6", "0"),
        ("net/ipv6/conf/all/forwarding", "1"),
        ("net/ipv6/conf/default/disable_ipv6", "0"),
        ("net/ipv6/conf/default/forwarding", "1"),
        ("net/netfilter/nf_conntrack_max", "131072"),
        ("vm/overcommit_memory", "1"),
        ("vm/panic_on_oom", "0"),
    ];
    let sysctls = sysctls.map(|(key, value)| {
        let reading = Reading {
            value: value.to_owned(),
            writable: true,
        };
        (key.to_owned(), reading)
    });
    let route = |destination: &str, interface: &str| Route {
        destination: destination.parse().unwrap(),
        interface: interface.into(),
        gateway: None,
    };
    let space = |path: &str| Space {
        path: path.into(),
        file_system: path.len() as u64,
        available: 20 << 30,
        files: Some(1_000_000),
    };
    Readings {
        sysctls: BTreeMap::from(sysctls),
        routes: vec![
            route("0.0.0.0/0", "eth0"),
            route("192.0.2.0/24", "eth0"),
            route("::/0", "eth0"),
            route("2001:db8::/64", "eth0"),
        ],
        kernel: Kernel {
            loaded: names(&[
                "br_netfilter",
                "nf_tables",
                "vxlan",
                "overlay",
                "veth",
                "nf_conntrack",
            ]),
            loadable: None,
            file_systems: names(&["overlay", "ext4"]),
            namespaces: names(&["net", "pid", "mnt", "ipc", "uts", "cgroup", "user"]),
            controllers: names(&["cpu", "cpuset", "memory", "pids", "io"]),
        },
        resolv_conf: Some("nameserver 192.0.2.53\n".into()),
        space: vec![
            space(layout::ETCD_DATA),
            space(layout::CONTAINERD),
            space(layout::KUBELET),
        ],
        ..Readings::default()
    }
}
