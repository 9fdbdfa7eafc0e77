//! Becomes etcd in etcd's container, unless it has no data and nobody has let it begin without.
//!
//! ```text
//! kinstall-etcd /var/lib/etcd /usr/local/bin/etcd --name=cp1 ...
//! ```

#[path = "../machine/etcd_data/leave.rs"]
mod leave;

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, program, arguments @ ..] = arguments.as_slice() else {
        eprintln!("kinstall-etcd: two arguments are wanted, and etcd's own: DATA PROGRAM");
        return ExitCode::from(2);
    };
    if let Err(reason) = leave::may_start(Path::new(data), arguments) {
        eprintln!("kinstall-etcd: {reason}");
        return ExitCode::FAILURE;
    }
    // It only comes back where it fails.
    let error = Command::new(program).args(arguments).exec();
    eprintln!("kinstall-etcd: {program}: {error}");
    ExitCode::FAILURE
}
