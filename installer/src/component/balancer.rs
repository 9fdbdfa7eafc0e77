//! The load balancer of each node, before all API servers: HAProxy, on a loopback address.
//!
//! Where cluster.toml names no endpoint that somebody runs, every client on a node dials this one. HAProxy asks each API server whether
//! it is ready, sends nobody to one that is not, and ends what is open to one that died, so that clients dial again at once. It passes
//! TLS through. It asks in the node's own name, since an API server answers nobody that it does not know: the pair is root's, and is
//! read before HAProxy becomes somebody else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use pki_core::cluster::spec::{ClusterSpec, Role};
use pki_core::cluster::{FileMode, Kubeconfig};
use pki_core::x509::Certificate;
use zeroize::Zeroizing;

use super::accounts::owner;
use super::credentials::Credentials;
use super::error::ComponentError;
use super::make;
use super::tree;
use crate::desired::digest::Digest;
use crate::desired::{Contents, NodeSpec, Owner, Resource, Service, Stage, layout};

/// The name of the service.
pub const NAME: &str = "api-balancer";
const PROGRAM: &str = "haproxy";
/// Who signed the API servers' certificates.
const SERVERS_CA: &str = "pki/ca.crt";
/// In whose name it asks whether they are ready.
const CLIENT: &str = "kubelet.conf";
/// The pair of that, in its directory of credentials.
const PAIR: &str = "client.pem";

pub(super) fn resources(spec: &NodeSpec) -> Result<Vec<Resource>, ComponentError> {
    let (path, authority) = tree::first(spec, NAME, &[SERVERS_CA])?;
    let mut credentials = Credentials::new(spec, NAME, Owner::ROOT);
    credentials.text(PAIR, &pair(spec)?);
    let configuration = configuration(
        &spec.cluster,
        &Paths {
            authority: Path::new(layout::KUBERNETES).join(path),
            pair: credentials.directory().join(PAIR),
        },
        owner(spec, layout::BALANCER_ACCOUNT),
    );
    let program = spec.programs.named(PROGRAM);
    let mut inputs = Digest::new();
    inputs.field(configuration.as_bytes());
    inputs.field(program.digest.as_bytes());
    // All of these are read once, at the start.
    inputs.field(authority.contents.digest().as_bytes());
    inputs.field(credentials.digest().as_bytes());
    let mut resources = credentials.resources();
    resources.extend([
        make::file(
            Stage::Files,
            "which API servers the load balancer knows",
            layout::BALANCER_CONFIG,
            Contents::new(configuration),
            FileMode::SECRET,
            Owner::ROOT,
        ),
        make::service(
            Stage::Runtime,
            "whatever on this node asks an API server goes through it, also while one is down",
            Service {
                name: NAME.into(),
                description: "HAProxy, before the cluster's API servers".into(),
                program: program.path.clone(),
                // In the foreground, without processes of its own.
                arguments: ["-db", "-f", layout::BALANCER_CONFIG]
                    .map(str::to_owned)
                    .into(),
                environment: BTreeMap::new(),
                after: vec![],
                inputs: inputs.finish(),
                stop_seconds: 5,
            },
        ),
    ]);
    Ok(resources)
}

/// The pair by which an API server knows this node: the kubelet's, certificate first, as HAProxy wants it.
fn pair(spec: &NodeSpec) -> Result<Zeroizing<String>, ComponentError> {
    let missing = || ComponentError::Missing {
        component: NAME,
        path: CLIENT.into(),
    };
    let (_, file) = tree::first(spec, NAME, &[CLIENT])?;
    let text = std::str::from_utf8(file.contents.secret_bytes()).map_err(|_| missing())?;
    let client = Kubeconfig::parse(text).map_err(|_| missing())?;
    let (Some(chain), Some(key)) = (client.chain.embedded(), client.key.embedded()) else {
        return Err(missing());
    };
    let mut pem: Zeroizing<String> = Zeroizing::new(chain.iter().map(Certificate::pem).collect());
    pem.push_str(&key.secret_pem());
    Ok(pem)
}

/// What HAProxy reads besides its configuration.
struct Paths {
    authority: PathBuf,
    pair: PathBuf,
}

/// HAProxy's configuration (HAProxy 2.2 and newer).
fn configuration(cluster: &ClusterSpec, paths: &Paths, account: Owner) -> String {
    let mut text = format!(
        "\
# Written by kinstall, which writes it again.
global
    uid {user}
    gid {group}
    # A node has some dozens of connections.
    maxconn 4096
    nbthread 1
    # What becomes of servers, not each connection.
    log stdout format raw daemon notice

defaults
    mode tcp
    log global
    timeout connect 2s
    # The API server ends every watch within an hour (--min-request-timeout).
    timeout client 65m
    timeout server 65m
    timeout check 2s
    retries 3
    option redispatch 1

frontend api
    bind {endpoint}
    # Where none says that it is ready, each is better than nobody.
    use_backend each if {{ nbsrv(ready) eq 0 }}
    default_backend ready

backend ready
    balance leastconn
    # Ready means that etcd behind it answers too. What is open to one that died is ended, for clients to dial again.
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host kubernetes
    http-check expect status 200
    default-server check check-ssl crt {pair} verify required ca-file {authority} inter 2s fastinter 500ms downinter 1s fall 2 rise 1 observe layer4 error-limit 2 on-error mark-down on-marked-down shutdown-sessions
",
        user = account.user,
        group = account.group,
        endpoint = cluster.endpoint(),
        pair = paths.pair.display(),
        authority = paths.authority.display(),
    );
    let servers: String = cluster
        .nodes_with(Role::ControlPlane)
        .map(|node| {
            let address = cluster.preferred_address(node);
            let server = SocketAddr::new(address, cluster.apiserver_port(node));
            format!("    server {} {server}\n", node.name())
        })
        .collect();
    text.push_str(&servers);
    text.push_str("\nbackend each\n    balance roundrobin\n");
    text.push_str(&servers);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "\
[[node]]
name = 'cp1'
addresses = ['192.0.2.11', 'fd00::11']
roles = ['control-plane', 'etcd']
[[node]]
name = 'cp2'
addresses = ['192.0.2.12', 'fd00::12']
roles = ['control-plane', 'etcd']
[[node]]
name = 'w1'
addresses = ['192.0.2.13', 'fd00::13']
roles = ['worker']
";

    fn written(services: &str) -> String {
        let toml = format!("service-cidr = [{services}]\n{NODES}");
        let cluster = ClusterSpec::from_toml(&toml).expect("a good spec");
        let paths = Paths {
            authority: "/etc/kubernetes/pki/ca.crt".into(),
            pair: "/var/lib/kinstall/credentials/api-balancer/client.pem".into(),
        };
        configuration(&cluster, &paths, Owner::both(57443))
    }

    #[test]
    fn every_control_plane_and_no_worker() {
        insta::assert_snapshot!(written("'10.3.0.0/24'"));
    }

    #[test]
    fn with_ipv6_alone() {
        let text = written("'fd00:3::/112'");
        for line in [
            "bind [::1]:7443",
            "server cp1 [fd00::11]:6443",
            "server cp2 [fd00::12]:6443",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
