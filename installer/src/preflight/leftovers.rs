//! What an earlier cluster left.

use super::{Check, Context, Finding};
use crate::desired::layout;

pub(super) const MANIFESTS: Check = Check {
    name: "manifests",
    reason: "the kubelet runs whatever is in its manifest folder, whatever its name ends in (k/k#129364)",
    run: manifests,
};

pub(super) const ETCD_DATA: Check = Check {
    name: "etcd-data",
    reason: "an etcd that finds data goes on with that cluster: its objects, and Secrets that only its own key opens",
    run: etcd_data,
};

fn manifests(context: &Context<'_>) -> Vec<Finding> {
    // Only names that begin with a dot are passed over (pkg/kubelet/config/file.go).
    let names = context.readings.manifests.iter();
    let foreign: Vec<_> = names
        .filter(|name| !name.starts_with('.') && !context.ours.manifests.contains(*name))
        .cloned()
        .collect();
    if foreign.is_empty() {
        return Vec::new();
    }
    vec![Finding::error(
        format!(
            "{} holds what kinstall did not put there: {}",
            layout::MANIFESTS,
            foreign.join(", ")
        ),
        "move it away; kubeadm reset does it where kubeadm made it",
    )]
}

fn etcd_data(context: &Context<'_>) -> Vec<Finding> {
    if !context.readings.has_etcd_data || context.ours.installed {
        return Vec::new();
    }
    vec![Finding::warning(
        format!(
            "{} holds the data of an earlier cluster: this one will go on with it",
            layout::ETCD_DATA
        ),
        "where that is not what you want, move it away",
    )]
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn foreign_manifests() {
        let mut fixture = Fixture::ipv4();
        fixture.readings.manifests = [".etcd.yaml.swp", "etcd.yaml", "etcd.yaml.bak"]
            .map(String::from)
            .into();
        assert_eq!(
            fixture.error(MANIFESTS),
            "/etc/kubernetes/manifests holds what kinstall did not put there: etcd.yaml, etcd.yaml.bak"
        );
        fixture.ours.manifests.insert("etcd.yaml".into());
        assert!(fixture.error(MANIFESTS).ends_with("there: etcd.yaml.bak"));
        fixture.ours.manifests.insert("etcd.yaml.bak".into());
        fixture.fine(MANIFESTS);
    }

    #[test]
    fn data_of_another_cluster() {
        let mut fixture = Fixture::ipv4();
        fixture.readings.has_etcd_data = true;
        assert!(
            fixture
                .warning(ETCD_DATA)
                .starts_with("/var/lib/etcd holds")
        );
        fixture.ours.installed = true;
        fixture.fine(ETCD_DATA);
    }
}
