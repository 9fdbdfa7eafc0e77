//! What is there of one resource, compared with what is wanted. Never the contents of files.

use std::path::Path;

use super::{Action, Verdict};
use crate::desired::{
    Account, Directory, File, Kind, Owner, Resource, Service, Symlink, Sysctl, SysctlValue,
};
use crate::machine::ledger::{Before, Entry};
use crate::machine::{Above, Found, ServiceState};

pub(super) fn compare(resource: &Resource, found: &Found, known: Option<&Entry>) -> Verdict {
    let verdict = match &resource.kind {
        Kind::Account(wanted) => account(wanted, found),
        Kind::Directory(wanted) => directory(wanted, found),
        Kind::File(wanted) => file(wanted, found),
        Kind::Symlink(wanted) => symlink(wanted, found),
        Kind::Sysctl(wanted) => sysctl(wanted, found),
        Kind::Module(_) => there(found, "is not loaded"),
        Kind::Image(_) => match (found, known) {
            // It was imported, and nobody can tell otherwise.
            (Found::Unknown, Some(_)) => Verdict::Fine,
            _ => there(found, "is not imported"),
        },
        Kind::Service(wanted) => service(wanted, found),
        // Announced in the ledger, which is no change of the machine.
        Kind::Trace(_) => Verdict::Fine,
    };
    let ours = known.is_some_and(|entry| entry.before != Before::Same);
    match verdict {
        Verdict::Differs(action, reasons) if action != Action::Create && !ours => {
            foreign(resource, found, action, reasons)
        }
        verdict => verdict,
    }
}

/// Of what we did not make, only some may be changed.
fn foreign(resource: &Resource, found: &Found, action: Action, reasons: Vec<String>) -> Verdict {
    let what = match (&resource.kind, found) {
        // These are brought back to what they were.
        (Kind::Directory(_) | Kind::Sysctl(_) | Kind::Account(_), _) => {
            return Verdict::Differs(action, reasons);
        }
        (Kind::Service(service), Found::Service(_)) => format!("the service {}", service.name),
        (Kind::File(File { path, .. }) | Kind::Symlink(Symlink { path, .. }), _) => {
            path.display().to_string()
        }
        _ => resource.id().to_string(),
    };
    Verdict::Blocked {
        fact: format!(
            "{what} is there and not of kinstall's making: {}",
            reasons.join(", ")
        ),
        hint: "move it away, or make it as wanted; then run again".to_owned(),
    }
}

/// What is wrong with a directory above something, and the hint.
pub(super) fn above(path: &Path, above: Above) -> Option<(String, String)> {
    let path = path.display();
    match above {
        Above::Missing | Above::Directory => None,
        Above::Symlink => Some((
            format!("{path} is a symbolic link, and a directory is needed there"),
            format!("make {path} a directory; to have it on another disk, mount that there"),
        )),
        Above::Other => Some((
            format!("{path} is no directory, and one is needed there"),
            format!("move {path} away, then run again"),
        )),
    }
}

fn there(found: &Found, reason: &str) -> Verdict {
    match found {
        Found::Absent | Found::Unknown => Verdict::Differs(Action::Create, vec![reason.to_owned()]),
        _ => Verdict::Fine,
    }
}

fn blocked(path: &Path, found: &Found, wanted: &str) -> Verdict {
    let is = match found {
        Found::Directory { .. } => "a directory",
        Found::Symlink(_) => "a symbolic link",
        Found::File { .. } => "a file",
        _ => "a device, a socket or a pipe",
    };
    let path = path.display();
    Verdict::Blocked {
        fact: format!("{path} is {is}, and {wanted} is needed there"),
        hint: format!("move {path} away, then run again"),
    }
}

fn differs(reasons: Vec<String>) -> Verdict {
    if reasons.is_empty() {
        Verdict::Fine
    } else {
        Verdict::Differs(Action::Update, reasons)
    }
}

fn absent() -> Verdict {
    Verdict::Differs(Action::Create, vec!["does not exist".to_owned()])
}

fn file(wanted: &File, found: &Found) -> Verdict {
    match found {
        Found::Absent => absent(),
        Found::File { mode, owner, same } => {
            let mut reasons = permissions(*mode, *owner, wanted.mode.bits(), wanted.owner);
            if !same {
                reasons.push("contents differ".to_owned());
            }
            differs(reasons)
        }
        found => blocked(&wanted.path, found, "a file"),
    }
}

fn directory(wanted: &Directory, found: &Found) -> Verdict {
    match found {
        Found::Absent => absent(),
        Found::Directory { mode, owner, .. } => {
            let bits = wanted.mode.bits();
            differs(permissions(*mode, *owner, bits, wanted.owner))
        }
        Found::Symlink(_) => match above(&wanted.path, Above::Symlink) {
            Some((fact, hint)) => Verdict::Blocked { fact, hint },
            None => Verdict::Fine,
        },
        found => blocked(&wanted.path, found, "a directory"),
    }
}

fn symlink(wanted: &Symlink, found: &Found) -> Verdict {
    match found {
        Found::Absent => absent(),
        Found::Symlink(target) if *target == wanted.target => Verdict::Fine,
        Found::Symlink(target) => differs(vec![format!(
            "leads to {}, wanted {}",
            target.display(),
            wanted.target.display()
        )]),
        found => blocked(&wanted.path, found, "a symbolic link"),
    }
}

fn permissions(mode: u32, owner: Owner, bits: u16, wanted: Owner) -> Vec<String> {
    let mut reasons = Vec::new();
    if mode != u32::from(bits) {
        reasons.push(format!("mode {mode:04o}, wanted {bits:04o}"));
    }
    if owner != wanted {
        reasons.push(format!(
            "owner {}:{}, wanted {}:{}",
            owner.user, owner.group, wanted.user, wanted.group
        ));
    }
    reasons
}

fn sysctl(wanted: &Sysctl, found: &Found) -> Verdict {
    let key = &wanted.key;
    let words = match wanted.value {
        SysctlValue::Exactly(value) => value.to_string(),
        SysctlValue::AtLeast(value) => format!("at least {value}"),
    };
    match found {
        Found::Sysctl(value) => {
            let number = value.parse::<i64>().ok();
            let fine = number.is_some_and(|number| match wanted.value {
                SysctlValue::Exactly(value) => number == value,
                SysctlValue::AtLeast(value) => number >= value,
            });
            if fine {
                return Verdict::Fine;
            }
            differs(vec![format!("{key} is {value}, wanted {words}")])
        }
        _ => Verdict::Differs(
            Action::Create,
            vec![format!("{key} is not there yet, wanted {words}")],
        ),
    }
}

fn account(wanted: &Account, found: &Found) -> Verdict {
    let Account { name, id } = wanted;
    let Found::Account {
        user,
        group,
        user_with_number,
        group_with_number,
    } = found
    else {
        return absent();
    };
    let taken = |what: &str, fact: String| Verdict::Blocked {
        fact,
        hint: format!("remove that {what}, or give it another number; then run again"),
    };
    match user {
        // One that was there before keeps its group, whichever that is.
        Some((number, _)) if number == id => return Verdict::Fine,
        Some((number, _)) => {
            let fact = format!("the user {name} has number {number}, wanted {id}");
            return taken("user", fact);
        }
        None => {}
    }
    if let Some(other) = user_with_number {
        return taken(
            "user",
            format!("the user {other} has number {id}, wanted for {name}"),
        );
    }
    match (group, group_with_number) {
        (Some(number), _) if number != id => {
            let fact = format!("the group {name} has number {number}, wanted {id}");
            taken("group", fact)
        }
        (None, Some(other)) => {
            let fact = format!("the group {other} has number {id}, wanted for {name}");
            taken("group", fact)
        }
        (Some(_), _) => Verdict::Differs(
            Action::Create,
            vec!["its group exists, the user does not".to_owned()],
        ),
        (None, None) => absent(),
    }
}

fn service(wanted: &Service, found: &Found) -> Verdict {
    let Found::Service(state) = found else {
        return Verdict::Differs(Action::Create, vec!["is not installed".to_owned()]);
    };
    let ServiceState {
        definition: is,
        running,
        process,
        ..
    } = &**state;
    let fields = [
        ("description", is.description == wanted.description),
        ("program", is.program == wanted.program),
        ("arguments", is.arguments == wanted.arguments),
        ("environment", is.environment == wanted.environment),
        ("order", is.after == wanted.after),
        ("time to stop", is.stop_seconds == wanted.stop_seconds),
    ];
    let different = fields.iter().filter(|(_, same)| !same);
    let mut reasons: Vec<_> = different
        .map(|(field, _)| format!("{field} changed"))
        .collect();
    let redefined = !reasons.is_empty();
    if is.inputs != wanted.inputs {
        reasons.push("its inputs changed: restart".to_owned());
    } else if !running {
        let words = match process {
            Some(_) => "runs with an older definition: restart",
            None => "is not running",
        };
        reasons.push(words.to_owned());
    }
    match (redefined, reasons.is_empty()) {
        (true, _) => Verdict::Differs(Action::Update, reasons),
        (false, false) => Verdict::Differs(Action::Restart, reasons),
        (false, true) => Verdict::Fine,
    }
}
