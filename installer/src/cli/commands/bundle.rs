//! `kinstall bundle`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use installer::bundle::{self, Carried, Gathered, Manifest, Packed};
use installer::desired::layout;
use installer::install::{self, Watcher as _, Wishes};
use serde::Serialize;

use crate::cli::arguments::Bundle;
use crate::cli::output::{self, Failure, GOOD, Outcome, STRONG, WEAK};
use crate::cli::passphrase;
use crate::cli::progress::Progress;

/// Packs a node's bundle.
pub fn run(arguments: Bundle) -> Result<Outcome, Failure> {
    let request = request(&arguments)?;
    let passphrase = arguments.passphrase_file.as_deref();
    let passphrase = passphrase.map(passphrase::read).transpose()?;
    let mut progress = Progress::begin();
    progress.now("looking at the programs");
    let gathered = bundle::gather(&request)?;
    let (as_json, Some(out)) = (arguments.json, arguments.out.filter(|_| !arguments.dry_run))
    else {
        drop(progress);
        return Ok(Outcome::fine(contents(&gathered, arguments.json)));
    };
    progress.now(&format!("packing {}", out.display()));
    let packed = bundle::pack(&gathered, &out, arguments.force, passphrase.as_ref())?;
    drop(progress);
    let document = Document {
        file: Some(&out),
        digest: Some(format!("sha256:{}", packed.digest)),
        size: Some(packed.size),
        encrypted: passphrase.is_some(),
        manifest: &gathered.manifest,
    };
    Ok(Outcome::fine(if as_json {
        output::json(&document)
    } else {
        words(&document, &packed, &out)
    }))
}

/// What is said now, with what `kinstall node` was told on this machine, if it is one.
fn request(arguments: &Bundle) -> Result<bundle::Request, Failure> {
    let current = std::env::current_dir()
        .map_err(|error| Failure::bare(format_args!("the current directory: {error}")))?;
    let remembered = install::remembered(Path::new(layout::KINSTALL))
        .map_err(|error| Failure::new(&error, error.hint()))?;
    let wishes = Wishes {
        dir: arguments.dir.clone(),
        ca_dir: arguments.ca_dir.clone(),
        network: arguments.options.network.map(Into::into),
        proxy_mode: arguments.options.proxy_mode.map(Into::into),
        bin_dir: arguments.options.bin_dir.clone(),
        ..Wishes::default()
    };
    let options = install::resolve(wishes, remembered, &current, &arguments.node);
    Ok(bundle::Request {
        dir: options.dir,
        ca_dir: options.ca_dir,
        node: arguments.node.clone(),
        network: options.network,
        proxy_mode: options.proxy_mode,
        // Another machine's faults are its own.
        ignore_preflight: arguments.options.ignore_preflight.clone(),
        bin_dirs: options.bin_dir,
        cache: Path::new(layout::STATE).join("programs.json"),
        carried: if arguments.digests {
            Carried::Digests
        } else {
            Carried::Programs
        },
    })
}

/// What was packed, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    file: Option<&'a PathBuf>,
    digest: Option<String>,
    size: Option<u64>,
    encrypted: bool,
    manifest: &'a Manifest,
}

fn words(document: &Document<'_>, packed: &Packed, out: &Path) -> String {
    let Manifest { node, cluster, .. } = document.manifest;
    let (state, passphrase) = match document.encrypted {
        true => (", encrypted", " --passphrase-file FILE"),
        false => ("; it holds keys, and is not encrypted", ""),
    };
    let file = out.display();
    let name = out.file_name().unwrap_or_default().display();
    format!(
        "{GOOD}{file}{GOOD:#}: node {node} of {cluster}, {}{state}\nsha256:{}\n\nBring it to {node}, and there:\n\n  kinstall \
         node --bundle {name}{passphrase} --digest sha256:{}\n",
        size(packed.size),
        packed.digest,
        packed.digest,
    )
}

/// What would go in.
fn contents(gathered: &Gathered, as_json: bool) -> String {
    let manifest = &gathered.manifest;
    if as_json {
        return output::json(&Document {
            file: None,
            digest: None,
            size: None,
            encrypted: false,
            manifest,
        });
    }
    let mut text = String::new();
    for file in &manifest.files {
        let _ = writeln!(text, "{:>10}  {} {}", size(file.size), file.mode, file.path);
    }
    if !manifest.has_programs() {
        let _ = writeln!(text, "\n{STRONG}to be on the machine, just these{STRONG:#}");
        for program in &manifest.programs {
            let digest = &program.sha256[..16];
            let _ = writeln!(
                text,
                "  {} {} {WEAK}sha256:{digest}...{WEAK:#}",
                program.name, program.version
            );
        }
    }
    if !manifest.machine_programs.is_empty() {
        let names = manifest.machine_programs.join(", ");
        let _ = writeln!(text, "\n{STRONG}the machine's own{STRONG:#}\n  {names}");
    }
    let _ = writeln!(
        text,
        "\n{} files, {}",
        manifest.files.len(),
        size(manifest.size())
    );
    text
}

/// A number of bytes, for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
