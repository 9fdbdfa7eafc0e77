//! Requests as people make them, with `openssl req`.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::command::succeed;

pub const P256: &[&str] = &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/// A request with a new key of that kind.
pub fn request(
    dir: &Path,
    name: &str,
    key: &[&str],
    subject: &str,
    extensions: &[&str],
) -> PathBuf {
    let path = dir.join(format!("{name}.csr"));
    let mut command = Command::new("openssl");
    command.args(["req", "-new", "-nodes", "-utf8", "-multivalue-rdn"]);
    command
        .args(["-subj", subject, "-newkey", key[0]])
        .args(&key[1..]);
    command.arg("-keyout").arg(dir.join(format!("{name}.key")));
    command.arg("-out").arg(&path);
    for extension in extensions {
        command.args(["-addext", extension]);
    }
    succeed(&mut command);
    path
}
