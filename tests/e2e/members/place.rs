//! Three machines and two workers, each with just what its node needs of one cluster, of IPv6 alone.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::cluster::Cluster;
use tests::command::{Ended, run};
use tests::machine::Network;
use tests::node::{Node, wait_until};
use tests::nodes::Nodes;
use tests::record::note;

/// How long anything may take, in seconds.
const TIMEOUT: &str = "180";

/// The machines and what they are made from.
pub struct Place<'a> {
    /// Those with an API server and a member of etcd.
    pub nodes: Vec<Node<'a>>,
    pub workers: Vec<Node<'a>>,
    pub pki: Cluster,
    pub network: &'a Network,
}

impl<'a> Place<'a> {
    /// Five empty machines with kinstall, and the tree of one node each; nothing is installed.
    pub fn new(network: &'a Network) -> Self {
        let all = "control-plane,etcd,worker";
        let roles = [all, all, all, "worker", "worker"];
        let init = ["--service-cidr", "fd00:3::/112"];
        let mut nodes = Nodes::prepare(network, &roles, &init, &["--timeout", TIMEOUT]);
        Self {
            workers: nodes.all.split_off(3),
            nodes: nodes.all,
            pki: nodes.pki,
            network,
        }
    }

    /// `kinstall node` on a machine has to succeed; what it said.
    pub fn install(&self, number: usize) -> Ended {
        let began = Instant::now();
        let ended = self.nodes[number].kinstall_node();
        assert!(ended.code == Some(0), "{ended}\n{}", self.members_text());
        note(&format!(
            "members: kinstall node on {}: {:.1} s\n{}",
            name(number),
            began.elapsed().as_secs_f64(),
            ended.stdout
        ));
        ended
    }

    /// `kinstall node` on a machine, waiting so many seconds for each thing.
    pub fn install_within(&self, number: usize, seconds: u32) -> Ended {
        let node = &self.nodes[number];
        let seconds = seconds.to_string();
        let arguments = node
            .arguments()
            .map(|one| if one == TIMEOUT { &seconds } else { one });
        run(node.machine.command("kinstall").arg("node").args(arguments))
    }

    /// kubectl on a node, asking the API server of that node.
    pub fn kubectl(&self, number: usize, arguments: &[&str]) -> Command {
        let mut command = self.nodes[number].kubectl(arguments);
        command.args(["--server", &format!("https://[{}]:6443", address(number))]);
        command
    }

    /// `kinstall etcd members --json`, asked on a node, with its exit code.
    pub fn members(&self, number: usize) -> (Option<i32>, Value) {
        let ended = self.nodes[number].kinstall(&["etcd", "members", "--json"]);
        let said = serde_json::from_str(&ended.stdout);
        (ended.code, said.unwrap_or_else(|_| panic!("{ended}")))
    }

    /// The number that etcd knows a member by.
    pub fn id_of(&self, asked: usize, member: usize) -> String {
        let (_, report) = self.members(asked);
        let members = report["members"].as_array().expect("members");
        let found = members
            .iter()
            .find(|one| one["name"] == name(member).as_str());
        let found = found.unwrap_or_else(|| panic!("{report:#}"));
        found["id"].as_str().expect("a number").to_owned()
    }

    /// Waits until, asked on a node, so many members have a vote and all are well.
    pub fn is_whole(&self, number: usize, voters: u64) -> Duration {
        self.until(&format!("{voters} healthy members"), || {
            let ended = self.nodes[number].kinstall(&["etcd", "members", "--json"]);
            let said: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
            let learns = said["members"].as_array().into_iter().flatten();
            let learners = learns.filter(|one| one["learner"] == true).count();
            let whole = said["quorum"]["voters"] == voters && learners == 0;
            match (ended.code, whole) {
                (Some(0), true) => Ok(()),
                _ => Err(ended.to_string()),
            }
        })
    }

    /// Waits until the API server of a node answers that it is ready.
    pub fn api_is_ready(&self, number: usize) -> Duration {
        self.until(&format!("the API server of {}", name(number)), || {
            let ended = run(&mut self.kubectl(number, &["get", "--raw", "/readyz"]));
            match ended.code {
                Some(0) => Ok(()),
                _ => Err(ended.to_string()),
            }
        })
    }

    pub fn until(&self, what: &str, check: impl FnMut() -> Result<(), String>) -> Duration {
        wait_until(what, check, || self.members_text())
    }

    /// For a failure's message.
    fn members_text(&self) -> String {
        let told = self.nodes.iter().map(|node| {
            let members = node.kinstall(&["etcd", "members"]);
            let log = node.kinstall(&["logs", "etcd", "--lines", "15"]);
            format!("{}: {members}\n{log}\n", node.machine.name())
        });
        told.collect()
    }
}

/// node1, node2, node3.
pub fn name(number: usize) -> String {
    format!("node{}", number + 1)
}

fn address(number: usize) -> String {
    format!("2001:db8:2::{}", 11 + number)
}
