//! Preflight on a real kernel, in network namespaces of its own.
#![allow(missing_docs)]

use std::process::Command;

use installer::desired::{Network, Programs};
use installer::machine::facts;
use installer::machine::readings::Readings;
use installer::preflight::{self, Context, Ours};
use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::ClusterSpec;
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

/// Set in the process that runs in the namespace: there the test prints its report instead.
const INNER: &str = "KINSTALL_TEST_IN_NAMESPACE";

/// The report of a dual-stack node, on this machine as it is.
fn report() -> String {
    let spec = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24", "fd00:3::/112"])
        .node_flag("cp1=192.0.2.11,2001:db8::11")
        .build()
        .unwrap();
    let blueprint = Blueprint::new(&spec, &Profile::kubeadm()).unwrap();
    let now = OffsetDateTime::now_utc();
    let empty = Inventory::empty();
    let plan = Plan::new(&blueprint, &empty, now);
    let changes = plan.execute(&SystemRandom::new()).unwrap();
    let mut inventory = Inventory::empty();
    for (location, mode, contents) in changes.secret_files() {
        inventory.add(location.clone(), mode, contents);
    }
    let facts = facts::read().unwrap();
    let context = Context {
        facts: &facts,
        readings: &Readings::read(&facts),
        spec: &spec,
        node: spec.node("cp1").unwrap(),
        network: Network::Flannel,
        blueprint: &blueprint,
        inventory: &inventory,
        programs: &[],
        found: &Programs::default(),
        ours: &Ours::default(),
        now,
    };
    preflight::run(&context, &[]).unwrap().text()
}

/// What preflight says in a new network namespace, after `setup` in a shell.
fn in_namespace(test: &str, setup: &str) -> String {
    let own = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(["--map-root-user", "--net", "--mount", "--", "sh", "-ec"])
        .arg(format!(
            "{setup}\nexec \"$0\" --exact {test} --nocapture --test-threads=1"
        ))
        .arg(own)
        .env(INNER, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    text
}

/// The lines of the errors and warnings of one check.
fn of<'t>(text: &'t str, check: &str) -> Vec<&'t str> {
    let start = format!("{check}: ");
    let lines = text.lines();
    lines
        .filter(|line| line.get(9..).is_some_and(|rest| rest.starts_with(&start)))
        .collect()
}

#[test]
#[allow(clippy::print_stdout)]
fn forwarding_is_told_for_each_family() {
    if std::env::var_os(INNER).is_some() {
        println!("\n{}", report());
        return;
    }
    let test = "forwarding_is_told_for_each_family";
    let sysctl = |key: &str, value: u8| format!("echo {value} > /proc/sys/net/{key}\n");
    let v4 = |value| sysctl("ipv4/ip_forward", value);
    let v6 = |value| sysctl("ipv6/conf/all/forwarding", value);
    let v6_later = |value| sysctl("ipv6/conf/default/forwarding", value);

    let off = in_namespace(test, &format!("{}{}{}", v4(0), v6(0), v6_later(0)));
    assert_eq!(
        of(&off, "forwarding-ipv4"),
        ["error    forwarding-ipv4: net.ipv4.ip_forward is 0, not 1"]
    );
    assert_eq!(
        of(&off, "forwarding-ipv6"),
        [
            "error    forwarding-ipv6: net.ipv6.conf.all.forwarding is 0, not 1",
            "error    forwarding-ipv6: net.ipv6.conf.default.forwarding is 0, not 1",
        ]
    );
    assert!(off.contains("kinstall node does it"), "{off}");

    let half = in_namespace(test, &format!("{}{}{}", v4(1), v6(1), v6_later(0)));
    assert_eq!(of(&half, "forwarding-ipv4"), [""; 0]);
    assert_eq!(
        of(&half, "forwarding-ipv6"),
        ["error    forwarding-ipv6: net.ipv6.conf.default.forwarding is 0, not 1"]
    );

    let on = in_namespace(test, &format!("{}{}{}", v4(1), v6(1), v6_later(1)));
    assert!(!on.contains("forwarding-ipv"), "{on}");
}

#[test]
#[allow(clippy::print_stdout)]
fn the_node_s_own_addresses_and_a_filter() {
    if std::env::var_os(INNER).is_some() {
        // A port that the API server needs.
        let taken = std::net::TcpListener::bind("0.0.0.0:6443").unwrap();
        println!("\n{}", report());
        drop(taken);
        return;
    }
    let test = "the_node_s_own_addresses_and_a_filter";
    let bare = in_namespace(test, "true");
    assert_eq!(of(&bare, "node-address").len(), 2, "{bare}");
    assert_eq!(of(&bare, "default-route").len(), 2, "{bare}");
    assert_eq!(of(&bare, "forward-drop"), [""; 0]);
    let port = of(&bare, "ports");
    assert_eq!(port.len(), 1, "{bare}");
    assert!(
        port[0].starts_with("error    ports: TCP port 6443 of kube-apiserver is taken by "),
        "{bare}"
    );

    let setup = "
        ip link add uplink type veth peer name beyond
        ip link set beyond up
        ip link set uplink up
        ip link set lo up
        ip address add 192.0.2.11/24 dev uplink
        ip address add 2001:db8::11/64 dev uplink nodad
        ip route add default via 192.0.2.1
        ip route add default via 2001:db8::1
        ip route add 10.3.0.128/25 dev uplink
        nft add table ip filter
        nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
    ";
    let set_up = in_namespace(test, setup);
    assert_eq!(of(&set_up, "node-address"), [""; 0]);
    assert_eq!(of(&set_up, "default-route"), [""; 0]);
    assert_eq!(
        of(&set_up, "networks-disjoint"),
        [
            "error    networks-disjoint: the route to 10.3.0.128/25 over uplink overlaps the service CIDR 10.3.0.0/24"
        ]
    );
    assert_eq!(
        of(&set_up, "forward-drop"),
        [
            "error    forward-drop: chain FORWARD of nft's table ip filter: its policy drops what no rule accepts, also \
             what goes to pods (10.244.0.0/16) or comes from them"
        ]
    );
}
