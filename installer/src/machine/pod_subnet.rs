//! The file that tells the CNI plugin which addresses pods get, before flanneld writes it.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

/// The largest packet of an interface, in bytes.
pub(crate) fn mtu(interface: &str) -> Option<u32> {
    let file = Path::new("/sys/class/net").join(interface).join("mtu");
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Puts `text` at `path`, all of it at once, with flanneld's modes. A file that is there is flanneld's, and stays.
///
/// # Errors
/// When there is one already, or the system does not take it.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(directory)?;
    let mut file = tempfile::Builder::new()
        .prefix(".subnet")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.persist_noclobber(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("flannel/subnet.env");
        write(&path, "first").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(
            write(&path, "second").unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        let left = fs::read_dir(root.path().join("flannel")).unwrap();
        assert_eq!(left.count(), 1);
    }

    #[test]
    fn loopback_has_a_size_and_nothing_has_none() {
        assert!(mtu("lo").is_some_and(|bytes| bytes >= 1280));
        assert_eq!(mtu("no-such-interface"), None);
    }
}
