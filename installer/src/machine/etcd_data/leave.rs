//! Whether etcd may start: with data always, without only with leave.
//!
//! Nothing but the standard library: `kinstall-etcd` is in an image, and is made of this file alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The leave, in the data directory: it goes with the data.
const LEAVE: &str = ".kinstall-begin";

/// Whether etcd has data in its directory: what it would start from, by its own rule (`wal.Exist`: a file `*.wal` in
/// `member/wal`).
///
/// # Errors
/// When the directory cannot be read. That it is not there is none.
pub fn is_there(data: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(data.join("member/wal")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    for entry in entries {
        if Path::new(&entry?.file_name()).extension() == Some("wal".as_ref()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes the leave back: there are data now. Without one there is nothing to do.
///
/// # Errors
/// When it cannot be removed.
pub fn take_leave(data: &Path) -> io::Result<()> {
    match fs::remove_file(leave(data)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether etcd may start with these arguments.
///
/// # Errors
/// Why not, in words.
pub fn may_start(data: &Path, arguments: &[String]) -> Result<(), String> {
    let place = data.display();
    if is_there(data).map_err(|error| format!("{place}: {error}"))? {
        // It was of use.
        let _ = take_leave(data);
        return Ok(());
    }
    match fs::read_to_string(leave(data)) {
        Ok(given) if given == text(arguments) => Ok(()),
        Ok(_) => Err(format!(
            "{place} has no data of etcd, and the leave to begin without is for other flags"
        )),
        Err(_) => Err(format!(
            "{place} has no data of etcd, and kinstall node has not given it leave to begin without"
        )),
    }
}

/// Where the leave is.
pub fn leave(data: &Path) -> PathBuf {
    data.join(LEAVE)
}

/// What the leave for these arguments says: one a line, for none has a line of its own in it.
pub fn text(arguments: &[String]) -> String {
    let mut text = arguments.join("\n");
    text.push('\n');
    text
}
