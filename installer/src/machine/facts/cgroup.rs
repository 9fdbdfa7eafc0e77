//! Which control groups there are.

use std::io;
use std::path::Path;

use super::unreadable;
use crate::desired::CgroupVersion;
use crate::machine::EffectError;

/// CGROUP2_SUPER_MAGIC of linux/magic.h.
const CGROUP2: u64 = 0x6367_7270;

/// As the kubelet and containerd decide it: by the file system at `/sys/fs/cgroup`. With the hybrid layout that is a
/// tmpfs, and the controllers are in hierarchies of version 1 below it.
pub(super) fn version() -> Result<CgroupVersion, EffectError> {
    let path = Path::new("/sys/fs/cgroup");
    let system =
        rustix::fs::statfs(path).map_err(|error| unreadable(path, &io::Error::from(error)))?;
    Ok(if system.f_type as u64 == CGROUP2 {
        CgroupVersion::V2
    } else {
        CgroupVersion::V1
    })
}
