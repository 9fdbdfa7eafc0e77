//! Passphrases of bundles: from a file or standard input. Never from arguments or the environment, which others can read.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use installer::machine::Problem;
use pki_core::x509::Passphrase;
use zeroize::Zeroizing;

use super::output::{self, Failure};

/// No passphrase is longer.
const LONGEST: usize = 4096;

/// The first line of a file, without its end. `-` is standard input.
pub fn read(path: &Path) -> Result<Passphrase, Failure> {
    let failed = |error: std::io::Error| Failure::from(Problem::io(path, &error));
    let bytes = if path == Path::new("-") {
        first(std::io::stdin().lock()).map_err(failed)?
    } else {
        let file = File::open(path).map_err(failed)?;
        let data = file.metadata().map_err(failed)?;
        // Of a pipe the mode says nothing.
        if data.is_file() && data.permissions().mode() & 0o077 != 0 {
            let path = path.display();
            output::warn(format_args!(
                "{path} can be read by others than its owner: chmod 600 {path}"
            ));
        }
        first(file).map_err(failed)?
    };
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let wrong = |what: &str| {
        let fact = format!("{}: {what}", path.display());
        Failure::new(fact, "write the passphrase into its first line")
    };
    if line.len() == LONGEST {
        return Err(wrong("its first line is too long"));
    }
    let text = std::str::from_utf8(line).map_err(|_| wrong("not UTF-8"))?;
    Passphrase::new(Zeroizing::new(text.to_owned())).map_err(|error| wrong(&error.to_string()))
}

fn first(source: impl Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    // Never grown, so that no piece of it stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    source.take(LONGEST as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
