//! Looking at one program: whether it runs here, what it says, what is in it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command};
use std::time::Duration;

use super::cache::{Cache, Entry, Stamp};
use super::elf;
use super::problem::ProgramProblem;
use super::version;
use super::wish::{ProgramWish, Says};
use crate::desired::digest::Digest;
use crate::desired::{Program, XTABLES};
use crate::machine::bounded::{self, Ended};

/// How long a program may think about its version. The slowest takes a tenth of a second.
const LIMIT: Duration = Duration::from_secs(10);
/// What is read at once.
const CHUNK: usize = 1 << 20;

/// The first of `candidates` that is the program; else what is wrong with the first of them, if there are any.
pub(super) fn first(
    wish: &ProgramWish,
    candidates: &[PathBuf],
    known: &Cache,
) -> Result<Entry, Option<ProgramProblem>> {
    let mut problem = None;
    for path in candidates {
        if let Some(entry) = known.known(path) {
            return Ok(entry.clone());
        }
        match probe(wish, path) {
            Ok(entry) => return Ok(entry),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    Err(problem)
}

fn probe(wish: &ProgramWish, path: &Path) -> Result<Entry, ProgramProblem> {
    let unreadable = |error| unreadable(path, &error);
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(ProgramProblem::NotExecutable(path.to_owned()));
    }
    let mut head = Vec::new();
    let mut start = Read::by_ref(&mut file).take(20);
    start.read_to_end(&mut head).map_err(unreadable)?;
    let kind = elf::kind(&head);
    if let elf::Kind::Foreign(found) = kind {
        return Err(ProgramProblem::Architecture {
            path: path.to_owned(),
            found,
            machine: elf::MACHINE,
        });
    }
    let version = version(wish, path)?;
    let digest = digest(path, &head, file)?;
    let mut libraries = Vec::new();
    let mut library_stamps = Vec::new();
    // These two are never in an image, so nobody asks for their libraries; and the symbols of kinstall itself, read for
    // them, would be what takes most of an installation's memory.
    let is_only_here = matches!(wish.name.as_str(), "kinstall" | "kinstall-flannel");
    if kind == elf::Kind::Native && !is_only_here {
        let mut libraries_here = loaded(path)?;
        if matches!(wish.name.as_str(), "iptables" | "ip6tables") {
            libraries_here.extend(xtables_plugins(&libraries_here));
        }
        for library in libraries_here {
            let file = File::open(&library).map_err(|error| self::unreadable(&library, &error))?;
            let metadata = file.metadata();
            let metadata = metadata.map_err(|error| self::unreadable(&library, &error))?;
            library_stamps.push(Stamp::new(&metadata));
            let digest = self::digest(&library, &[], file)?;
            libraries.push((library, digest));
        }
    }
    Ok(Entry {
        program: Program {
            path: path.to_owned(),
            version,
            digest,
            libraries,
        },
        // Of before it was read: when it changes meanwhile, it is read again the next time.
        stamp: Stamp::new(&metadata),
        library_stamps,
    })
}

fn version(wish: &ProgramWish, path: &Path) -> Result<String, ProgramProblem> {
    match wish.says {
        Says::Nothing => Ok(String::new()),
        Says::Ours => Ok(env!("CARGO_PKG_VERSION").to_owned()),
        Says::AsPlugin => {
            let mut command = command(path);
            command.env("CNI_COMMAND", "VERSION");
            let feed = |mut stdin: ChildStdin| {
                // One that does not read it is no plugin, and says something else.
                let _ = stdin.write_all(br#"{"cniVersion":"1.0.0"}"#);
            };
            let ended = bounded::run(&mut command, LIMIT, feed);
            if !ended.is_ok_and(|ended| ended.status.success() && is_plugin(&ended.stdout)) {
                return Err(ProgramProblem::NoPlugin {
                    name: wish.name.clone(),
                    path: path.to_owned(),
                });
            }
            // Without a command it tells about itself, on stderr. Not every plugin does.
            let about = run(&mut self::command(path), path)?;
            let about = format!("{} {}", about.stderr, about.stdout);
            Ok(version::said(&about).unwrap_or_default().to_owned())
        }
        Says::To(arguments) => {
            let ended = run(command(path).args(arguments), path)?;
            let text = format!("{}\n{}", ended.stdout, ended.stderr);
            let line = text.lines().find(|line| !line.trim().is_empty());
            let line = line.unwrap_or_default().trim().to_owned();
            if !ended.status.success() {
                let said = match line.as_str() {
                    "" => ended.status.to_string(),
                    _ => line,
                };
                let path = path.to_owned();
                return Err(ProgramProblem::Fails { path, said });
            }
            let Some(version) = version::said(&text) else {
                let path = path.to_owned();
                return Err(ProgramProblem::NoVersion { path, said: line });
            };
            // The kubelet asks for RuntimeDefault profiles; such a runc refuses every container that has one.
            if wish.name == "runc" && !text.contains("libseccomp") {
                return Err(ProgramProblem::Without {
                    path: path.to_owned(),
                    without: "seccomp",
                });
            }
            Ok(version.to_owned())
        }
    }
}

/// CNI specification 1.1.0, "Version Success".
fn is_plugin(answer: &str) -> bool {
    let answer = serde_json::from_str::<serde_json::Value>(answer);
    answer.is_ok_and(|answer| answer["supportedVersions"].is_array())
}

fn command(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_clear().current_dir("/");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    // A Go program that ends at once needs no collector: a tenth of its time.
    command.env("GOGC", "off");
    command
}

fn run(command: &mut Command, path: &Path) -> Result<Ended, ProgramProblem> {
    match bounded::run(command, LIMIT, drop) {
        Ok(ended) if ended.late => Err(ProgramProblem::Hangs {
            path: path.to_owned(),
            seconds: LIMIT.as_secs(),
        }),
        Ok(ended) => Ok(ended),
        Err(error) => Err(ProgramProblem::Fails {
            path: path.to_owned(),
            said: error.to_string(),
        }),
    }
}

/// SHA-256 of a file of which `head` was read already.
fn digest(path: &Path, head: &[u8], mut file: File) -> Result<String, ProgramProblem> {
    let mut digest = Digest::new();
    digest.update(head);
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(digest.finish()),
            Ok(count) => digest.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
    }
}

/// The paths of the loader and of every library that a program loads, in order. None when it is static.
fn loaded(path: &Path) -> Result<Vec<PathBuf>, ProgramProblem> {
    let tree = lddtree::DependencyAnalyzer::default().analyze(path);
    let tree = tree.map_err(|error| ProgramProblem::Unreadable {
        path: path.to_owned(),
        cause: error.to_string(),
    })?;
    let loader = tree.interpreter.map(PathBuf::from);
    let mut paths: Vec<_> = loader.iter().cloned().collect();
    for library in tree.libraries.into_values() {
        // The C library names the loader as well, and it is found elsewhere: but the program wants it where it says.
        let loader = loader.as_ref().and_then(|loader| loader.file_name());
        if loader.is_some_and(|name| library.path.file_name() == Some(name)) {
            continue;
        }
        if !library.found() {
            return Err(ProgramProblem::Library {
                path: path.to_owned(),
                library: library.name,
            });
        }
        paths.push(library.path);
    }
    paths.sort();
    Ok(paths)
}

/// What iptables loads by name when a rule asks for it, with the libraries of that: the directory `xtables` beside its own library, as
/// distributions have it. Nothing where it is elsewhere, or built in.
fn xtables_plugins(libraries: &[PathBuf]) -> Vec<PathBuf> {
    let is_own = |path: &&PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("libxtables.so"))
    };
    let Some(directory) = libraries.iter().find(is_own).and_then(|path| path.parent()) else {
        return Vec::new();
    };
    // By its real path, which is written into the program.
    let Ok(directory) = std::fs::canonicalize(directory.join(XTABLES)) else {
        return Vec::new();
    };
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let plugins = entries.flatten().map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let prefixes = ["libxt_", "libipt_", "libip6t_"];
        name.ends_with(".so") && prefixes.iter().any(|prefix| name.starts_with(prefix))
    });
    let mut all = BTreeSet::new();
    for plugin in plugins {
        // One that lacks a library here could not be loaded here either.
        if let Ok(own) = loaded(&plugin) {
            all.extend(own.into_iter().filter(|path| !libraries.contains(path)));
            all.insert(plugin);
        }
    }
    all.into_iter().collect()
}

fn unreadable(path: &Path, error: &io::Error) -> ProgramProblem {
    ProgramProblem::Unreadable {
        path: path.to_owned(),
        cause: error.to_string(),
    }
}
