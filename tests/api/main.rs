//! pki-core's public API, held against the listing that was reviewed: pki-core/public-api.txt.
//!
//! What is not in the listing is new; what is gone from it breaks somebody. Either has to be seen in review, so either fails here until
//! the listing is written anew: `SNAPSHOTS=overwrite cargo test -p tests --test api`. There is no release yet that cargo-semver-checks
//! could compare with; the listing is the baseline until there is one.
#![allow(missing_docs)]

use std::path::Path;
use std::process::Command;

use public_api::Builder;
use tests::command::succeed;

#[test]
fn the_public_api_is_the_one_that_was_reviewed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = tempfile::tempdir().expect("a directory");
    // rustdoc's JSON is not stable yet; the variable lets a stable one write it. Only rustdoc gets it: seen by build scripts, it
    // would build every dependency anew.
    let rustdoc = target.path().join("rustdoc");
    std::fs::write(
        &rustdoc,
        "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n",
    )
    .expect("a script");
    succeed(Command::new("chmod").arg("+x").arg(&rustdoc));
    let build = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api");
    succeed(
        Command::new(env!("CARGO"))
            .args([
                "rustdoc",
                "--quiet",
                "-p",
                "pki-core",
                "--lib",
                "--target-dir",
            ])
            .arg(&build)
            .args([
                "--",
                "-Z",
                "unstable-options",
                "--output-format",
                "json",
                "--cap-lints",
                "allow",
            ])
            .env("RUSTDOC", &rustdoc)
            .current_dir(&root),
    );
    let api = Builder::from_rustdoc_json(build.join("doc/pki_core.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .unwrap_or_else(|error| {
            panic!("{error}\nhint: public-api in tests/Cargo.toml has to fit rustc's rustdoc JSON")
        });
    let now = format!("{api}");
    let file = root.join("pki-core/public-api.txt");
    if std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite") {
        std::fs::write(&file, &now).expect("the listing is written");
    }
    let reviewed = std::fs::read_to_string(&file).unwrap_or_default();
    let lines = |text: &str| {
        text.lines()
            .map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let (now, reviewed) = (lines(&now), lines(&reviewed));
    let gone: Vec<_> = reviewed.difference(&now).collect();
    let new: Vec<_> = now.difference(&reviewed).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "gone, which breaks users: {gone:#?}\nnew: {new:#?}\nhint: look at both, then SNAPSHOTS=overwrite cargo test -p tests --test api"
    );
    assert!(
        now.len() > 500,
        "only {} lines: was all of it listed?",
        now.len()
    );
}
