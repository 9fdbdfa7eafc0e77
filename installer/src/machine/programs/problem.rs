//! What is wrong with a program.

use std::path::PathBuf;

/// What is wrong with a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramProblem {
    /// They are nowhere. All of them are one problem: usually a directory was not named.
    #[error("{} {} in none of {}", names.join(", "), if names.len() == 1 { "is" } else { "are" }, list(searched))]
    Missing {
        /// Their names.
        names: Vec<String>,
        /// Where they were looked for.
        searched: Vec<PathBuf>,
    },
    /// It is there, and no file that can be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// Its mode does not let it run.
    #[error("{} is not executable", .0.display())]
    NotExecutable(PathBuf),
    /// It is for other processors.
    #[error("{} is for {found}, and this machine is {machine}", path.display())]
    Architecture {
        /// Where.
        path: PathBuf,
        /// What it is for.
        found: String,
        /// What this machine is.
        machine: &'static str,
    },
    /// It does not start, or fails when it is asked for its version.
    #[error("{} does not run: {said}", path.display())]
    Fails {
        /// Where.
        path: PathBuf,
        /// What it or the system said, or how it ended.
        said: String,
    },
    /// It runs and runs when it is asked for its version.
    #[error("{} has not said its version after {seconds} seconds", path.display())]
    Hangs {
        /// Where.
        path: PathBuf,
        /// How long it had.
        seconds: u64,
    },
    /// What it says has no version in it.
    #[error("{} says no version, but {said:?}", path.display())]
    NoVersion {
        /// Where.
        path: PathBuf,
        /// What it said: the first line.
        said: String,
    },
    /// It has the name of a CNI plugin, and does not answer as one.
    #[error("{} is not the CNI plugin {name}", path.display())]
    NoPlugin {
        /// The plugin's name.
        name: String,
        /// Where the other program is.
        path: PathBuf,
    },
    /// A library that it loads is not there.
    #[error("{} needs the library {library}, which is not on this machine", path.display())]
    Library {
        /// Where the program is.
        path: PathBuf,
        /// The library's name.
        library: String,
    },
    /// It was built without something that a node needs.
    #[error("{} was built without {without}", path.display())]
    Without {
        /// Where.
        path: PathBuf,
        /// What it lacks.
        without: &'static str,
    },
    /// It is older than what a node needs.
    #[error("{name} is {version}, and has to be {least} or newer: {reason}")]
    TooOld {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// The oldest that will do.
        least: String,
        /// Whose demand that is.
        reason: &'static str,
    },
    /// Two programs do not fit together.
    #[error("{name} is {version} and {other} is {other_version}: {rule}")]
    Skew {
        /// One.
        name: String,
        /// Its version.
        version: String,
        /// The other.
        other: String,
        /// The other's version.
        other_version: String,
        /// What has to be so.
        rule: &'static str,
    },
}

impl ProgramProblem {
    /// The same problems, with all that are missing as one, where the first of them stands.
    pub(super) fn missing_as_one(problems: Vec<Self>) -> Vec<Self> {
        let mut told: Vec<Self> = Vec::new();
        for problem in problems {
            let Self::Missing { names, searched } = problem else {
                told.push(problem);
                continue;
            };
            let first = told.iter_mut().find_map(|one| match one {
                Self::Missing { names, searched } => Some((names, searched)),
                _ => None,
            });
            let Some((all_names, all_searched)) = first else {
                told.push(Self::Missing { names, searched });
                continue;
            };
            all_names.extend(names);
            for place in searched {
                if !all_searched.contains(&place) {
                    all_searched.push(place);
                }
            }
        }
        told
    }

    /// What would mend it.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { names, .. } => missing_hint(names),
            Self::Unreadable { .. } => "mend the file, or name another directory with --bin-dir".into(),
            Self::NotExecutable(path) => format!("chmod 0755 {}", path.display()),
            Self::Architecture { machine, .. } => {
                format!("get the build for {machine}, or name its directory with --bin-dir")
            }
            Self::Fails { .. } | Self::Hangs { .. } | Self::NoVersion { .. } => {
                "run it by hand; if it is not the program that its name says, name the right directory with --bin-dir".into()
            }
            Self::NoPlugin { .. } => {
                "get the release of containernetworking/plugins, and name its directory with --bin-dir".into()
            }
            Self::Library { library, .. } => format!("install the package that has {library}"),
            Self::Without { path, .. } => {
                let name = path.file_name().unwrap_or_default().display();
                format!("install the distribution's {name}, or the project's release")
            }
            Self::TooOld { name, least, .. } => {
                format!("get {name} {least} or newer, and name its directory with --bin-dir")
            }
            Self::Skew { .. } => {
                "name one directory with all programs of one release with --bin-dir".into()
            }
        }
    }
}

fn missing_hint(names: &[String]) -> String {
    let mut packages = Vec::new();
    for name in names {
        let package = package(name);
        packages.extend(package.filter(|package| !packages.contains(package)));
    }
    let has_others = names.iter().any(|name| package(name).is_none());
    let named = match names {
        [name] => name.as_str(),
        _ => "them",
    };
    match (packages.join(" and "), has_others) {
        (packages, false) => format!("install {packages}, or name the directory with --bin-dir"),
        (packages, true) if packages.is_empty() => {
            format!("name the directory that has {named} with --bin-dir")
        }
        (packages, true) => {
            format!("name the directory that has them with --bin-dir, and install {packages}")
        }
    }
}

/// Debian's and Fedora's packages of what does not come with Kubernetes.
fn package(name: &str) -> Option<&'static str> {
    Some(match name {
        "runc" => "the package runc",
        "nft" => "the package nftables",
        "haproxy" => "the package haproxy",
        "mount" | "umount" => "the package mount (util-linux)",
        "bridge" | "host-local" | "loopback" | "portmap" => "the CNI plugins into /opt/cni/bin",
        _ => return None,
    })
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}
