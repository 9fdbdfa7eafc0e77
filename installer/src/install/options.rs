//! Which node of which cluster this machine is: what was said now, and what was said before.

use std::io;
use std::path::{Path, PathBuf};

use crate::desired::{Network, NodeOptions, ProxyMode, UserKubeconfig, layout};

/// The file below [`layout::KINSTALL`] that remembers it.
pub const FILE: &str = "node.toml";

/// What was said on the command line; what was not said is as it was before.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The cluster's directory.
    pub dir: Option<PathBuf>,
    /// The directory of CA certificates.
    pub ca_dir: Option<PathBuf>,
    /// This node's name.
    pub node: Option<String>,
    /// How pods of different nodes reach each other.
    pub network: Option<Network>,
    /// How kube-proxy leads packets to Services.
    pub proxy_mode: Option<ProxyMode>,
    /// Where to look for programs first.
    pub bin_dir: Vec<PathBuf>,
    /// Preflight checks whose failure is accepted.
    pub ignore_preflight: Vec<String>,
    /// A further place for the admin kubeconfig.
    pub kubeconfig: Option<UserKubeconfig>,
}

/// Why the remembered options cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file makes no sense.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// Which.
        path: PathBuf,
        /// Where and why.
        message: String,
    },
}

impl OptionsError {
    /// What would mend it.
    pub fn hint(&self) -> String {
        match self {
            Self::Io { .. } => "run as root".into(),
            Self::Syntax { path, .. } => {
                format!(
                    "mend it, or remove {} and say --dir and --node again",
                    path.display()
                )
            }
        }
    }
}

/// What earlier runs were told, from the folder `etc`; nothing on a fresh machine.
///
/// # Errors
/// [`OptionsError`]
pub fn remembered(etc: &Path) -> Result<Option<NodeOptions>, OptionsError> {
    let path = etc.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OptionsError::Io { path, source }),
    };
    toml::from_str(&text).map(Some).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].lines().count().max(1));
        OptionsError::Syntax {
            path: PathBuf::from(format!("{}:{line}", path.display())),
            message: error.message().to_owned(),
        }
    })
}

/// What holds now: `wishes`, else what was `remembered`, else the defaults. Relative paths are taken from `current`.
pub fn resolve(
    wishes: Wishes,
    remembered: Option<NodeOptions>,
    current: &Path,
    host_name: &str,
) -> NodeOptions {
    let before = remembered.unwrap_or_else(|| NodeOptions {
        dir: current.join("kubernetes"),
        ca_dir: None,
        node: host_name.to_owned(),
        network: Network::default(),
        proxy_mode: ProxyMode::default(),
        bin_dir: Vec::new(),
        ignore_preflight: Vec::new(),
        kubeconfig: None,
    });
    let absolute = |path: PathBuf| current.join(path);
    let list = |now: Vec<_>, before: Vec<_>| if now.is_empty() { before } else { now };
    NodeOptions {
        dir: wishes.dir.map_or(before.dir, absolute),
        ca_dir: wishes.ca_dir.map(absolute).or(before.ca_dir),
        node: wishes.node.unwrap_or(before.node),
        network: wishes.network.unwrap_or(before.network),
        proxy_mode: wishes.proxy_mode.unwrap_or(before.proxy_mode),
        bin_dir: if wishes.bin_dir.is_empty() {
            before.bin_dir
        } else {
            wishes.bin_dir.into_iter().map(absolute).collect()
        },
        ignore_preflight: list(wishes.ignore_preflight, before.ignore_preflight),
        kubeconfig: wishes.kubeconfig.or(before.kubeconfig),
    }
}

/// Where [`remembered`] looks on a real machine.
pub fn etc() -> &'static Path {
    Path::new(layout::KINSTALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before() -> NodeOptions {
        NodeOptions {
            dir: "/srv/cluster".into(),
            ca_dir: None,
            node: "cp1".into(),
            network: Network::None,
            proxy_mode: ProxyMode::Iptables,
            bin_dir: vec!["/opt/bin".into()],
            ignore_preflight: vec!["swap".into()],
            kubeconfig: None,
        }
    }

    #[test]
    fn what_is_not_said_is_as_before() {
        let now = resolve(
            Wishes::default(),
            Some(before()),
            Path::new("/root"),
            "host",
        );
        assert_eq!(now, before());
    }

    #[test]
    fn what_is_said_holds_and_paths_are_absolute() {
        let wishes = Wishes {
            dir: Some("mine".into()),
            network: Some(Network::Flannel),
            ..Wishes::default()
        };
        let now = resolve(wishes, Some(before()), Path::new("/root"), "host");
        assert_eq!(now.dir, Path::new("/root/mine"));
        assert_eq!(now.network, Network::Flannel);
        assert_eq!(now.node, "cp1");
    }

    #[test]
    fn a_fresh_machine_is_itself() {
        let now = resolve(Wishes::default(), None, Path::new("/root"), "host");
        assert_eq!(
            (now.node.as_str(), now.dir.as_path()),
            ("host", Path::new("/root/kubernetes"))
        );
    }

    #[test]
    fn what_is_remembered_is_read_back_and_a_mistake_is_told_with_its_line() {
        let scratch = tempfile::tempdir().unwrap();
        assert!(remembered(scratch.path()).unwrap().is_none());
        let file = scratch.path().join(FILE);
        std::fs::write(&file, toml::to_string(&before()).unwrap()).unwrap();
        assert_eq!(remembered(scratch.path()).unwrap(), Some(before()));
        let chosen = NodeOptions {
            network: Network::HostGw,
            proxy_mode: ProxyMode::Nftables,
            ..before()
        };
        let text = toml::to_string(&chosen).unwrap();
        assert!(text.contains("network = \"host-gw\""), "{text}");
        std::fs::write(&file, text).unwrap();
        assert_eq!(remembered(scratch.path()).unwrap(), Some(chosen));
        std::fs::write(&file, "dir = \"/x\"\nnode = \"a\"\nnetwork = \"calico\"\n").unwrap();
        let error = remembered(scratch.path()).unwrap_err().to_string();
        assert!(
            error.contains("node.toml:3: ") && error.contains("calico"),
            "{error}"
        );
    }
}
