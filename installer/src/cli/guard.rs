//! What protects the keys in this process's memory, also when something goes wrong.

use installer::machine::Problem;
use rustix::process::{DumpableBehavior, Resource, Rlimit};

use super::output::Failure;

/// No memory of this process is ever written down (core(5)).
pub fn forbid_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        // Left as it is: the supervisor's services, and in the end pods, inherit it.
        maximum: rustix::process::getrlimit(Resource::Core).maximum,
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
            .map_or_else(String::new, |place| format!(", at {place}"));
        let hint = "please report it, with the command and the version (kinstall --version)";
        Failure::from(Problem {
            fact: format!("a bug in kinstall{place}"),
            hint: Some(hint.into()),
        })
        .print();
    }));
}
