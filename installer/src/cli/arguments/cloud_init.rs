//! `kinstall cloud-init`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use installer::bundle::WebAddress;

const EXAMPLES: &str = "\
Examples:
  kinstall cloud-init w1 --bundle w1.bundle --bundle-url https://files.example/w1.bundle > w1.user-data
  kinstall cloud-init w1 --bundle w1.bundle --passphrase-file passphrase --bundle-url https://files.example/w1.bundle \\
    --kinstall-url https://files.example/kinstall --passphrase-path /mnt/secret/passphrase
  kinstall cloud-init w1 --bundle w1.bundle --bundle-path /mnt/w1.bundle
  kinstall cloud-init w1 --bundle w1-digests.bundle --embed --out w1.user-data";

/// Write the user-data by which a machine that provisions itself with cloud-init becomes a node.
///
/// It says where the machine gets the bundle, the bundle's digest, and the commands: fetch it with curl, take kinstall
/// out, kinstall node --bundle. User-data can be read by whoever can ask the cloud for it, often every process on the
/// machine: so no key is in it, but with --embed. Who can fetch the bundle has the node's keys: encrypt it, or let only
/// that machine fetch it, for a short time. The machine starts when it likes; it waits for its control plane.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
#[command(group = ArgGroup::new("place").required(true))]
pub struct CloudInit {
    /// The node that the machine becomes.
    #[arg(value_name = "NODE")]
    pub node: String,
    /// Its bundle, as kinstall bundle wrote it: it is checked, and its digest is what the machine holds it to.
    #[arg(long, value_name = "FILE")]
    pub bundle: PathBuf,
    /// The bundle's passphrase is in the first line of this file; - reads standard input. It goes nowhere.
    #[arg(long, value_name = "FILE", requires = "passphrase_path")]
    pub passphrase_file: Option<PathBuf>,
    /// Where the machine fetches the bundle.
    #[arg(long, value_name = "URL", group = "place")]
    pub bundle_url: Option<WebAddress>,
    /// Where the machine has the bundle already, as on a volume.
    #[arg(long, value_name = "PATH", group = "place", value_parser = absolute)]
    pub bundle_path: Option<PathBuf>,
    /// Put the bundle itself into the user-data: one of digests alone, since user-data is small.
    #[arg(long, group = "place")]
    pub embed: bool,
    /// Where the machine has the passphrase: put there by its image, or by what keeps its secrets.
    #[arg(long, value_name = "PATH", requires = "passphrase_file", value_parser = absolute)]
    pub passphrase_path: Option<PathBuf>,
    /// Where the machine fetches kinstall, the one of the bundle [default: out of the bundle; of an encrypted bundle or
    /// one of digests, the machine's own].
    #[arg(long, value_name = "URL")]
    pub kinstall_url: Option<WebAddress>,
    /// Where on the machine programs are looked for first (repeatable).
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    pub bin_dir: Vec<PathBuf>,
    /// Write it to this file, mode 0600 [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace a file of that name.
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// A path on another machine.
fn absolute(text: &str) -> Result<PathBuf, &'static str> {
    let is_plain = text.starts_with('/') && !text.chars().any(char::is_control);
    if is_plain {
        Ok(text.into())
    } else {
        Err("an absolute path on that machine")
    }
}
