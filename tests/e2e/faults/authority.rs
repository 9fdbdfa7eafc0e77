//! Clusters' directories whose certificates do not do here, and whose keys are elsewhere.

use std::fs;
use std::path::Path;

use installer::machine::node_source::{MakeOptions, Mode, Request, open};
use tests::machine::Machine;
use time::{Duration, OffsetDateTime};

use crate::place::Place;

/// As long as the authorities of a new cluster live, and a little more.
const LIFE: Duration = Duration::days(3660);

pub fn certificate_without_address(place: &Place<'_>) {
    let machine = &place.node.machine;
    make(
        machine,
        "/root/moved",
        "192.0.2.77",
        OffsetDateTime::now_utc(),
    );
    let file = machine.path("/root/moved/cluster.toml");
    let text = fs::read_to_string(&file).expect("made");
    fs::write(&file, text.replace("192.0.2.77", "192.0.2.11")).expect("written");
    machine.shell("cp -a /root/moved /root/with-keys; find /root/moved -name '*ca.key' -delete");
    let others: Vec<_> = place.node.arguments().collect();
    let arguments = |dir| [&others[..], &["--dir", dir]].concat();
    place.refuses_with(
        &arguments("/root/moved"),
        &[
            "cannot be mended here: the key of authority ca is not at ca/ca.key",
            "node1/apiserver: not valid for 192.0.2.11",
            "--ca-dir",
        ],
    );
    // As the hint says.
    machine.shell("cp -a /root/with-keys/ca /root/keys");
    let mended = [&arguments("/root/moved")[..], &["--ca-dir", "/root/keys"]].concat();
    place.is_mended_with(&mended);
}

pub fn expired(place: &Place<'_>) {
    let machine = &place.node.machine;
    let then = OffsetDateTime::now_utc() - LIFE;
    make(machine, "/root/old", "192.0.2.11", then);
    let others: Vec<_> = place.node.arguments().collect();
    let arguments = [&others[..], &["--dir", "/root/old"]].concat();
    machine.shell("cp -a /root/old/ca /root/old-keys; find /root/old -name '*ca.key' -delete");
    place.refuses_with(&arguments, &["ca: it expired at", "--ca-dir"]);
    // Whoever has its key can renew it.
    let mended = [&arguments[..], &["--ca-dir", "/root/old-keys"]].concat();
    place.is_mended_with(&mended);
}

/// A cluster of this machine at that address, as kinstall would have made it at that time.
fn make(machine: &Machine<'_>, dir: &str, address: &str, now: OffsetDateTime) {
    let request = Request {
        dir: machine.path(Path::new(dir)),
        ca_dir: None,
        options: MakeOptions {
            service_cidrs: vec!["10.3.0.0/24".to_owned()],
            addresses: vec![address.to_owned()],
            node: Some("node1".to_owned()),
            ..MakeOptions::default()
        },
    };
    let made = open(&request, Mode::Write, now);
    if let Err(error) = made {
        panic!("{:?}", error.problems());
    }
}
