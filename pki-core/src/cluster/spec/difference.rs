//! What two specs say differently, field by field, in words.

use super::ClusterSpec;
use crate::x509::Lifetime;

/// A field that two specs say differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name in cluster.toml.
    pub field: &'static str,
    /// What the one says; empty when nothing.
    pub has: String,
    /// What the other says; empty when nothing.
    pub other: String,
}

pub(super) fn between(has: &ClusterSpec, other: &ClusterSpec) -> Vec<Difference> {
    let pairs = fields(has).into_iter().zip(fields(other));
    pairs
        .filter(|(has, other)| has != other)
        .map(|((field, has), (_, other))| Difference { field, has, other })
        .collect()
}

fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
    values.join(", ")
}

/// A spec field by field, in words.
fn fields(spec: &ClusterSpec) -> Vec<(&'static str, String)> {
    let lifetime =
        |value: Option<Lifetime>| value.map(|value| value.to_string()).unwrap_or_default();
    let nodes = spec.nodes().iter().map(|node| {
        let (addresses, roles) = (list(node.addresses()), list(node.roles()));
        let sans = list(node.sans());
        let ssh = node.ssh().map(|one| format!("ssh {one}"));
        let more = [sans, ssh.unwrap_or_default()].join(" ");
        format!("{} ({addresses}: {roles}) {}", node.name(), more.trim())
            .trim_end()
            .to_owned()
    });
    let users = spec.users().iter().map(|user| {
        let validity = lifetime(user.validity());
        format!("{} ({}) {validity}", user.name(), list(user.groups()))
            .trim_end()
            .to_owned()
    });
    let imported = spec.authority_overrides().map(|(id, own)| {
        let algorithm = own
            .key_algorithm()
            .map(|one| one.to_string())
            .unwrap_or_default();
        let words = [
            if own.is_imported() { "imported" } else { "" },
            &algorithm,
            &lifetime(own.validity()),
            own.common_name().unwrap_or_default(),
        ];
        format!("{id} {}", words.join(" ").trim())
    });
    let certificates = spec.certificate_overrides().map(|(id, own)| {
        let algorithm = own
            .key_algorithm()
            .map(|one| one.to_string())
            .unwrap_or_default();
        let words = [algorithm, lifetime(own.validity()), list(own.sans())];
        format!("{id} {}", words.join(" ").trim())
    });
    vec![
        ("name", spec.name().to_owned()),
        ("domain", spec.domain().to_string()),
        ("service-cidr", list(spec.service_cidrs())),
        ("cluster-dns", list(spec.cluster_dns())),
        ("pod-cidr", list(spec.pod_cidrs())),
        ("endpoint", spec.endpoint().to_string()),
        ("san", list(spec.sans())),
        ("profile", spec.profile().to_string()),
        ("key-algorithm", spec.key_algorithm().to_string()),
        ("validity", lifetime(spec.validity())),
        ("ca-validity", lifetime(spec.ca_validity())),
        (
            "ca-dir",
            spec.ca_dir()
                .map(|dir| dir.display().to_string())
                .unwrap_or_default(),
        ),
        ("node", list(nodes)),
        ("user", list(users)),
        ("authority", list(imported)),
        ("certificate", list(certificates)),
    ]
}
