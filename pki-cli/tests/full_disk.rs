//! A full disk under the figures for Prometheus: told, and what was there stays whole.
#![allow(missing_docs)]

use std::process::Command;

/// A file system of 16 KiB, full but for the old figures, in a namespace of its own.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=16k tmpfs full
printf '# HELP kpki_old The last time.\n' > full/kpki.prom
cat /dev/zero > full/rest 2>/dev/null || true
set +e
"$0" check leaf.crt --quiet --prometheus full/kpki.prom
echo "code $?"
cat full/kpki.prom
ls -A full
"#;

#[test]
fn figures_that_cannot_be_written_are_told_and_the_old_ones_stay() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("full")).unwrap();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/leaf.crt");
    std::fs::copy(fixture, dir.path().join("leaf.crt")).unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT])
        .arg(env!("CARGO_BIN_EXE_kpki"))
        .current_dir(dir.path())
        .env("NO_COLOR", "1")
        .output()
        .expect("unshare (util-linux)");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        told.starts_with("error: full/kpki.prom: No space left on device"),
        "{told}{text}"
    );
    assert!(
        text.contains("db.test"),
        "not in silence, for all that --quiet says: {text}"
    );
    assert!(
        text.ends_with("code 2\n# HELP kpki_old The last time.\nkpki.prom\nrest\n"),
        "{text}"
    );
}
