//! containerd: its configuration and its service.

use std::collections::{BTreeMap, BTreeSet};

use pki_core::cluster::FileMode;
use serde::Serialize;

use super::Images;
use super::make::{self, OPEN, PRIVATE};
use crate::desired::digest::Digest;
use crate::desired::{
    Contents, DirectoryContents, InitSystem, NodeSpec, Owner, Resource, Service, Stage, layout,
};

const NAME: &str = "containerd";

pub(super) fn resources(spec: &NodeSpec, images: &Images) -> Vec<Resource> {
    let configuration = configuration(spec, images);
    let program = spec.programs.named(NAME);
    let mut inputs = Digest::new();
    inputs.field(configuration.as_bytes());
    inputs.field(program.digest.as_bytes());
    vec![
        make::directory(
            Stage::Files,
            "containerd's configuration",
            "/etc/containerd",
            OPEN,
            Owner::ROOT,
            DirectoryContents::Foreign,
        ),
        make::file(
            Stage::Files,
            "containerd's configuration",
            layout::CONTAINERD_CONFIG,
            Contents::new(configuration),
            FileMode::SECRET,
            Owner::ROOT,
        ),
        make::directory(
            Stage::Files,
            "images and containers",
            layout::CONTAINERD,
            PRIVATE,
            Owner::ROOT,
            DirectoryContents::Ours,
        ),
        make::service(
            Stage::Runtime,
            "the kubelet has containerd run its containers",
            Service {
                name: NAME.into(),
                description: "containerd, which runs containers".into(),
                program: program.path.clone(),
                arguments: vec![format!("--config={}", layout::CONTAINERD_CONFIG)],
                environment: [("PATH".into(), search_path(spec, &["nft", "runc"]))].into(),
                after: vec![],
                inputs: inputs.finish(),
                stop_seconds: 30,
            },
        ),
    ]
}

/// A PATH on which these programs are found, also by what is called by what is called.
pub(super) fn search_path(spec: &NodeSpec, programs: &[&str]) -> String {
    const USUAL: [&str; 6] = [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
    ];
    let folders = programs.iter().filter_map(|name| {
        let program = spec.programs.0.get(*name)?;
        Some(program.path.parent()?.display().to_string())
    });
    let elsewhere: BTreeSet<_> = folders
        .filter(|folder| !USUAL.contains(&folder.as_str()))
        .collect();
    let mut all: Vec<_> = elsewhere.into_iter().collect();
    all.extend(USUAL.map(str::to_owned));
    all.join(":")
}

#[derive(Serialize)]
struct Configuration {
    version: u8,
    root: &'static str,
    state: &'static str,
    disabled_plugins: Vec<&'static str>,
    plugins: BTreeMap<&'static str, toml::Table>,
}

/// Never used here, slow to probe (each snapshotter tries its tools and mounts), or leaves something on the machine
/// (`opt` makes /opt/containerd).
const DISABLED: [&str; 9] = [
    "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.erofs",
    "io.containerd.snapshotter.v1.native",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.differ.v1.erofs",
    "io.containerd.mount-handler.v1.erofs",
    "io.containerd.internal.v1.opt",
];

fn configuration(spec: &NodeSpec, images: &Images) -> String {
    let runc = toml::toml! {
        runtime_type = "io.containerd.runc.v2"
    };
    let mut runc = runc;
    let path = |program: &str| {
        let path = &spec.programs.named(program).path;
        toml::Value::from(path.display().to_string())
    };
    runc.insert("runtime_path".into(), path("containerd-shim-runc-v2"));
    let mut options = toml::Table::new();
    options.insert("BinaryName".into(), path("runc"));
    let systemd = spec.facts.init == InitSystem::Systemd;
    options.insert("SystemdCgroup".into(), systemd.into());
    runc.insert("options".into(), options.into());

    let mut runtime = toml::toml! {
        // CoreDNS listens on 53 as nobody special.
        enable_unprivileged_ports = true
        enable_unprivileged_icmp = true

        [containerd]
        default_runtime_name = "runc"

        [containerd.runtimes]

        [cni]
    };
    // Without CAP_SYS_RESOURCE nobody may lower the score that a container is to have.
    runtime.insert(
        "restrict_oom_score_adj".into(),
        (!spec.facts.has_sys_resource).into(),
    );
    table(&mut runtime, &["containerd", "runtimes"]).insert("runc".into(), runc.into());
    let cni = table(&mut runtime, &["cni"]);
    cni.insert("bin_dirs".into(), vec![layout::CNI_PLUGINS].into());
    cni.insert("conf_dir".into(), layout::CNI_CONFIG.into());

    let mut images_table = toml::toml! {
        snapshotter = "overlayfs"

        [pinned_images]
    };
    table(&mut images_table, &["pinned_images"])
        .insert("sandbox".into(), images.pause.clone().into());

    // Plugins of others that change what containers may: there are none, so there is no socket for them.
    let nri = toml::toml! { disable = true };

    let configuration = Configuration {
        version: 3,
        root: layout::CONTAINERD,
        state: "/run/containerd",
        disabled_plugins: DISABLED.to_vec(),
        plugins: [
            ("io.containerd.cri.v1.images", images_table),
            ("io.containerd.cri.v1.runtime", runtime),
            ("io.containerd.nri.v1.nri", nri),
        ]
        .into(),
    };
    toml::to_string(&configuration).expect("plain structures have a TOML form")
}

fn table<'a>(table: &'a mut toml::Table, path: &[&str]) -> &'a mut toml::Table {
    path.iter().fold(table, |table, key| {
        let entry = table.get_mut(*key).expect("written above");
        entry.as_table_mut().expect("written above")
    })
}
