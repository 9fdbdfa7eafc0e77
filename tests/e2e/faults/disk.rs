//! Disks without room.

use crate::place::Place;

/// Less than any component's image, more than all that is written before the first.
const LEFT: u64 = 100;

pub fn full(place: &Place<'_>) {
    fill(place);
    place.refuses(&[
        "disk-space: ",
        "MiB are free for /var/lib/etcd, ",
        "make room",
    ]);
    empty(place);
    place.is_mended();
}

/// What preflight would have told comes later than preflight.
pub fn fills(place: &Place<'_>) {
    fill(place);
    let arguments: Vec<_> = place.node.arguments().collect();
    let arguments = [&arguments[..], &["--ignore-preflight", "disk-space"]].concat();
    place.refuses_with(&arguments, &["no space left on device", "make room"]);
    empty(place);
}

/// Blocks that are taken and not written cost nothing on the machine that runs this.
fn fill(place: &Place<'_>) {
    place.node.machine.shell(&format!(
        "free=$(df --output=avail -B1M /var | tail -n 1); fallocate -l $((free - {LEFT}))M /var/tmp/fill"
    ));
}

fn empty(place: &Place<'_>) {
    place.node.machine.shell("rm /var/tmp/fill");
}
