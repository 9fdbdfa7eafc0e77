//! An API server that ends as soon as it is started.

use std::fs;
use std::process::Command;

use tests::command::succeed;

use crate::place::Place;

/// It passes for a kube-apiserver until it is run, and is static: its image holds nothing else.
const PROGRAM: &str = r#"package main

import "os"

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		os.Stdout.WriteString("Kubernetes v1.37.2\n")
		return
	}
	os.Stderr.WriteString("Error: unknown flag: --nonsense\n")
	os.Exit(1)
}
"#;

pub fn crashes(place: &Place<'_>) {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let source = scratch.path().join("main.go");
    fs::write(&source, PROGRAM).expect("written");
    let built = scratch.path().join("kube-apiserver");
    let mut go = Command::new("go");
    go.env("CGO_ENABLED", "0").args(["build", "-o"]);
    succeed(go.arg(&built).arg(&source).current_dir(scratch.path()));
    place.put("kube-apiserver", &fs::read(built).expect("built"));
    place.refuses(&[
        "API server ready: not after",
        "started with a flag that it does not know",
        "Error: unknown flag: --nonsense",
        "another version",
    ]);
    place.take_back("kube-apiserver");
}
