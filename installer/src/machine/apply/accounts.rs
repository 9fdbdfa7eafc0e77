//! Users and groups, by the system's own programs.

use std::path::Path;
use std::time::Duration;

use crate::desired::Account;
use crate::machine::error::HostError;
use crate::machine::ledger::Before;
use crate::machine::program::{self, ProgramError};
use crate::machine::root::Root;

/// How often a program is called again while another holds the lock of `/etc/passwd`, and how long we wait
/// each time: a program that an interrupted kinstall had called needs well below a second.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

/// Makes a user and its group, or what is missing of both. Nobody can log in as that user.
pub(super) fn make(root: &Root, account: &Account) -> Result<(), HostError> {
    let number = account.id.to_string();
    let name = account.name.as_str();
    if !has(root, "/etc/group", name)? {
        let made = call(root, "groupadd", &["--system", "--gid", &number, name]);
        unless_there(root, "/etc/group", name, made)?;
    }
    if !has(root, "/etc/passwd", name)? {
        let shells = ["/usr/sbin/nologin", "/sbin/nologin"];
        let shell = shells
            .into_iter()
            .find(|shell| root.join(shell).exists())
            .unwrap_or("/bin/false");
        let arguments = [
            "--system",
            "--uid",
            &number,
            "--gid",
            name,
            "--no-create-home",
            "--home-dir",
            "/nonexistent",
            "--shell",
            shell,
            // Else lastlog and faillog grow to the number's size.
            "--no-log-init",
            name,
        ];
        let made = call(root, "useradd", &arguments);
        unless_there(root, "/etc/passwd", name, made)?;
    }
    Ok(())
}

/// A program that a killed kinstall had called may have done it just now.
fn unless_there(
    root: &Root,
    file: &str,
    name: &str,
    made: Result<(), HostError>,
) -> Result<(), HostError> {
    match made {
        Err(_) if has(root, file, name)? => Ok(()),
        other => other,
    }
}

/// Removes what of an account was not there before.
pub(in crate::machine) fn remove(
    root: &Root,
    name: &str,
    before: &Before,
) -> Result<(), HostError> {
    let (keep_user, keep_group) = match before {
        Before::Account { user, group } => (*user, *group),
        Before::Absent => (false, false),
        _ => (true, true),
    };
    if !keep_user && has(root, "/etc/passwd", name)? {
        // userdel(8) removes the group of that name with the user, when nobody else is in it.
        call(root, "userdel", &[name])?;
    }
    if !keep_user && !keep_group && has(root, "/etc/group", name)? {
        call(root, "groupdel", &[name])?;
    }
    Ok(())
}

fn has(root: &Root, file: &str, name: &str) -> Result<bool, HostError> {
    let path = root.join(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text
            .lines()
            .any(|line| line.split(':').next() == Some(name))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(HostError::io(&path, "cannot be read", error)),
    }
}

fn call(root: &Root, name: &str, arguments: &[&str]) -> Result<(), HostError> {
    let mut all: Vec<&Path> = Vec::new();
    if !root.is_machine() {
        all.extend([Path::new("--prefix"), root.path()]);
    }
    all.extend(arguments.iter().map(Path::new));
    for _ in 1..TRIES {
        match program::run(name, &all) {
            Err(ProgramError::Failed { output, .. }) if output.contains("cannot lock") => {
                std::thread::sleep(PAUSE);
            }
            other => return other.map(drop).map_err(Into::into),
        }
    }
    program::run(name, &all).map(drop).map_err(Into::into)
}
