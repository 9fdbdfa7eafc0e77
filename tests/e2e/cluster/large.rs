//! Packets that are as large as a pod may send, and larger: what is wrapped on its way is larger still.

use std::net::IpAddr;

use tests::node::{Node, answer, in_url};
use tests::nodes::Nodes;

use crate::workload::{Pod, enter, node_of};

/// More than any packet holds, and less than Go's servers take of a header (net/http, DefaultMaxHeaderBytes) and Linux of
/// an argument (MAX_ARG_STRLEN, 128 KiB).
const REQUEST: usize = 60_000;
/// Goes in several packets, in all cases.
const FRAGMENTED: usize = 8000;

pub fn packets_arrive(nodes: &Nodes<'_>, pods: &[Pod]) {
    for from in pods {
        let node = node_of(nodes, from);
        let enter = enter(node, from);
        let mtu = mtu(node, &enter);
        for to in pods.iter().filter(|to| to.node != from.node) {
            for address in &to.addresses {
                let way = format!("{} to {} at {address}, MTU {mtu}", from.node, to.node);
                // IP's and ICMP's headers.
                let headers = if address.is_ipv4() { 20 + 8 } else { 40 + 8 };
                // What fits the pod's interface fits the whole way, without being taken apart: nobody has to say that it
                // does not, and nobody to listen.
                let ended = ping(node, &enter, *address, mtu - headers, "do");
                answer(&ended).unwrap_or_else(|why| panic!("{way}: {why}"));
                let ended = ping(node, &enter, *address, mtu - headers + 1, "do");
                assert!(ended.code != Some(0), "{way}: one byte more: {ended}");
                let ended = ping(node, &enter, *address, FRAGMENTED, "dont");
                answer(&ended).unwrap_or_else(|why| panic!("{way}: {why}"));
                // TCP, there and back.
                let line = format!(
                    "{enter} curl --silent --show-error --fail --noproxy '*' --max-time 10 \
                     --header \"X-Large: $(head -c {REQUEST} /dev/zero | tr '\\0' x)\" http://{}:8080/hostname",
                    in_url(*address)
                );
                let ended = node.machine.run("sh", &["-c", &line]);
                assert_eq!(
                    answer(&ended).unwrap_or_else(|why| panic!("{way}: {why}")),
                    to.name
                );
            }
        }
    }
}

fn mtu(node: &Node<'_>, enter: &str) -> usize {
    let said = node
        .machine
        .shell(&format!("{enter} ip -o link show dev eth0"));
    let mut words = said.split_whitespace().skip_while(|word| *word != "mtu");
    let mtu = words.nth(1).and_then(|word| word.parse().ok());
    mtu.unwrap_or_else(|| panic!("no MTU: {said}"))
}

fn ping(
    node: &Node<'_>,
    enter: &str,
    address: IpAddr,
    bytes: usize,
    fragments: &str,
) -> tests::command::Ended {
    let line = format!("{enter} ping -c 1 -W 3 -M {fragments} -s {bytes} {address}");
    node.machine.run("sh", &["-c", &line])
}
