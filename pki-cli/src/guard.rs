//! What protects the keys in this process's memory, also when something goes wrong.

use rustix::process::{DumpableBehavior, Resource, Rlimit};

use crate::output::errors;

/// No memory of this process is ever written down: neither to a file (the limit) nor through a pipe to
/// a collector, which the limit does not hold back (core(5)), but the flag does.
pub fn forbid_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Where the system refuses, nothing worse happens than with any other program.
    let _ = rustix::process::setrlimit(Resource::Core, none);
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// A panic is our mistake. Its message might quote what we were working on, so only its place is told.
pub fn speak_of_bugs() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "an unknown place".into(), ToString::to_string);
        errors::Failure::new(format!("a bug in kpki, at {place}"))
            .hint("please report it, with the command and the version (kpki --version)")
            .print();
    }));
}
