//! From a spec to a `cluster.toml` that says everything.

use std::fmt::{Display, Write};

use super::ClusterSpec;
use crate::x509::Lifetime;

/// Writes every effective value, with the comments of the fields that people change.
pub(super) fn write(spec: &ClusterSpec) -> String {
    let mut out = String::from(
        "# What this cluster's PKI shall be like. Change it, look at `kpki plan`, then `kpki apply`.\n\n",
    );
    field(&mut out, "name", &quoted(spec.name()));
    field(&mut out, "domain", &quoted(spec.domain()));
    comment(
        &mut out,
        "Where Services get their addresses, the cluster DNS among them, and where pods do.",
    );
    field(&mut out, "service-cidr", &array(spec.service_cidrs()));
    field(&mut out, "cluster-dns", &array(spec.cluster_dns()));
    field(&mut out, "pod-cidr", &array(spec.pod_cidrs()));
    let endpoint = if spec.has_local_balancer() {
        "Where clients reach the API servers: on a loopback address, a load balancer on each node."
    } else {
        "Where clients reach the API server."
    };
    comment(&mut out, endpoint);
    field(&mut out, "endpoint", &quoted(spec.endpoint()));
    comment(&mut out, "Further names and addresses of the API server.");
    field(&mut out, "san", &array(spec.sans()));
    comment(&mut out, "A shipped profile, or the path of your own.");
    field(&mut out, "profile", &quoted(spec.profile()));
    field(&mut out, "key-algorithm", &quoted(spec.key_algorithm()));
    comment(
        &mut out,
        "validity and ca-validity: how long certificates and authorities last; when absent, as the profile says.",
    );
    lifetime(&mut out, "validity", spec.validity());
    lifetime(&mut out, "ca-validity", spec.ca_validity());
    if let Some(directory) = spec.ca_dir() {
        field(&mut out, "ca-dir", &quoted(directory.display()));
    }
    for node in spec.nodes() {
        out.push_str("\n[[node]]\n");
        field(&mut out, "name", &quoted(node.name()));
        field(&mut out, "addresses", &array(node.addresses()));
        field(&mut out, "roles", &array(node.roles()));
        if !node.sans().is_empty() {
            field(&mut out, "san", &array(node.sans()));
        }
        if let Some(destination) = node.ssh() {
            field(&mut out, "ssh", &quoted(destination));
        }
    }
    for user in spec.users() {
        out.push_str("\n[[user]]\n");
        field(&mut out, "name", &quoted(user.name()));
        field(&mut out, "groups", &array(user.groups()));
        lifetime(&mut out, "validity", user.validity());
    }
    for (id, certificate) in spec.certificate_overrides() {
        let _ = write!(out, "\n[certificate.{}]\n", key(id));
        if let Some(algorithm) = certificate.key_algorithm() {
            field(&mut out, "key-algorithm", &quoted(algorithm));
        }
        lifetime(&mut out, "validity", certificate.validity());
        if !certificate.sans().is_empty() {
            field(&mut out, "san", &array(certificate.sans()));
        }
    }
    for (id, authority) in spec.authority_overrides() {
        let _ = write!(out, "\n[authority.{}]\n", key(id));
        if authority.is_imported() {
            field(&mut out, "imported", "true");
        }
        if let Some(algorithm) = authority.key_algorithm() {
            field(&mut out, "key-algorithm", &quoted(algorithm));
        }
        lifetime(&mut out, "validity", authority.validity());
        if let Some(name) = authority.common_name() {
            field(&mut out, "common-name", &quoted(name));
        }
    }
    out
}

fn field(out: &mut String, key: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{key} = {value}");
}

fn comment(out: &mut String, text: &str) {
    let _ = writeln!(out, "# {text}");
}

fn lifetime(out: &mut String, key: &str, value: Option<Lifetime>) {
    if let Some(value) = value {
        field(out, key, &quoted(value));
    }
}

/// A basic string of TOML, which may also be a key, as toml's own choice of `"""` may not.
fn quoted(value: impl Display) -> String {
    let mut out = String::from('"');
    for c in value.to_string().chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn array<T: Display>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(quoted).collect();
    format!("[{}]", values.join(", "))
}

/// An id as a key of TOML: bare where it may be.
fn key(id: &str) -> String {
    let bare = id
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { id.to_owned() } else { quoted(id) }
}
