//! Whether a bundle is for this machine. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Bundle, BundleError, Manifest};

/// What of a machine a bundle has to suit.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Which node of kinstall's it is already.
    pub node: Option<String>,
    /// Which node the command line says that it is.
    pub wanted_node: Option<String>,
    /// Which cluster the command line says that it is of.
    pub wanted_cluster: Option<String>,
    /// SHA-256 of the programs that it has, by name, where the bundle has digests alone.
    pub programs: BTreeMap<String, String>,
}

/// Refuses a bundle that is for another machine.
///
/// # Errors
/// What it is for, and what the machine is: [`BundleError`].
pub fn suits(bundle: &Bundle, machine: &Machine) -> Result<(), BundleError> {
    let path = || bundle.path.clone();
    let manifest = &bundle.manifest;
    for (what, is, wanted) in [
        ("node", &manifest.node, &machine.wanted_node),
        ("cluster", &manifest.cluster, &machine.wanted_cluster),
    ] {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != is) {
            return Err(BundleError::Other {
                path: path(),
                what,
                is: is.clone(),
                wanted: wanted.clone(),
            });
        }
    }
    let addresses = bundle.node.addresses();
    if !addresses
        .iter()
        .any(|address| machine.addresses.contains(address))
    {
        return Err(BundleError::OtherMachine {
            path: path(),
            node: manifest.node.clone(),
            addresses: addresses.to_vec(),
            here: machine.addresses.clone(),
        });
    }
    if let Some(is) = machine.node.as_ref().filter(|is| **is != manifest.node) {
        return Err(BundleError::AlreadyNode {
            path: path(),
            node: manifest.node.clone(),
            is: is.clone(),
        });
    }
    if manifest.architecture != std::env::consts::ARCH {
        return Err(BundleError::Architecture {
            path: path(),
            wanted: manifest.architecture.clone(),
            here: std::env::consts::ARCH,
        });
    }
    if manifest.has_programs() {
        return Ok(());
    }
    let others = others(manifest, &machine.programs);
    if others.is_empty() {
        Ok(())
    } else {
        Err(BundleError::OtherPrograms(others))
    }
}

/// What is wrong with each program that is missing or another.
fn others(manifest: &Manifest, here: &BTreeMap<String, String>) -> Vec<String> {
    let programs = manifest.programs.iter();
    let told = programs.filter_map(|program| {
        let version = match program.version.as_str() {
            "" => String::new(),
            version => format!(" {version}"),
        };
        let wanted = format!("{}{version}, sha256:{}", program.name, program.sha256);
        match here.get(&program.name) {
            None => Some(format!("{wanted}: missing")),
            Some(is) if *is != program.sha256 => {
                Some(format!("{wanted}: here is another, sha256:{is}"))
            }
            Some(_) => None,
        }
    });
    told.collect()
}
