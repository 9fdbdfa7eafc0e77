//! A bundle that was changed, is another machine's, or is not the one that was meant: one error, and nothing was written.

use std::fs;

use crate::place::{OTHER, Place, WORKER, write_secret};

pub fn leaves_no_trace(place: &Place<'_>) {
    let passphrase = place.passphrase();
    let key = place.give(passphrase.as_ref());
    let (whole, _) = place.packed(WORKER, &["--passphrase-file", &passphrase]);
    let (other, _) = place.packed(OTHER, &["--digests"]);
    let scratch = place.pki.scratch("bundles");
    let bytes = fs::read(&whole).expect("it is there");

    let mut tampered = bytes.clone();
    tampered[bytes.len() / 2] ^= 1;
    let file = scratch.join("tampered");
    fs::write(&file, &tampered).expect("written");
    let tampered = place.give(&file);
    let file = scratch.join("cut");
    fs::write(&file, &bytes[..bytes.len() / 3 * 2]).expect("written");
    let cut = place.give(&file);
    let file = scratch.join("wrong");
    write_secret(&file, "correct horse battery stapler\n");
    let wrong = place.give(&file);
    let (other, own) = (place.give(&other), place.give(&whole));
    let digest = format!("sha256:{}", "0a".repeat(32));

    let cases: [(&[&str], &str); 8] = [
        (
            &["--bundle", &tampered, "--passphrase-file", &key],
            "is damaged: it was changed",
        ),
        (
            &["--bundle", &cut, "--passphrase-file", &key],
            "is damaged: it was changed",
        ),
        (
            &["--bundle", &other],
            "is for node node3 at 192.0.2.13, and this machine has 192.0.2.12",
        ),
        (
            &["--bundle", &own, "--passphrase-file", &wrong],
            "the passphrase is another one",
        ),
        (&["--bundle", &own], "is encrypted"),
        (
            &["--bundle", &other, "--passphrase-file", &key],
            "is not encrypted",
        ),
        (
            &[
                "--bundle",
                &own,
                "--passphrase-file",
                &key,
                "--digest",
                &digest,
            ],
            "has the digest sha256:",
        ),
        (
            &[
                "--bundle",
                &own,
                "--passphrase-file",
                &key,
                "--node",
                "node1",
            ],
            "is for node node2, and not for node1",
        ),
    ];
    for (arguments, wanted) in cases {
        let ended = place.kinstall(&[&["node"], arguments].concat());
        assert!(
            ended.code == Some(1) && ended.stderr.contains(wanted),
            "{wanted}: {ended}"
        );
        assert!(
            ended.stderr.contains("\nhint: ") && ended.stdout.is_empty(),
            "{ended}"
        );
        place.is_untouched();
    }
    // To look at what its own would do leaves nothing either.
    let look = [
        "node",
        "--bundle",
        &own,
        "--passphrase-file",
        &key,
        "--dry-run",
    ];
    let ended = place.kinstall(&look);
    assert!(
        ended.code == Some(1) && ended.stdout.contains("service kubelet"),
        "{ended}"
    );
    place.is_untouched();
    place.worker.shell("rm /root/*");
}
