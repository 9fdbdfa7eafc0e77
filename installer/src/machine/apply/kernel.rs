//! Sysctls and modules.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::Host;
use crate::desired::{Module, ResourceId, Sysctl, SysctlValue};
use crate::machine::effect::EffectError;
use crate::machine::error::HostError;
use crate::machine::ledger::Before;
use crate::machine::observe;
use crate::machine::program;
use crate::machine::root::Root;

impl Host {
    pub(super) fn set_sysctl(&mut self, id: &ResourceId, wanted: &Sysctl) -> Result<(), HostError> {
        let (SysctlValue::Exactly(value) | SysctlValue::AtLeast(value)) = wanted.value;
        let Some(now) = observe::sysctl(&self.root, &wanted.key)? else {
            return Err(EffectError {
                fact: format!("the kernel has no sysctl {}", wanted.key),
                hint: Some("use a kernel that has it, or load its module".to_owned()),
            }
            .into());
        };
        // It came with a module that was loaded since the machine was read.
        self.store.commit(|ledger| {
            if let Some(entry) = ledger.entry_mut(id)
                && entry.before == Before::Absent
            {
                entry.before = Before::Value(now);
            }
        })?;
        write_sysctl(&self.root, &wanted.key, &value.to_string())
    }
}

/// Sets a sysctl.
pub(in crate::machine) fn write_sysctl(
    root: &Root,
    key: &str,
    value: &str,
) -> Result<(), HostError> {
    let path = root.join(Path::new("/proc/sys").join(key));
    let fails = |error| HostError::io(&path, "cannot be set", error);
    let mut file = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&path)
        .map_err(fails)?;
    // One write(2): the kernel takes a value only whole.
    file.write_all(format!("{value}\n").as_bytes())
        .map_err(fails)
}

pub(super) fn load(root: &Root, module: &Module) -> Result<(), HostError> {
    let proof = root.join(&module.proof);
    if proof.exists() {
        return Ok(());
    }
    if !root.is_machine() {
        return Err(EffectError {
            fact: format!("{} does not exist", proof.display()),
            hint: None,
        }
        .into());
    }
    let said = match program::run("modprobe", &[&module.name]) {
        Ok(_) => String::new(),
        Err(error) => format!(": {error}"),
    };
    if proof.exists() {
        return Ok(());
    }
    let name = &module.name;
    Err(EffectError {
        fact: format!("the kernel has no module {name}{said}"),
        hint: Some(format!(
            "install the modules of the running kernel, or use a kernel with {name} built in"
        )),
    }
    .into())
}
