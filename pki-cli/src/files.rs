//! Reading files that may hold keys.

use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::output::errors::Failure;

/// The largest bundle of roots in use has a quarter of a megabyte.
const LARGEST: u64 = 16 << 20;

/// The bytes of a file, wiped when dropped.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error| Failure::io(path, &error);
    let file = std::fs::File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    read_from(file, size, path)
}

/// What comes over standard input.
pub fn read_stdin() -> Result<Zeroizing<Vec<u8>>, Failure> {
    // Read in one buffer that is large enough from the start, where the usual things come.
    const USUAL: u64 = 64 << 10;
    read_from(std::io::stdin().lock(), USUAL, Path::new("standard input"))
}

fn read_from(source: impl Read, size: u64, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // One byte over, so that the buffer need not grow and leave a piece of a key behind.
    let room = usize::try_from(size.min(LARGEST)).unwrap_or(0) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    source
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::io(path, &error))?;
    if bytes.len() as u64 > LARGEST {
        let text = format!("{}: more than {} MiB", path.display(), LARGEST >> 20);
        return Err(Failure::new(text).hint("name a file of certificates or keys"));
    }
    Ok(bytes)
}

/// Every regular file below a directory, in the order of their paths. Links to files are followed, links
/// to directories are not, since they may lead in circles.
pub fn below(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(dir).map_err(|error| Failure::io(dir, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Failure::io(dir, &error))?;
        let kind = entry
            .file_type()
            .map_err(|error| Failure::io(&entry.path(), &error))?;
        paths.push((entry.path(), kind));
    }
    paths.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (path, kind) in paths {
        if kind.is_dir() {
            files.extend(below(&path)?);
        } else if kind.is_file() || path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}
