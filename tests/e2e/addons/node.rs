//! One node: its spec, its folder of addons, its API server.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use installer::addon::manager::{self, Report};
use installer::addon::{self, AddonImages};
use installer::desired::{
    CgroupVersion, Contents, Facts, InitSystem, Kind, Network, NodeOptions, NodeSpec, Programs,
    ProxyMode, TreeFile,
};
use pki_core::cluster::FileMode;
use tests::cluster::Cluster;
use tests::command::{run, succeed};
use tests::control_plane::ControlPlane;

/// Longer than anything here takes on an idle machine, many times.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Node<'a> {
    pub cluster: &'a Cluster,
    pub control_plane: &'a ControlPlane<'a>,
    pub spec: NodeSpec,
    pub folder: PathBuf,
}

impl<'a> Node<'a> {
    /// With all files of its addons in their folder.
    pub fn new(cluster: &'a Cluster, control_plane: &'a ControlPlane<'a>) -> Self {
        let node = cluster.spec.nodes()[0].clone();
        let root = cluster.node(node.name().as_str());
        let mut tree = BTreeMap::new();
        read(&root, &root, &mut tree);
        let spec = NodeSpec {
            cluster: cluster.spec.clone(),
            options: NodeOptions {
                dir: cluster.dir(),
                ca_dir: None,
                node: node.name().to_string(),
                network: Network::Flannel,
                proxy_mode: ProxyMode::Nftables,
                bin_dir: vec![],
                ignore_preflight: vec![],
                kubeconfig: None,
            },
            facts: Facts {
                host_name: node.name().to_string(),
                init: InitSystem::Supervisor,
                cgroups: CgroupVersion::V1,
                has_sys_resource: false,
                resolv_conf: "/etc/resolv.conf".into(),
                conntrack_writable: false,
                has_nf_tables: true,
                cores: 2,
                memory_bytes: 4 << 30,
                addresses: vec![],
                has_nameserver: true,
                router_advertisements: Default::default(),
                accounts: BTreeMap::new(),
            },
            programs: Programs::default(),
            node,
            tree,
            etcd: None,
        };
        let folder = cluster.scratch("addons");
        let this = Self {
            cluster,
            control_plane,
            spec,
            folder,
        };
        this.write_addons();
        this
    }

    /// The folder as kinstall makes it.
    pub fn write_addons(&self) {
        let images = AddonImages {
            kube_proxy: "kinstall.internal/kube-proxy:1".into(),
            coredns: "kinstall.internal/coredns:1".into(),
            flannel: "kinstall.internal/flannel:1".into(),
        };
        for resource in addon::resources(&self.spec, &images) {
            if let Kind::File(file) = resource.kind {
                let name = file.path.file_name().and_then(|name| name.to_str());
                let text = std::str::from_utf8(file.contents.secret_bytes()).expect("text");
                self.write(name.expect("a name"), text);
            }
        }
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        let mut options = fs::OpenOptions::new();
        let options = options.create(true).truncate(true).write(true).mode(0o600);
        let mut file = options.open(&path).expect("a file");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.folder.join(name)).expect("it was there");
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.control_plane.tree().join("super-admin.conf")
    }

    /// Runs what talks to the API server, on the node.
    pub fn inside<T: Send, F: Future<Output = T>>(&self, work: impl FnOnce() -> F + Send) -> T {
        self.control_plane.namespace().inside(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(work())
        })
    }

    /// One pass of the addon manager.
    pub fn reconcile(&self) -> Report {
        let (kubeconfig, folder) = (self.kubeconfig(), &self.folder);
        self.inside(|| async move {
            let client = manager::connect(&kubeconfig).await.expect("a kubeconfig");
            let began = Instant::now();
            // The API server makes the namespace itself, soon.
            loop {
                match manager::reconcile(&client, folder).await {
                    Ok(report) => return report,
                    Err(away) => assert!(began.elapsed() < PATIENCE, "{away}"),
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
    }

    pub fn kubectl(&self, arguments: &[&str]) -> String {
        succeed(&mut self.control_plane.kubectl("super-admin.conf", arguments))
    }

    /// Whether there is such an object.
    pub fn has(&self, what: &str) -> bool {
        let arguments = ["--namespace=kube-system", "get", what];
        let mut command = self.control_plane.kubectl("super-admin.conf", &arguments);
        run(&mut command).code == Some(0)
    }
}

fn read(root: &Path, folder: &Path, tree: &mut BTreeMap<PathBuf, TreeFile>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            read(root, &path, tree);
            continue;
        }
        let bits = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        let file = TreeFile {
            contents: Contents::new(fs::read(&path).expect("readable")),
            mode: FileMode::new(u16::try_from(bits).expect("nine bits")).expect("nine bits"),
        };
        tree.insert(path.strip_prefix(root).expect("below").to_owned(), file);
    }
}
