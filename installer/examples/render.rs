//! What a node would have, as files below a directory: `render CLUSTER NODE OUT BIN_DIR...`.
//!
//! Files have their modes; owners, services, sysctls, images and traces are listed in `OUT/resources.txt`. For looking at,
//! and for trying components with just the arguments that they would get.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use installer::component::{self, Images};
use installer::desired::{Kind, Network, NodeOptions, NodeSpec, ProxyMode, Resource};
use installer::machine::{facts, node_source, programs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("missing: {what}"));
    let dir = PathBuf::from(next("CLUSTER")?);
    let node = next("NODE")?;
    let out = PathBuf::from(next("OUT")?);
    let bin_dir: Vec<PathBuf> = arguments.map(PathBuf::from).collect();

    let source = node_source::load(&dir, None, &node)?;
    let network = Network::Flannel;
    let wanted = programs::wanted(&source.spec, &source.node, network);
    let found = programs::find(&wanted, &bin_dir, &out.with_extension("programs"));
    let programs = found.map_err(|problems| {
        let problems = problems.iter().map(ToString::to_string);
        problems.collect::<Vec<_>>().join("; ")
    })?;
    let spec = NodeSpec {
        cluster: source.spec,
        node: source.node,
        options: NodeOptions {
            dir,
            ca_dir: None,
            node,
            network,
            proxy_mode: ProxyMode::default(),
            bin_dir,
            ignore_preflight: vec![],
            kubeconfig: None,
        },
        facts: facts::read()?,
        programs,
        tree: source.tree,
        etcd: None,
    };
    let resources = component::resources(&spec, &Images::new(&spec))?;
    fs::create_dir_all(&out)?;
    let mut list = fs::File::create(out.join("resources.txt"))?;
    for resource in &resources {
        writeln!(
            list,
            "{} {} ({})",
            resource.stage,
            resource.id(),
            resource.why
        )?;
        write(&out, resource, &mut list)?;
    }
    Ok(())
}

fn write(out: &Path, resource: &Resource, list: &mut fs::File) -> std::io::Result<()> {
    let below = |path: &Path| out.join(path.strip_prefix("/").unwrap_or(path));
    match &resource.kind {
        Kind::Directory(directory) => {
            writeln!(list, "    {} {:?}", directory.mode, directory.owner)?;
            let path = below(&directory.path);
            // Parents that are nobody's here are as they are everywhere.
            fs::create_dir_all(path.parent().unwrap_or(out))?;
            let mut builder = fs::DirBuilder::new();
            builder.mode(directory.mode.bits().into());
            match builder.create(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            }
        }
        Kind::File(file) => {
            writeln!(list, "    {} {:?}", file.mode, file.owner)?;
            let path = below(&file.path);
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(true);
            let mut made = options.mode(file.mode.bits().into()).open(path)?;
            made.write_all(file.contents.secret_bytes())
        }
        Kind::Service(service) => writeln!(
            list,
            "    {} {}\n    {:?}",
            service.program.display(),
            service.arguments.join(" "),
            service.environment
        ),
        other => writeln!(list, "    {other:?}"),
    }
}
