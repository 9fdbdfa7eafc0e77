//! CoreDNS' own configuration.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::kube_proxy::loopback;
use crate::desired::NodeSpec;

/// Where CoreDNS says that it lives, and that it serves.
pub(super) const HEALTH_PORT: u16 = 8080;
pub(super) const READY_PORT: u16 = 8181;
/// Where the certificate for DNS over TLS is mounted.
pub(super) const TLS_DIRECTORY: &str = "/etc/coredns-tls";

/// Names that are not the cluster's. CoreDNS does not start with a resolv.conf that names no server, nor does it go on
/// when that server asks it again.
const OTHERS: &str = "    forward . /etc/resolv.conf {
        max_concurrent 1000
    }
    loop
";

/// The Corefile; with DNS over TLS where there is a certificate for it.
pub(super) fn text(spec: &NodeSpec, tls: bool) -> String {
    let domain = spec.cluster.domain();
    let loopback = loopback(spec);
    let mut text = format!(
        "\
.:53 {{
    errors
    health :{HEALTH_PORT} {{
        lameduck 5s
    }}
    ready :{READY_PORT}
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        pods verified
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }}
    prometheus {metrics}
{others}    cache 30 {{
        disable success {domain}
        disable denial {domain}
    }}
    loadbalance
}}
",
        others = if spec.facts.has_nameserver {
            OTHERS
        } else {
            ""
        },
        // For `kubectl port-forward`, and for nobody without permission.
        metrics = SocketAddr::new(loopback, 9153),
    );
    if tls {
        // Asks the server above: a second kubernetes plugin would hold the whole cluster a second time.
        let _ = write!(
            text,
            "\
tls://.:853 {{
    errors
    tls {TLS_DIRECTORY}/tls.crt {TLS_DIRECTORY}/tls.key
    forward . {plain} {{
        max_concurrent 1000
    }}
}}
",
            plain = SocketAddr::new(loopback, 53),
        );
    }
    text
}
