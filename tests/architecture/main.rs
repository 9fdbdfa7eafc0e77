//! The rooms of pki-core, and who may enter: `converge -> cluster -> x509`, never back. What a design says
//! and nothing checks is soon no longer so.
#![allow(missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace").to_owned()
}

/// Every Rust file below a folder of the workspace.
fn files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&workspace().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no Rust files");
    found
}

fn collect(path: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(path).expect("a folder of the workspace") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(workspace()).expect("below it");
            let text = fs::read_to_string(&path).expect("readable");
            found.push((name.display().to_string(), text));
        }
    }
}

/// What is compiled into the library: no comments, and nothing from `#[cfg(test)]` on, which closes a file.
fn code(text: &str) -> String {
    let end = text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .filter(|line| !line.trim_start().starts_with("//"));
    end.collect::<Vec<_>>().join("\n")
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/") || name.ends_with("/tests.rs")
}

/// Lines of the library's code below `folder` that hold one of `words`, except in files that may.
fn mentions(folder: &str, words: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in files(folder) {
        if is_test(&name) || allowed.iter().any(|allowed| name.starts_with(allowed)) {
            continue;
        }
        for line in code(&text).lines() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    found
}

#[track_caller]
fn none(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn x509_knows_nothing_of_kubernetes() {
    let words = [
        "crate::cluster",
        "crate::converge",
        "super::super::cluster",
        "kubeconfig",
        "Kubeconfig",
    ];
    none(mentions("pki-core/src/x509", &words, &[]));
}

#[test]
fn cluster_knows_nothing_of_disks() {
    none(mentions("pki-core/src/cluster", &["crate::converge"], &[]));
}

#[test]
fn only_layout_knows_rcgen() {
    none(mentions(
        "pki-core/src",
        &["rcgen"],
        // The other one lends an authority to those who use rcgen themselves.
        &[
            "pki-core/src/x509/layout.rs",
            "pki-core/src/x509/layout/",
            "pki-core/src/x509/interop.rs",
        ],
    ));
    none(mentions("pki-cli/src", &["rcgen"], &[]));
}

#[test]
fn only_converge_touches_files() {
    let words = [
        "std::fs",
        "rustix::",
        "std::env",
        "std::process",
        "tempfile",
        "File::open",
    ];
    none(mentions(
        "pki-core/src",
        &words,
        &["pki-core/src/converge/"],
    ));
}

/// Time and randomness are arguments of everything that is pure.
#[test]
fn no_clock_in_the_library() {
    let words = ["now_utc()", "SystemTime::now", "Instant::now", "now_local"];
    none(mentions(
        "pki-core/src",
        &words,
        // Waiting for a peer and for a lock has an end.
        &[
            "pki-core/src/converge/store/",
            "pki-core/src/converge/dial.rs",
            "pki-core/src/converge/served.rs",
        ],
    ));
}

/// A library that is used in a test or a controller brings no runtime and no command line.
#[test]
fn the_library_has_no_runtime_and_no_command_line() {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "pki-core",
            "-e",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && tree.contains("rustls v"),
        "{output:?}"
    );
    for name in ["tokio", "clap", "async-std", "reqwest", "hyper", "anyhow"] {
        assert!(
            !tree
                .lines()
                .any(|line| line.starts_with(&format!("{name} v"))),
            "{name}:\n{tree}"
        );
    }
}

#[test]
fn the_library_never_prints() {
    none(mentions(
        "pki-core/src",
        &["println!", "print!", "eprintln!"],
        &[],
    ));
}

#[test]
fn no_test_is_put_aside() {
    for folder in ["pki-core", "pki-cli", "installer", "tests"] {
        let aside = concat!("#[ig", "nore");
        for (name, text) in files(folder) {
            assert!(!text.contains(aside), "{name} has a test that does not run");
        }
    }
}

/// A file is one idea. Tests beside the code do not count.
#[test]
fn files_stay_short() {
    for folder in ["pki-core/src", "pki-cli/src", "tests"] {
        for (name, text) in files(folder) {
            let lines = code(&text).lines().count();
            assert!(
                is_test(&name) || lines <= 600,
                "{name} has {lines} lines of code"
            );
        }
    }
}

/// The rules above are asked of code only, and are asked.
#[test]
fn the_rules_see_code_and_nothing_else() {
    let text = "// rcgen\nuse a;\n#[cfg(test)]\nmod tests {\n    use rcgen;\n}\n";
    assert_eq!(code(text), "use a;");
    assert!(!mentions("pki-core/src/x509", &["rcgen"], &[]).is_empty());
    assert!(!mentions("pki-core/src", &["rustix::"], &[]).is_empty());
}
