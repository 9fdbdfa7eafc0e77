//! Disks without room.

use tests::machine::Machine;

use crate::place::Place;

/// Less than any component's image, more than all that is written before the first.
const LEFT: u64 = 100;

pub fn full(place: &Place<'_>) {
    let filled = Filled::new(&place.node.machine);
    place.refuses(&[
        "disk-space: ",
        "MiB are free for /var/lib/etcd, ",
        "make room",
    ]);
    drop(filled);
    place.is_mended();
}

/// What preflight would have told comes later than preflight.
pub fn fills(place: &Place<'_>) {
    let _filled = Filled::new(&place.node.machine);
    let arguments: Vec<_> = place.node.arguments().collect();
    let arguments = [&arguments[..], &["--ignore-preflight", "disk-space"]].concat();
    place.refuses_with(&arguments, &["no space left on device", "make room"]);
}

/// A file that takes nearly all of a machine's disk, until it is dropped.
struct Filled<'a>(&'a Machine<'a>);

impl<'a> Filled<'a> {
    /// Blocks that are taken and not written cost nothing on the machine that runs this.
    fn new(machine: &'a Machine<'a>) -> Self {
        machine.shell(&format!(
            "free=$(df --output=avail -B1M /var | tail -n 1); fallocate -l $((free - {LEFT}))M /var/tmp/fill"
        ));
        Self(machine)
    }
}

impl Drop for Filled<'_> {
    fn drop(&mut self) {
        let ended = self.0.run("rm", &["/var/tmp/fill"]);
        assert!(ended.code == Some(0) || std::thread::panicking(), "{ended}");
    }
}
