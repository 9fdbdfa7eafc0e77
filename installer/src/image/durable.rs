//! Images that survive a power cut.

use std::fs::File;
use std::path::Path;

use crate::machine::EffectError;

/// Puts on the disk what was unpacked in containerd's directory.
///
/// containerd itself leaves that to the kernel, which takes up to half a minute; without power before that, a program would be
/// empty in an image that containerd knows as whole, and no rerun would find it.
///
/// # Errors
/// When the disk does not take it.
pub fn sync(directory: &Path) -> Result<(), EffectError> {
    let synced = File::open(directory).and_then(|file| Ok(rustix::fs::syncfs(file)?));
    synced.map_err(|error| EffectError {
        fact: format!(
            "{}: what is in it may not be on the disk: {error}",
            directory.display()
        ),
        hint: Some("see dmesg for what the disk says; then run kinstall node again".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_or_an_error_that_names_it() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(sync(directory.path()).map_err(|error| error.fact), Ok(()));
        let error = sync(&directory.path().join("none")).expect_err("not there");
        assert!(error.fact.contains("none: what is in it"), "{}", error.fact);
    }
}
