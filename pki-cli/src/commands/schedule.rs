//! `kpki schedule`.

use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pki_core::cluster::spec::NodeName;
use pki_core::converge::cluster_directory::{ClusterDirectory, SPEC};
use pki_core::converge::marked_file;
use serde::Serialize;

use crate::arguments;
use crate::arguments::JobKind;
use crate::job::{Cluster, InCluster, Job, JobFile, MARK};
use crate::output::errors::Failure;
use crate::output::style::{GOOD, WEAK};
use crate::output::words::{list, shell};
use crate::output::{Outcome, json};

const UNITS: &str = "/etc/systemd/system";
const CRON: &str = "/etc/cron.d";
/// There is this directory where systemd is process 1: sd_booted(3).
const SYSTEMD_RUNS: &str = "/run/systemd/system";
/// A CronJob appends eleven characters to its own name (kubernetes.io, "CronJob").
const LONGEST_NAME: usize = 52;

pub fn run(arguments: &arguments::Schedule) -> Result<Outcome, Failure> {
    let kind = match arguments.kind {
        Some(kind) => kind,
        None if Path::new(SYSTEMD_RUNS).is_dir() => JobKind::Systemd,
        None => JobKind::Cron,
    };
    let job = job(arguments)?;
    let files = match kind {
        JobKind::Systemd => job.systemd(),
        JobKind::Cron => job.cron(),
        JobKind::Kubernetes => job.kubernetes(&in_cluster(arguments)?),
    };
    let dir = directory(arguments, kind);
    if !arguments.install {
        return Ok(Outcome::fine(if arguments.json {
            json::document(&Document::new(&files, dir.as_deref(), false))
        } else {
            shown(&files, dir.as_deref())
        }));
    }
    let dir = dir.ok_or_else(|| {
        Failure::new("--install: a manifest has no place of its own")
            .hint("name one with --to, or pipe what kpki schedule prints to kubectl apply -f -")
    })?;
    let written = install(&files, &dir, arguments.dry_run)?;
    let document = Document::new(&files, Some(&dir), written);
    Ok(Outcome::fine(if arguments.json {
        json::document(&document)
    } else {
        told(&document, &files, &dir, kind, arguments.dry_run)
    }))
}

/// The job, with absolute paths: it runs in another directory.
fn job(arguments: &arguments::Schedule) -> Result<Job, Failure> {
    let dir = absolute(&arguments.tree.dir)?;
    let renews = if arguments.check_only || !dir.join(SPEC).exists() {
        None
    } else {
        let given = arguments.tree.ca_dir.as_deref();
        let cluster = ClusterDirectory::read(&dir, given)?;
        Some(Cluster {
            authorities: absolute(&cluster.authorities)?,
            authorities_given: given.is_some(),
            dir: dir.clone(),
        })
    };
    let checks = if dir.exists() || arguments.tree.dir != Path::new(super::check::HERE) {
        vec![dir]
    } else {
        let node = super::check::ON_A_NODE.iter().map(PathBuf::from);
        let there: Vec<_> = node.clone().filter(|path| path.exists()).collect();
        if there.is_empty() {
            node.collect()
        } else {
            there
        }
    };
    let name = match (&arguments.name, &renews) {
        (Some(name), _) => checked_name("--name", name)?,
        (None, Some(_)) => "kpki-renew".into(),
        (None, None) => "kpki-check".into(),
    };
    let program = match &arguments.program {
        Some(program) => absolute(program)?,
        None => std::env::current_exe()
            .map_err(|error| Failure::io(Path::new("/proc/self/exe"), &error))?,
    };
    let user = std::fs::metadata(&checks[0]).ok().map(|found| found.uid());
    let job = Job {
        name,
        program,
        renews,
        prometheus: arguments.prometheus.as_deref().map(absolute).transpose()?,
        every: arguments.every,
        user: user.filter(|uid| *uid != 0),
        checks,
    };
    Ok(job)
}

fn in_cluster(arguments: &arguments::Schedule) -> Result<InCluster, Failure> {
    let missing = |what: &str, hint: &str| {
        Failure::new(format_args!("--as kubernetes needs --{what}")).hint(hint)
    };
    let image = arguments.image.clone();
    let image = image.ok_or_else(|| missing("image", "name the image with kpki in it"))?;
    if image.chars().any(|c| c.is_control() || c.is_whitespace()) || image.is_empty() {
        return Err(
            Failure::new(format_args!("--image {image:?}: not the name of an image"))
                .hint("such as registry.example/kpki:0.1.0"),
        );
    }
    let node = arguments.node.as_deref();
    let node = node.ok_or_else(|| missing("node", "name the node that has these files"))?;
    let node: NodeName = node.parse().map_err(|fact| {
        Failure::new(format_args!("--node {node}: {fact}")).hint("as kubectl get nodes has it")
    })?;
    Ok(InCluster {
        image,
        node: node.to_string(),
        namespace: checked_name("--namespace", &arguments.namespace)?,
    })
}

/// A name for a unit, a file and an object of Kubernetes alike (RFC 1123 section 2.1).
fn checked_name(flag: &str, name: &str) -> Result<String, Failure> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edges = !name.starts_with('-') && !name.ends_with('-');
    if name.is_empty() || name.len() > LONGEST_NAME || !edges || !name.chars().all(inner) {
        return Err(
            Failure::new(format_args!("{flag} {name:?}: not a name for a job"))
                .hint("lower-case letters, digits and dashes between them, 52 at most"),
        );
    }
    Ok(name.to_owned())
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let absolute = std::path::absolute(path).map_err(|error| Failure::io(path, &error))?;
    match absolute.to_str() {
        Some(text) if !text.chars().any(char::is_control) => Ok(absolute),
        _ => Err(Failure::new(format_args!(
            "{}: no job can name this path",
            path.display()
        ))
        .hint("use a path of UTF-8 without control characters")),
    }
}

fn directory(arguments: &arguments::Schedule, kind: JobKind) -> Option<PathBuf> {
    let usual = match kind {
        JobKind::Systemd => Some(UNITS.into()),
        JobKind::Cron => Some(CRON.into()),
        JobKind::Kubernetes => None,
    };
    arguments.to.clone().or(usual)
}

/// Writes what is not there as it should be. Whether anything was to be written.
fn install(files: &[JobFile], dir: &Path, dry_run: bool) -> Result<bool, Failure> {
    let stale = |file: &&JobFile| {
        let there = std::fs::read_to_string(dir.join(&file.name));
        there.ok().as_deref() != Some(&file.contents)
    };
    let stale: Vec<_> = files.iter().filter(stale).collect();
    for file in &stale {
        if !dry_run {
            let path = dir.join(&file.name);
            marked_file::write(&path, &file.contents, MARK)
                .map_err(|error| Failure::new(&error).maybe_hint(error.hint()))?;
        }
    }
    Ok(!stale.is_empty())
}

fn shown(files: &[JobFile], dir: Option<&Path>) -> String {
    // A manifest is a document as it is.
    let Some(dir) = dir else {
        return files.iter().map(|file| file.contents.as_str()).collect();
    };
    let mut text = String::new();
    for (index, file) in files.iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        let path = dir.join(&file.name);
        let _ = write!(
            text,
            "{gap}{WEAK}# {}{WEAK:#}\n{}",
            path.display(),
            file.contents
        );
    }
    text
}

fn told(document: &Document, files: &[JobFile], dir: &Path, kind: JobKind, dry: bool) -> String {
    let paths = files
        .iter()
        .map(|file| dir.join(&file.name).display().to_string());
    let paths = list(paths);
    let mut text = match (document.written, dry) {
        (false, _) => format!("{GOOD}nothing to do{GOOD:#}: {paths} as wanted\n"),
        (true, true) => format!("would write {paths}\n"),
        (true, false) => format!("wrote {paths}\n"),
    };
    if let Some(next) = next(files, dir, kind).filter(|_| !dry) {
        let _ = writeln!(text, "next: {next}");
    }
    text
}

/// What makes the job run.
fn next(files: &[JobFile], dir: &Path, kind: JobKind) -> Option<String> {
    let last = files.last()?;
    match kind {
        JobKind::Systemd => Some(format!(
            "systemctl daemon-reload && systemctl enable --now {}",
            last.name
        )),
        // It looks at that directory every minute.
        JobKind::Cron => None,
        JobKind::Kubernetes => {
            let path = dir.join(&last.name);
            Some(format!(
                "kubectl apply -f {}",
                shell(&path.to_string_lossy())
            ))
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    written: bool,
    files: Vec<FileDocument>,
}

#[derive(Serialize)]
struct FileDocument {
    path: String,
    contents: String,
}

impl Document {
    fn new(files: &[JobFile], dir: Option<&Path>, written: bool) -> Self {
        let path = |name: &str| match dir {
            Some(dir) => dir.join(name).display().to_string(),
            None => name.to_owned(),
        };
        let files = files.iter().map(|file| FileDocument {
            path: path(&file.name),
            contents: file.contents.clone(),
        });
        Self {
            written,
            files: files.collect(),
        }
    }
}
