//! etcd's data on this machine, and the leave to begin without.
//!
//! An etcd that lost its data and is started again with the flags of its first start would begin a new, empty cluster, or
//! take part in its old one under its old number without remembering what it had promised: both lose what was acknowledged. So
//! in its container `kinstall-etcd` starts it, and without data only with a leave that kinstall has written for just these
//! flags.

mod leave;

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use crate::desired::Owner;

pub use leave::{is_there, may_start, take_leave};
use leave::{leave, text};

/// Lets etcd begin without data, with just these arguments.
///
/// # Errors
/// When it cannot be written.
pub fn give_leave(data: &Path, arguments: &[String], owner: Owner) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".kinstall-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(data)?;
    file.write_all(text(arguments).as_bytes())?;
    chown(file.path(), Some(owner.user), Some(owner.group))?;
    file.persist(leave(data))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn arguments(state: &str) -> Vec<String> {
        vec![
            "--name=cp1".into(),
            format!("--initial-cluster-state={state}"),
        ]
    }

    fn me() -> Owner {
        Owner {
            user: rustix::process::geteuid().as_raw(),
            group: rustix::process::getegid().as_raw(),
        }
    }

    fn data() -> (tempfile::TempDir, PathBuf) {
        let scratch = tempfile::tempdir().unwrap();
        let data = scratch.path().join("etcd");
        fs::create_dir(&data).unwrap();
        (scratch, data)
    }

    fn fill(data: &Path) {
        fs::create_dir_all(data.join("member/wal")).unwrap();
        fs::write(
            data.join("member/wal/0000000000000000-0000000000000000.wal"),
            "",
        )
        .unwrap();
    }

    #[test]
    fn data_are_what_etcd_would_start_from() {
        let (_scratch, data) = data();
        assert!(!is_there(&data.join("none")).unwrap());
        fs::create_dir_all(data.join("member/wal")).unwrap();
        fs::write(data.join("member/wal/0.tmp"), "").unwrap();
        assert!(!is_there(&data).unwrap());
        fill(&data);
        assert!(is_there(&data).unwrap());
    }

    #[test]
    fn without_data_it_starts_only_with_leave_for_its_flags() {
        let (_scratch, data) = data();
        let refused = may_start(&data, &arguments("new")).unwrap_err();
        assert!(refused.contains("not given it leave"), "{refused}");
        give_leave(&data, &arguments("existing"), me()).unwrap();
        // The pod of before, started again meanwhile.
        let refused = may_start(&data, &arguments("new")).unwrap_err();
        assert!(refused.contains("other flags"), "{refused}");
        assert_eq!(may_start(&data, &arguments("existing")), Ok(()));
        // It may end before it has data, and be started again.
        assert_eq!(may_start(&data, &arguments("existing")), Ok(()));
        let mode = fs::metadata(leave(&data)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn leave_goes_when_there_are_data_and_they_are_not_begun_twice() {
        let (_scratch, data) = data();
        give_leave(&data, &arguments("new"), me()).unwrap();
        fill(&data);
        assert_eq!(may_start(&data, &arguments("new")), Ok(()));
        assert!(!leave(&data).exists());
        fs::remove_dir_all(data.join("member")).unwrap();
        assert!(may_start(&data, &arguments("new")).is_err());
        take_leave(&data).unwrap();
    }
}
