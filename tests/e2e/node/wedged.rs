//! An API server that hangs: its ports are open, and it answers nobody.

use tests::command::run;
use tests::node::{Node, answer};
use tests::record::note;

pub fn is_started_again(node: &Node<'_>) {
    let process = || node.machine.run("pgrep", &["-x", "kube-apiserver"]).stdout;
    let before = process();
    node.machine.shell("pkill -STOP -x kube-apiserver");
    let took = node.wait_until("the API server that hangs is started again", || {
        if process() == before {
            return Err("it is the same process".into());
        }
        answer(&run(&mut node.kubectl(&["get", "--raw", "/readyz"]))).map(drop)
    });
    note(&format!(
        "recovery: kube-apiserver hangs: {:.1} s",
        took.as_secs_f64()
    ));
    // Not by chance: the kubelet says who told it, of both.
    for probe in ["Readiness", "Liveness"] {
        node.wait_until("the kubelet tells why", || {
            let of = "involvedObject.name=kube-apiserver-node1,reason=Unhealthy";
            let arguments = [
                "get",
                "events",
                "--namespace",
                "kube-system",
                "--field-selector",
            ];
            let said = run(node.kubectl(&arguments).args([of, "--output", "wide"]));
            let said = answer(&said)?;
            let told = said.lines().any(|line| {
                line.contains(&format!("{probe} probe failed")) && line.contains("does not answer")
            });
            told.then_some(()).ok_or_else(|| said.to_owned())
        });
    }
}
