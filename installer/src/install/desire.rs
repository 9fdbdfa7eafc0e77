//! Everything that one machine should have, in the order in which it is made.

use std::path::Path;

use pki_core::cluster::FileMode;
use pki_core::cluster::spec::Role;

use super::options;
use crate::addon;
use crate::bundle;
use crate::component::{self, ComponentError, Images};
use crate::desired::{
    self, Contents, Directory, DirectoryContents, File, InitSystem, Kind, NodeSpec, Owner,
    Resource, Service, Stage, digest, layout,
};
use crate::supervisor;

/// The service that keeps the cluster's addons.
pub const ADDON_MANAGER: &str = "addon-manager";

/// Everything that the machine of `spec` should have; what a stage needs is made in stages before it.
///
/// # Errors
/// [`ComponentError`], when a component cannot be made from what there is.
pub fn desire(spec: &NodeSpec) -> Result<Vec<Resource>, ComponentError> {
    let images = Images::new(spec);
    let mut resources = vec![
        directory(Path::new(layout::KINSTALL), "kinstall's configuration"),
        remembered(spec),
    ];
    let bundle = Path::new(layout::BUNDLE);
    let options = &spec.options;
    if options.dir.starts_with(bundle) || options.bin_dir.iter().any(|dir| dir.starts_with(bundle))
    {
        resources.push(bundle::directory());
    }
    resources.extend(component::resources(spec, &images)?);
    resources.extend(addon::host(spec));
    resources.extend(addon::resources(spec, &images.addons()));
    if spec.has(Role::ControlPlane) {
        resources.push(addon_manager(spec));
    }
    if spec.facts.init == InitSystem::Supervisor {
        resources.extend(supervisor::boot_resources(&kinstall(spec)));
        let services = Path::new(layout::KINSTALL).join("services");
        resources.push(directory(
            &services,
            "the supervisor's definitions of services",
        ));
    }
    resources.extend(kubeconfig(spec));
    let persisted = desired::persisted(&resources);
    resources.extend(persisted);
    resources.sort_by_key(|resource| resource.stage);
    Ok(resources)
}

fn kinstall(spec: &NodeSpec) -> std::path::PathBuf {
    spec.programs.named("kinstall").path.clone()
}

fn directory(path: &Path, why: &str) -> Resource {
    Resource {
        stage: Stage::Files,
        why: why.into(),
        kind: Kind::Directory(Directory {
            path: path.into(),
            mode: FileMode::new(0o700).expect("permission bits"),
            owner: Owner::ROOT,
            contents: DirectoryContents::Foreign,
        }),
    }
}

/// What the next run need not be told again.
fn remembered(spec: &NodeSpec) -> Resource {
    let text = toml::to_string(&spec.options).expect("paths and names");
    Resource {
        stage: Stage::Files,
        why: "which node of which cluster this is, for the next run".into(),
        kind: Kind::File(File {
            path: options::etc().join(options::FILE),
            contents: Contents::new(text),
            mode: FileMode::SECRET,
            owner: Owner::ROOT,
        }),
    }
}

fn addon_manager(spec: &NodeSpec) -> Resource {
    let program = spec.programs.named("kinstall");
    let mut inputs = digest::Digest::new();
    inputs.field(program.digest.as_bytes());
    if let Some(file) = spec.file("super-admin.conf") {
        inputs.field(file.contents.digest().as_bytes());
    }
    Resource {
        stage: Stage::Addons,
        why: "keeps the cluster's addons as the folder of addons says".into(),
        kind: Kind::Service(Service {
            name: ADDON_MANAGER.into(),
            description: "Kubernetes addon manager of kinstall".into(),
            program: program.path.clone(),
            arguments: vec![ADDON_MANAGER.into()],
            environment: std::collections::BTreeMap::new(),
            after: vec!["kubelet".into()],
            inputs: inputs.finish(),
            stop_seconds: 10,
        }),
    }
}

/// A person's own copy of the admin kubeconfig, where one was asked for.
fn kubeconfig(spec: &NodeSpec) -> Option<Resource> {
    let wanted = spec.options.kubeconfig.as_ref()?;
    let admin = spec.file("admin.conf")?;
    Some(Resource {
        stage: Stage::Files,
        why: "the administrator's own kubeconfig".into(),
        kind: Kind::File(File {
            path: wanted.path.clone(),
            contents: admin.contents.clone(),
            mode: FileMode::SECRET,
            owner: wanted.owner,
        }),
    })
}
