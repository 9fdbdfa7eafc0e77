//! An image of one static program, as `ctr images import` takes it: made here, so that no registry is asked and the
//! workload does not come from the code under test.

use std::fs;
use std::path::Path;
use std::process::Command;

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::command::succeed;

/// Writes a tar archive to `file`: an image called `name` whose one file is `program`, at `/bin/`.
pub fn archive(name: &str, program: &Path, arguments: &[&str], file: &Path) {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let layout = scratch.path().join("layout");
    fs::create_dir_all(layout.join("blobs/sha256")).expect("a directory");
    let blob = |content: &[u8]| {
        let hex: String = digest(&SHA256, content)
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        fs::write(layout.join("blobs/sha256").join(&hex), content).expect("written");
        (format!("sha256:{hex}"), content.len())
    };
    let described = |kind: &str, (digest, size): (String, usize)| {
        json!({
            "mediaType": format!("application/vnd.oci.image.{kind}"),
            "digest": digest,
            "size": size,
        })
    };

    let layer = blob(&layer(program, scratch.path()));
    let file_name = program.file_name().and_then(|name| name.to_str());
    let command = format!("/bin/{}", file_name.expect("a plain name"));
    let configuration = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": { "Entrypoint": [command], "Cmd": arguments, "Env": ["PATH=/bin"] },
        "rootfs": { "type": "layers", "diff_ids": [layer.0] },
    });
    let configuration = blob(configuration.to_string().as_bytes());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("config.v1+json", configuration),
        "layers": [described("layer.v1.tar", layer)],
    });
    let mut manifest = described("manifest.v1+json", blob(manifest.to_string().as_bytes()));
    manifest["annotations"] = json!({ "io.containerd.image.name": name });
    write(
        &layout.join("index.json"),
        &json!({ "schemaVersion": 2, "manifests": [manifest] }),
    );
    write(
        &layout.join("oci-layout"),
        &json!({ "imageLayoutVersion": "1.0.0" }),
    );
    tar(&layout, file);
}

fn layer(program: &Path, scratch: &Path) -> Vec<u8> {
    let root = scratch.join("layer");
    fs::create_dir_all(root.join("bin")).expect("a directory");
    let name = program.file_name().expect("a program is a file");
    fs::copy(program, root.join("bin").join(name)).expect("a copy");
    let file = scratch.join("layer.tar");
    tar(&root, &file);
    fs::read(file).expect("just written")
}

fn tar(directory: &Path, file: &Path) {
    succeed(
        Command::new("tar")
            .args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0"])
            .args(["--numeric-owner", "--directory"])
            .arg(directory)
            .arg("--create")
            .arg("--file")
            .arg(file)
            .arg("."),
    );
}

fn write(file: &Path, value: &Value) {
    fs::write(file, value.to_string()).expect("written");
}

/// As Go and OCI call it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
