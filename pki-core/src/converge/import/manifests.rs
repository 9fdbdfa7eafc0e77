//! What static pod manifests tell: the CIDRs that no certificate holds.

use std::fs;
use std::path::Path;

/// The flags of the control plane that name CIDRs, as they are written.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    /// `--service-cluster-ip-range` of kube-apiserver.
    pub service_cidrs: Vec<String>,
    /// `--cluster-cidr` of kube-controller-manager.
    pub pod_cidrs: Vec<String>,
}

/// Looks for the two flags. A folder that is not there, as with `kubeadm init phase certs`, tells nothing.
pub(super) fn read(folder: &Path) -> Manifests {
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    Manifests {
        service_cidrs: flag(&text("kube-apiserver.yaml"), "--service-cluster-ip-range="),
        pod_cidrs: flag(&text("kube-controller-manager.yaml"), "--cluster-cidr="),
    }
}

/// The values of a flag in a list of arguments, one argument a line.
fn flag(manifest: &str, name: &str) -> Vec<String> {
    let value = manifest.lines().find_map(|line| {
        let argument = line
            .trim()
            .trim_start_matches("- ")
            .trim_matches(['"', '\'']);
        argument.strip_prefix(name)
    });
    value
        .map(|value| {
            value
                .split(',')
                .map(|cidr| cidr.trim().to_owned())
                .collect()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::flag;

    #[test]
    fn finds_a_flag_however_it_is_quoted() {
        let text = "    - kube-apiserver\n    - --service-cluster-ip-range=10.3.0.0/24,fd00:3::/112\n    - \"--x=y\"\n";
        assert_eq!(
            flag(text, "--service-cluster-ip-range="),
            ["10.3.0.0/24", "fd00:3::/112"]
        );
        assert_eq!(flag(text, "--x="), ["y"]);
        assert!(flag(text, "--cluster-cidr=").is_empty());
    }
}
