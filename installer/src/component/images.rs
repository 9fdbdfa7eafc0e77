//! The images that pods run, each made of one program of this machine.

use std::collections::BTreeMap;
use std::path::Path;

use pki_core::cluster::FileMode;
use pki_core::cluster::spec::Role;

use crate::addon::AddonImages;
use crate::desired::digest::Digest;
use crate::desired::{
    Image, ImageFile, Kind, Network, NodeSpec, Program, Programs, Resource, Stage,
};

/// Where an image's program is: upstream's place, and in the PATH that containerd gives where an image says none.
const PROGRAMS: &str = "/usr/local/bin";
/// How much of a digest tells two images of one version apart: 48 bits.
const TAG_DIGITS: usize = 12;

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
            etcd = add("etcd", "etcd", &[]);
        }
        if spec.has(Role::ControlPlane) {
            apiserver = add("kube-apiserver", "kube-apiserver", &[]);
            manager = add("kube-controller-manager", "kube-controller-manager", &[]);
            scheduler = add("kube-scheduler", "kube-scheduler", &[]);
        }
        let tools: &[&str] = if spec.facts.has_nf_tables {
            &["nft"]
        } else {
            &["iptables", "ip6tables"]
        };
        let kube_proxy = add("kube-proxy", "kube-proxy", tools);
        let coredns = add("coredns", "coredns", &[]);
        if spec.options.network == Network::Flannel {
            flannel = add("flanneld", "flannel", tools);
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

    pub(super) fn resources(&self) -> Vec<Resource> {
        let resource = |image: &Image| Resource {
            stage: Stage::Images,
            why: "a pod runs it; there is no registry".into(),
            kind: Kind::Image(image.clone()),
        };
        self.all.iter().map(resource).collect()
    }
}

/// Where the program of that name is in its image.
pub(super) fn entrypoint(program: &str) -> String {
    format!("{PROGRAMS}/{program}")
}

/// An image of `program` and the tools that it calls, each with the libraries that it loads.
///
/// A program of ours is at [`PROGRAMS`]; a tool and all libraries are where they are on this machine, since the loader
/// looks for them there.
fn image(programs: &Programs, program: &str, name: &str, tools: &[&str]) -> Image {
    let main = programs.named(program);
    let entrypoint = entrypoint(program);
    let mut files = BTreeMap::new();
    files.insert(entrypoint.clone(), executable(&main.path, &main.digest));
    add_libraries(&mut files, main);
    // Where the kernel has no nf_tables, iptables is a program with plugins, which the host may lack: kube-proxy says so.
    for tool in tools.iter().filter_map(|tool| programs.0.get(*tool)) {
        let path = tool.path.display().to_string();
        files.insert(path, executable(&tool.path, &tool.digest));
        add_libraries(&mut files, tool);
    }
    let entrypoint = vec![entrypoint];
    Image {
        reference: reference(name, &main.version, &files, &entrypoint),
        entrypoint,
        files,
        links: BTreeMap::new(),
    }
}

fn add_libraries(files: &mut BTreeMap<String, ImageFile>, program: &Program) {
    for (path, digest) in &program.libraries {
        files.insert(path.display().to_string(), executable(path, digest));
    }
}

fn executable(source: &Path, digest: &str) -> ImageFile {
    ImageFile {
        source: source.to_owned(),
        digest: digest.to_owned(),
        mode: FileMode::new(0o755).expect("permission bits"),
    }
}

/// `kinstall.internal/<name>:v<version>-<digest>`: another content is another name, so that a pod that names it is
/// restarted when it changes, and a pull is never needed. The top-level domain `internal` is nobody's (ICANN, 2024).
fn reference(
    name: &str,
    version: &str,
    files: &BTreeMap<String, ImageFile>,
    entrypoint: &[String],
) -> String {
    let mut digest = Digest::new();
    for (path, file) in files {
        digest.field(path.as_bytes());
        digest.field(file.digest.as_bytes());
        digest.field(&file.mode.bits().to_be_bytes());
    }
    for word in entrypoint {
        digest.field(word.as_bytes());
    }
    let digest = digest.finish();
    let digits = &digest[..TAG_DIGITS];
    if version.is_empty() {
        return format!("kinstall.internal/{name}:{digits}");
    }
    // A tag has no `+`, which a version may have (OCI distribution spec, "Pulling manifests").
    let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let version = version.replace(|c| !good(c), "_");
    format!("kinstall.internal/{name}:v{version}-{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn tools_and_libraries_stay_where_they_are() {
        let image = image(&programs(), "kube-proxy", "kube-proxy", &["nft"]);
        let paths: Vec<_> = image.files.keys().map(String::as_str).collect();
        let wanted = [
            "/lib/libnftables.so.1",
            "/lib64/ld.so",
            "/opt/here/nft",
            "/usr/local/bin/kube-proxy",
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
            whole.starts_with("kinstall.internal/kube-proxy:v1.2.3_build-"),
            "{whole}"
        );
        assert_ne!(whole, name(&programs(), &[]));
        let mut changed = programs();
        changed.0.get_mut("nft").unwrap().libraries[0].1 = "other".into();
        assert_ne!(whole, name(&changed, &["nft"]));
        assert_eq!(whole, name(&programs(), &["nft"]));
    }
}
