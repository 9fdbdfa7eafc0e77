//! Services as files, one each, from which alone a boot brings everything up.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::desired::{Service, digest};

/// SHA-256 over all of a definition.
pub(super) fn digest_of(service: &Service) -> String {
    let text = serde_json::to_vec(service).expect("texts and numbers");
    digest::hex(&text)
}

/// What may be a service's name: it becomes the name of files and of a systemd unit.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !name.is_empty() && name.len() <= 64 && name.bytes().all(plain) && name != "supervisor"
}

/// The definition in the file `path`, or what is wrong with it in words.
pub(super) fn read(path: &Path) -> Result<Service, String> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let service: Service = serde_json::from_slice(&text)
        .map_err(|error| format!("{}: not a definition of a service: {error}", path.display()))?;
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    if stem != Some(&service.name) || !is_name(&service.name) {
        let name = &service.name;
        return Err(format!("{}: it defines {name:?}", path.display()));
    }
    if !service.program.is_absolute() {
        let program = service.program.display();
        return Err(format!(
            "{}: the program {program} is not an absolute path",
            path.display()
        ));
    }
    Ok(service)
}

/// What is wrong with definitions, by the names that their files give them.
pub(super) type Problems = BTreeMap<String, String>;

/// All definitions in a directory, and what is wrong with the others. A directory that is not there holds none.
pub(super) fn read_all(dir: &Path) -> io::Result<(Vec<Service>, Problems)> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".json") && !name.starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    let (mut services, mut problems) = (Vec::new(), Problems::new());
    for path in paths {
        match read(&path) {
            Ok(service) => services.push(service),
            Err(fact) => {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                problems.insert(stem.into_owned(), fact);
            }
        }
    }
    Ok((services, problems))
}

/// Writes `text` to `path` in one step, readable by root alone, and sees it on the disk.
pub(super) fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let dir = path.parent().expect("a file in a directory");
    make_private_dir(dir)?;
    // Always of the same name, so that what a killed run left of it goes with the next one, or with the service.
    let new = half(path);
    remove_one(&new)?;
    let mut options = fs::OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    fs::File::open(dir)?.sync_all()
}

/// Makes a directory for root alone, with its parents; one that is there keeps its mode.
pub(super) fn make_private_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }?;
    // The umask took bits away at most.
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}

/// Removes a file that may not be there, and what a killed run may have left of it.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    remove_one(&half(path))?;
    remove_one(path)
}

/// Where a file is while it is written: readers pass over names that begin with a dot.
fn half(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    path.with_file_name(format!(".new-{}", name.display()))
}

fn remove_one(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn service(name: &str, program: &str, arguments: &[&str]) -> Service {
        Service {
            name: name.into(),
            description: format!("the {name}"),
            program: program.into(),
            arguments: arguments.iter().map(|&one| one.into()).collect(),
            environment: [].into(),
            after: Vec::new(),
            inputs: "0".repeat(64),
            stop_seconds: 5,
        }
    }

    fn dir() -> tempfile::TempDir {
        tempfile::tempdir().expect("a directory")
    }

    #[test]
    fn what_is_written_is_read_and_private() {
        let dir = dir();
        let services = dir.path().join("services");
        let one = service("kubelet", "/usr/bin/kubelet", &["--v=2"]);
        let text = serde_json::to_vec(&one).expect("JSON");
        write_whole(&services.join("kubelet.json"), &text).expect("written");
        let (found, problems) = read_all(&services).expect("read");
        assert_eq!((found, problems), (vec![one], Problems::new()));
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
        assert_eq!(mode(&services.join("kubelet.json")), 0o600);
        assert_eq!(mode(&services), 0o700);
    }

    #[test]
    fn every_mistake_has_its_words() {
        let dir = dir();
        let write = |name: &str, text: &str| {
            fs::write(dir.path().join(name), text).expect("written");
        };
        write("broken.json", "{\"name\": \"broken\"");
        let other = serde_json::to_string(&service("b", "/bin/true", &[])).expect("JSON");
        write("a.json", &other);
        let relative = serde_json::to_string(&service("c", "true", &[])).expect("JSON");
        write("c.json", &relative);
        write(".new-x.json", "half");
        write("README", "no definition");
        let (found, problems) = read_all(dir.path()).expect("read");
        assert_eq!(found, []);
        let names: Vec<_> = problems.keys().map(String::as_str).collect();
        assert_eq!(names, ["a", "broken", "c"]);
        assert!(problems["a"].ends_with("it defines \"b\""));
        assert!(problems["broken"].contains("not a definition of a service: EOF"));
        assert!(problems["c"].ends_with("the program true is not an absolute path"));
    }

    #[test]
    fn no_directory_holds_no_services() {
        let found = read_all(&dir().path().join("none")).expect("nothing");
        assert_eq!(found, (vec![], Problems::new()));
    }

    #[test]
    fn names_are_plain() {
        assert!(is_name("kube-addon_1"));
        for name in ["", "../x", "a b", "a.b", "supervisor", "@"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
