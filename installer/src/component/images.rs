//! The images that pods run, each made of one program of this machine.

use pki_core::cluster::spec::Role;

use crate::addon::AddonImages;
use crate::desired::{Image, Kind, NodeSpec, Programs, Resource, Stage};
use crate::image::ImageContents;

/// Where an image's program is: upstream's place, and in the PATH that containerd gives where an image says none.
const PROGRAMS: &str = "/usr/local/bin";
/// Where the tools are that a program calls: in the PATH that containerd gives where an image says none.
const TOOLS: &str = "/usr/sbin";

/// What the kubelet runs in a container to ask the component in it how it is.
pub(super) const PROBE: &str = "kinstall-probe";
/// What becomes etcd in its container, where that may begin.
pub(super) const GUARD: &str = "kinstall-etcd";

/// The images of a node: their full names, and what they are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// etcd. Empty, as the others, where this node has no use for it.
    pub etcd: String,
    /// kube-apiserver.
    pub kube_apiserver: String,
    /// kube-controller-manager.
    pub kube_controller_manager: String,
    /// kube-scheduler.
    pub kube_scheduler: String,
    /// What holds a pod's namespaces.
    pub pause: String,
    /// kube-proxy, with `nft`.
    pub kube_proxy: String,
    /// CoreDNS.
    pub coredns: String,
    /// flanneld, with `nft`.
    pub flannel: String,
    /// All of them, the sandbox's first.
    pub all: Vec<Image>,
}

impl Images {
    /// The images that this node needs.
    ///
    /// # Panics
    /// When a program that the node's roles need was not found: preflight says so before.
    pub fn new(spec: &NodeSpec) -> Self {
        let programs = &spec.programs;
        let mut images = Self::default();
        let mut add = |program: &str, name: &str, tools: &[&str]| {
            let image = image(programs, program, name, tools);
            let reference = image.reference.clone();
            images.all.push(image);
            reference
        };
        let pause = add("kinstall-pause", "pause", &[]);
        let (mut etcd, mut apiserver, mut manager, mut scheduler, mut flannel) =
            <(String, String, String, String, String)>::default();
        if spec.has(Role::Etcd) {
            etcd = add("etcd", "etcd", &[GUARD]);
        }
        if spec.has(Role::ControlPlane) {
            apiserver = add("kube-apiserver", "kube-apiserver", &[PROBE]);
            manager = add("kube-controller-manager", "kube-controller-manager", &[]);
            scheduler = add("kube-scheduler", "kube-scheduler", &[]);
        }
        // All of them, where they are: the control plane chooses the mode, and a worker need not be told to have the image.
        let kube_proxy = add(
            "kube-proxy",
            "kube-proxy",
            &["nft", "iptables", "ip6tables"],
        );
        let coredns = add("coredns", "coredns", &[]);
        if spec.options.network.is_flannel() {
            // flannel takes iptables rules of earlier versions away before it makes nftables', and ends where it cannot.
            flannel = add("flanneld", "flannel", &["nft", "iptables", "ip6tables"]);
        }
        Self {
            etcd,
            kube_apiserver: apiserver,
            kube_controller_manager: manager,
            kube_scheduler: scheduler,
            pause,
            kube_proxy,
            coredns,
            flannel,
            all: images.all,
        }
    }

    /// Those of the addons.
    pub fn addons(&self) -> AddonImages {
        AddonImages {
            kube_proxy: self.kube_proxy.clone(),
            coredns: self.coredns.clone(),
            flannel: self.flannel.clone(),
        }
    }

    pub(super) fn resources(&self, spec: &NodeSpec) -> Vec<Resource> {
        let first = [&self.pause, &self.etcd, &self.kube_apiserver];
        // Where others run the control plane, the cluster may want any of them as soon as the kubelet runs.
        let at_once = !spec.has(Role::ControlPlane);
        let resource = |image: &Image| Resource {
            stage: if at_once || first.contains(&&image.reference) {
                Stage::Images
            } else {
                Stage::LaterImages
            },
            why: "a pod runs it; there is no registry".into(),
            kind: Kind::Image(image.clone()),
        };
        self.all.iter().map(resource).collect()
    }
}

/// Where the tool of that name is in an image.
pub(crate) fn tool(name: &str) -> String {
    format!("{TOOLS}/{name}")
}

/// Where the program of that name is in its image.
pub(super) fn entrypoint(program: &str) -> String {
    format!("{PROGRAMS}/{program}")
}

/// An image of `program` and the tools that it calls, each with the libraries that it loads.
///
/// A program of ours is at [`PROGRAMS`], a tool at [`TOOLS`].
fn image(programs: &Programs, program: &str, name: &str, tools: &[&str]) -> Image {
    let entrypoint = entrypoint(program);
    let mut contents = ImageContents::new().program(&entrypoint, programs.named(program));
    for name in tools {
        if let Some(found) = programs.0.get(*name) {
            contents = contents.program(&tool(name), found);
            // One program by three names (iptables' xtables-multi): which it is called by says what it does.
            if matches!(*name, "iptables" | "ip6tables") {
                for other in ["save", "restore"] {
                    contents = contents.link(&tool(&format!("{name}-{other}")), name);
                }
            }
        }
    }
    contents.into_image(name, &[&entrypoint])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Program;

    fn programs() -> Programs {
        let program = |name: &str, libraries: &[&str]| {
            let of = |path: &&str| ((*path).into(), format!("digest of {path}"));
            let program = Program {
                path: format!("/opt/here/{name}").into(),
                version: "1.2.3+build".into(),
                digest: format!("digest of {name}"),
                libraries: libraries.iter().map(of).collect(),
            };
            (name.to_owned(), program)
        };
        let nft = program("nft", &["/lib/libnftables.so.1", "/lib64/ld.so"]);
        Programs([program("kube-proxy", &[]), nft].into())
    }

    #[test]
    fn programs_are_in_the_path_and_libraries_where_they_are() {
        let image = image(&programs(), "kube-proxy", "kube-proxy", &["nft"]);
        let paths: Vec<_> = image.files.keys().map(String::as_str).collect();
        let wanted = [
            "/lib/libnftables.so.1",
            "/lib64/ld.so",
            "/usr/local/bin/kube-proxy",
            "/usr/sbin/nft",
        ];
        assert_eq!(paths, wanted);
        assert_eq!(image.entrypoint, ["/usr/local/bin/kube-proxy"]);
    }

    #[test]
    fn the_name_changes_with_every_part() {
        let name = |programs: &Programs, tools: &[&str]| {
            image(programs, "kube-proxy", "kube-proxy", tools).reference
        };
        let whole = name(&programs(), &["nft"]);
        assert!(
            whole.starts_with("kinstall.internal/kube-proxy:"),
            "{whole}"
        );
        assert_ne!(whole, name(&programs(), &[]));
        let mut changed = programs();
        changed.0.get_mut("nft").unwrap().libraries[0].1 = "other".into();
        assert_ne!(whole, name(&changed, &["nft"]));
        assert_eq!(whole, name(&programs(), &["nft"]));
    }
}
