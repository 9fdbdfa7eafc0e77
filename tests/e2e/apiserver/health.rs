//! The kubelet's probe of an API server where nobody is anonymous: `kinstall-probe`, with the API server's own pair.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tests::command::{Ended, run};
use tests::control_plane::ControlPlane;
use tests::node::built;

pub fn is_told(control_plane: &ControlPlane<'_>) {
    for path in ["/livez?exclude=etcd", "/livez", "/readyz"] {
        let ended = ask(control_plane, path, "apiserver-kubelet-client");
        assert!(ended.code == Some(0) && ended.stderr.is_empty(), "{ended}");
    }
    // Any other answer is no success. The pair may ask for health, and not for more than it has to.
    let ended = ask(control_plane, "/logs/", "apiserver-kubelet-client");
    assert!(ended.code == Some(1), "{ended}");
    assert!(ended.stderr.contains("403"), "{ended}");
    // Another's certificate is no way in.
    let ended = ask(control_plane, "/livez", "front-proxy-client");
    assert!(ended.stderr.contains("401"), "{ended}");
    hanging_is_noticed(control_plane);
}

/// Stopped, it has open ports all the same.
fn hanging_is_noticed(control_plane: &ControlPlane<'_>) {
    let id = i32::try_from(control_plane.apiserver_id()).expect("a process");
    let id = Pid::from_raw(id).expect("a process");
    kill_process(id, Signal::STOP).expect("ours");
    let began = Instant::now();
    let ended = ask(
        control_plane,
        "/livez?exclude=etcd",
        "apiserver-kubelet-client",
    );
    let took = began.elapsed();
    kill_process(id, Signal::CONT).expect("ours");
    assert!(ended.code == Some(1), "{ended}");
    assert!(ended.stderr.contains("does not answer"), "{ended}");
    // Before the kubelet loses patience: 15 seconds.
    assert!(took < Duration::from_secs(15), "{took:?}");
}

fn ask(control_plane: &ControlPlane<'_>, path: &str, pair: &str) -> Ended {
    let loopback: IpAddr = match control_plane.address {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let pki = control_plane.tree().join("pki");
    let mut command = control_plane
        .namespace()
        .command(&built().join("kinstall-probe"));
    command
        .arg(SocketAddr::new(loopback, 6443).to_string())
        .arg(path)
        .arg(pki.join("ca.crt"))
        .arg(pki.join(format!("{pair}.crt")))
        .arg(pki.join(format!("{pair}.key")));
    run(&mut command)
}
