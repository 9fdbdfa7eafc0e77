//! Passphrases of private keys: from a file, or typed on the terminal. Never from arguments or the
//! environment, which other users and child processes can read.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pki_core::x509::{Passphrase, PrivateKey, PrivateKeyError};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::files;
use crate::output::errors::{self, Failure};

/// A terminal in its usual mode hands out no longer line (termios(3), canonical mode).
const LONGEST: usize = 4096;

/// A private key, and whether it was under a passphrase.
pub struct Opened {
    pub key: PrivateKey,
    pub was_encrypted: bool,
}

/// The private key in `text`, which was read from `path`; where it is encrypted, with the passphrase in
/// `file`, or else as typed.
pub fn open_key(text: &[u8], path: &Path, file: Option<&Path>) -> Result<Opened, Failure> {
    let told = |error: PrivateKeyError| {
        let hint = match &error {
            PrivateKeyError::WrongPassphrase => {
                "give the passphrase that this key was encrypted with"
            }
            PrivateKeyError::UnsupportedEncryption(_) => {
                "openssl pkcs8 -topk8 -in OLD -out NEW encrypts it in today's way"
            }
            _ => "name a private key as PEM (PKCS#8, PKCS#1 or SEC1)",
        };
        Failure::new(format_args!("{}: {error}", path.display())).hint(hint)
    };
    match PrivateKey::from_pem(text) {
        Err(PrivateKeyError::Encrypted) => {}
        Ok(key) => {
            return Ok(Opened {
                key,
                was_encrypted: false,
            });
        }
        Err(error) => return Err(told(error)),
    }
    let passphrase = known(path, file)?;
    Ok(Opened {
        key: PrivateKey::from_encrypted_pem(text, &passphrase).map_err(told)?,
        was_encrypted: true,
    })
}

/// The passphrase of the encrypted key in `path`: from `file`, or as typed.
pub fn known(path: &Path, file: Option<&Path>) -> Result<Passphrase, Failure> {
    match file {
        Some(file) => from_file(file),
        None => typed(&format!("passphrase of {}: ", path.display())),
    }
}

/// The passphrase for a key that is to be encrypted: from `file`, or typed twice.
pub fn choose(path: &Path, file: Option<&Path>) -> Result<Passphrase, Failure> {
    if let Some(file) = file {
        return from_file(file);
    }
    let first = typed(&format!("new passphrase of {}: ", path.display()))?;
    let second = typed("the same once more: ")?;
    if first.secret_text() != second.secret_text() {
        return Err(
            Failure::new("the two passphrases differ").hint("nothing was written; try again")
        );
    }
    Ok(first)
}

/// The first line of a file, without its end, as `openssl -passin file:` takes it.
fn from_file(path: &Path) -> Result<Passphrase, Failure> {
    let bytes = files::read(path)?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line)
        .map_err(|_| Failure::new(format_args!("{}: not UTF-8", path.display())))?;
    let passphrase = Passphrase::new(Zeroizing::new(text.to_owned())).map_err(|error| {
        Failure::new(format_args!("{}: {error}", path.display()))
            .hint("write the passphrase into its first line")
    })?;
    // Of a pipe, as in `--passphrase-file <(pass show ca)`, the mode says nothing.
    let shared = std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o077 != 0);
    if shared {
        errors::warn(format_args!(
            "{} can be read by others than its owner: chmod 600 {0}",
            path.display()
        ));
    }
    Ok(passphrase)
}

/// Asks on the terminal, wherever standard input and output go.
fn typed(question: &str) -> Result<Passphrase, Failure> {
    let terminal = File::options().read(true).write(true).open("/dev/tty");
    let mut terminal = terminal.map_err(|_| {
        Failure::new("a passphrase is needed, and there is no terminal to ask on")
            .hint("--passphrase-file FILE")
    })?;
    let failed = |error: std::io::Error| Failure::io(Path::new("/dev/tty"), &error);
    let silence = Silence::begin(&terminal).map_err(failed)?;
    terminal
        .write_all(errors::printable(question).as_bytes())
        .map_err(failed)?;
    let line = read_line(&mut terminal);
    drop(silence);
    let text = line.map_err(failed)?;
    Passphrase::new(text)
        .map_err(|error| Failure::new(error).hint("type the passphrase, then press Enter"))
}

/// One line of a terminal.
fn read_line(terminal: &mut File) -> std::io::Result<Zeroizing<String>> {
    // Never grown, so that no piece of it stays behind.
    let mut bytes = Zeroizing::new(vec![0; LONGEST]);
    let mut length = 0;
    while !bytes[..length].ends_with(b"\n") {
        let read = terminal.read(&mut bytes[length..])?;
        length += read;
        if read == 0 {
            break;
        }
    }
    let unusable = |what| Err(std::io::Error::new(std::io::ErrorKind::InvalidData, what));
    let line = &bytes[..length];
    match std::str::from_utf8(line.strip_suffix(b"\n").unwrap_or(line)) {
        Ok(_) if length == LONGEST => unusable("a line too long"),
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => unusable("not UTF-8"),
    }
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    fn begin(terminal: &File) -> std::io::Result<Self> {
        let terminal = terminal.try_clone()?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // But the cursor moves on at Enter.
        silent
            .local_modes
            .insert(LocalModes::ECHONL | LocalModes::ICANON);
        tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // Nothing is left to do where the terminal is gone.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
