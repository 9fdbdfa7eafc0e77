//! Who may run it, and who was here before.

use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use tests::command::run;

use crate::place::{Place, is_one_error};

pub fn without_root(place: &Place<'_>) {
    let mut command = place.node.machine.command("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command.args(["kinstall", "node"]);
    let ended = run(command.args(place.node.arguments()));
    is_one_error(&ended, &["this is not root", "sudo"]);
}

/// Each of them belongs to another component.
pub fn ports_taken(place: &Place<'_>) {
    for (port, component) in [(6443, "kube-apiserver"), (2379, "etcd"), (10250, "kubelet")] {
        let machine = &place.node.machine;
        let listener = place
            .own_network()
            .within(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)));
        // A process of the machine that has the socket and does nothing with it.
        let mut holder = machine
            .bound_command("sleep")
            .arg("1000")
            .stdin(Stdio::from(OwnedFd::from(listener.expect("it is free"))))
            .spawn()
            .expect("it starts");
        place.node.wait_until("the port is taken", || {
            let processes = machine.processes();
            let is_there = processes.iter().any(|line| line == "sleep 1000");
            is_there.then_some(()).ok_or_else(|| processes.join("\n"))
        });
        let fact = format!("TCP port {port} of {component} is taken by sleep");
        place.refuses(&[&fact, "stop sleep"]);
        holder.kill().expect("it runs");
        holder.wait().expect("it is our child");
        place.node.wait_until("the port is free", || {
            let processes = machine.processes();
            let is_there = processes.iter().any(|line| line == "sleep 1000");
            (!is_there)
                .then_some(())
                .ok_or_else(|| processes.join("\n"))
        });
    }
    place.is_mended();
}
