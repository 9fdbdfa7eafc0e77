//! Clients that read and write through the API without a pause, and write down what fails.

use std::fs;

use tests::command::succeed;
use tests::node::Node;
use tests::process::Process;

/// Each request on a connection of its own: it writes a number and reads it back.
const WRITER: &str = r#"
number=0
ask() { curl --silent --show-error --max-time 10 --cacert ca.crt --cert client.crt --key client.key "$@"; }
while :; do
  number=$((number + 1))
  said=$(ask --request PATCH --header 'Content-Type: application/merge-patch+json' \
    --data "{\"data\":{\"number\":\"$number\"}}" "$1" 2>&1) || echo "write $number: $said" >>failed
  said=$(ask "$1" 2>&1 | jq --raw-output .data.number 2>&1)
  [ "$said" = "$number" ] || echo "read $number: $said" >>failed
  echo "$number" >count
  sleep 0.05
done
"#;

/// Each request on the connection of the one before, as long as that lives. Told on standard error: on standard output curl
/// keeps some 700 answers to itself, among them those to what has just been done.
const READER: &str = r#"
curl --silent --show-error --max-time 1000000 --rate 600/m --cacert ca.crt --cert client.crt --key client.key \
  --output /dev/null --write-out '%{stderr}%{http_code} %{num_connects}\n' "$1?number=[1-1000000]"
"#;

/// Both, at work until dropped.
pub struct Clients {
    _writer: Process,
    reader: Process,
}

/// How many requests there were, and what failed of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub requests: usize,
    pub connections: usize,
    pub failed: Vec<String>,
}

impl Clients {
    /// With the administrator's certificate as it is now: it stays valid when there is another one.
    pub fn start(node: &Node<'_>) -> Self {
        succeed(&mut node.kubectl(&["create", "configmap", "written"]));
        node.machine.shell(
            "mkdir -p /root/client && cd /root/client && rm -f failed count && \
             conf() { sed -n \"s/^ *$1: *//p\" /etc/kubernetes/admin.conf; } && \
             conf certificate-authority-data | base64 -d >ca.crt && \
             conf client-certificate-data | base64 -d >client.crt && \
             (umask 077 && conf client-key-data | base64 -d >client.key)",
        );
        let server = node
            .machine
            .shell("sed -n 's/^ *server: *//p' /etc/kubernetes/admin.conf");
        let url = format!(
            "{}/api/v1/namespaces/default/configmaps/written",
            server.trim()
        );
        let start = |name: &str, script: &str| {
            let script = format!("cd /root/client && {script}");
            node.machine.spawn(name, "sh", &["-c", &script, "sh", &url])
        };
        Self {
            _writer: start("writer", WRITER),
            reader: start("reader", READER),
        }
    }

    /// What there was since the start.
    pub fn count(&self, node: &Node<'_>) -> Count {
        let file = |name: &str| {
            let path = node.machine.path("/root/client").join(name);
            fs::read_to_string(path).unwrap_or_default()
        };
        let mut count = Count {
            requests: 2 * file("count").trim().parse::<usize>().unwrap_or(0),
            connections: 0,
            failed: file("failed").lines().map(str::to_owned).collect(),
        };
        // The last line may be half written.
        let log = self.reader.log();
        for line in log.lines().take(log.lines().count().saturating_sub(1)) {
            count.requests += 1;
            match line.split_once(' ') {
                Some(("200", connects)) => count.connections += usize::from(connects != "0"),
                _ => count.failed.push(format!("reader: {line}")),
            }
        }
        count
    }
}

impl Count {
    /// What came to it since another count.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            requests: self.requests - before.requests,
            connections: self.connections - before.connections,
            failed: self
                .failed
                .get(before.failed.len()..)
                .unwrap_or_default()
                .to_vec(),
        }
    }
}
