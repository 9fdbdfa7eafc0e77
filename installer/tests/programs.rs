//! Finding programs: what is found, what is remembered, and what is wrong with the rest.
#![allow(missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use installer::desired::{Programs, digest};
use installer::machine::programs::{ProgramProblem, ProgramWish, find};
use tempfile::{TempDir, tempdir};

/// A directory of programs, and the file where what is known of them is kept. One at a time: a process that another
/// test starts has, for a moment, the script open that this one writes, and the kernel does not run it then.
struct Place {
    dir: TempDir,
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

impl Place {
    fn new() -> Self {
        let dir = tempdir().unwrap();
        fs::create_dir(dir.path().join("bin")).unwrap();
        Self {
            dir,
            _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("programs.json")
    }

    fn add(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.bin().join(name);
        let new = self.dir.path().join("new");
        fs::write(&new, bytes).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, &path).unwrap();
        path
    }

    /// A program that notes every time it is run.
    fn script(&self, name: &str, script: &str) -> PathBuf {
        let runs = self.runs(name);
        let script = format!("#!/bin/sh\necho run >>{}\n{script}\n", runs.display());
        self.add(name, script.as_bytes())
    }

    fn runs(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}.runs"))
    }

    fn times_run(&self, name: &str) -> usize {
        let runs = fs::read_to_string(self.runs(name)).unwrap_or_default();
        runs.lines().count()
    }

    fn find(&self, names: &[&str]) -> Result<Programs, Vec<ProgramProblem>> {
        let wishes: Vec<_> = names.iter().map(|name| ProgramWish::new(name)).collect();
        find(&wishes, &[self.bin()], &self.cache())
    }

    fn problems(&self, names: &[&str]) -> String {
        let problems = self.find(names).unwrap_err();
        let texts = problems
            .iter()
            .map(|problem| format!("{problem}\nhint: {}", problem.hint()));
        let texts: Vec<_> = texts.collect();
        let own = std::env::current_exe().unwrap();
        let own = own.parent().unwrap();
        texts
            .join("\n")
            .replace(&*self.bin().to_string_lossy(), "BIN")
            .replace(&*own.to_string_lossy(), "OWN")
            .replace(std::env::consts::ARCH, "MACHINE")
    }
}

#[test]
fn what_is_found_is_remembered_until_it_changes() {
    let place = Place::new();
    let path = place.script("kubelet", "echo Kubernetes v1.37.2");
    let first = place.find(&["kubelet"]).unwrap();
    let kubelet = first.named("kubelet");
    assert_eq!((&kubelet.path, kubelet.version.as_str()), (&path, "1.37.2"));
    assert_eq!(kubelet.digest, digest::hex(&fs::read(&path).unwrap()));
    assert_eq!(kubelet.libraries, []);
    assert_eq!(place.find(&["kubelet"]).unwrap(), first);
    assert_eq!(place.times_run("kubelet"), 1);

    // Another file, as long as the one before and with its time.
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    place.script("kubelet", "echo Kubernetes v1.37.3");
    set_time(&path, before);
    let second = place.find(&["kubelet"]).unwrap();
    assert_eq!(second.named("kubelet").version, "1.37.3");
    assert_ne!(
        second.named("kubelet").digest,
        first.named("kubelet").digest
    );
    assert_eq!(place.times_run("kubelet"), 2);

    // The same file, with other bytes in it and its time set back.
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("1.37.3", "1.37.4");
    fs::write(&path, text).unwrap();
    set_time(&path, before);
    assert_eq!(
        place.find(&["kubelet"]).unwrap().named("kubelet").version,
        "1.37.4"
    );
}

fn set_time(path: &Path, time: SystemTime) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

#[test]
fn a_damaged_memory_is_replaced() {
    let place = Place::new();
    place.script("kubelet", "echo Kubernetes v1.37.2");
    let wanted = place.find(&["kubelet"]).unwrap();
    let good = fs::read_to_string(place.cache()).unwrap();
    for (index, bad) in [
        "",
        "nonsense",
        "{}",
        "[]",
        &good[..good.len() / 2],
        &good.replace("\"format\":1", "\"format\":0"),
        &good.replace("\"inode\":", "\"inode\":1"),
    ]
    .iter()
    .enumerate()
    {
        fs::write(place.cache(), bad).unwrap();
        assert_eq!(place.find(&["kubelet"]).unwrap(), wanted);
        assert_eq!(place.times_run("kubelet"), index + 2, "{bad}");
        assert_eq!(fs::read_to_string(place.cache()).unwrap(), good);
    }
    // And where nothing can be kept, nothing is.
    let wishes = [ProgramWish::new("kubelet")];
    find(
        &wishes,
        &[place.bin()],
        Path::new("/proc/nowhere/programs.json"),
    )
    .unwrap();
}

#[test]
fn every_problem_is_told_with_a_hint() {
    let place = Place::new();
    let plain = place.script("kubelet", "");
    fs::set_permissions(plain, fs::Permissions::from_mode(0o644)).unwrap();
    let mut foreign = b"\x7fELF\x02\x02\x01".to_vec();
    foreign.resize(18, 0);
    foreign.extend([0, 22]);
    place.add("etcd", &foreign);
    place.script("kube-proxy", "echo 'usage: something else'");
    place.script("coredns", "echo 'cannot open /x' >&2; exit 3");
    place.script("flanneld", "exit 1");
    place.script("runc", "echo runc version 1.2.3");
    place.script("bridge", "echo 'bridge utility, iproute2-6.1.0'");
    place.script("portmap", "exit 1");
    place.add("ctr", b"neither program nor script");
    insta::assert_snapshot!(place.problems(&[
        "kubelet",
        "etcd",
        "kube-proxy",
        "coredns",
        "flanneld",
        "runc",
        "bridge",
        "portmap",
        "ctr",
        "no-such-program",
    ]));
}

#[test]
fn versions_that_do_not_fit_are_told_with_what_is_missing() {
    let place = Place::new();
    place.script("kube-apiserver", "echo Kubernetes v1.37.2");
    place.script("kube-scheduler", "echo Kubernetes v1.35.9");
    insta::assert_snapshot!(place.problems(&[
        "kube-apiserver",
        "kube-scheduler",
        "kinstall-nothing"
    ]),);
}

#[test]
fn plugins_answer_as_plugins() {
    let place = Place::new();
    let answer = r#"{"cniVersion":"1.1.0","supportedVersions":["1.0.0","1.1.0"]}"#;
    place.script(
        "bridge",
        &format!("[ \"$CNI_COMMAND\" = VERSION ] && {{ cat >/dev/null; echo '{answer}'; exit; }}\necho 'CNI bridge plugin v1.9.1' >&2"),
    );
    // One that says no version of its own.
    place.script("portmap", &format!("echo '{answer}'"));
    let found = place.find(&["bridge", "portmap"]).unwrap();
    assert_eq!(found.named("bridge").version, "1.9.1");
    assert_eq!(found.named("portmap").version, "");
}

/// A program that loads libraries: the one that runs this test.
#[test]
fn libraries_and_loader_are_found() {
    let place = Place::new();
    let own = fs::read(std::env::current_exe().unwrap()).unwrap();
    place.add("kinstall-pause", &own);
    let found = place.find(&["kinstall-pause"]).unwrap();
    let pause = found.named("kinstall-pause");
    assert_eq!(pause.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(pause.digest, digest::hex(&own));
    let names: Vec<_> = pause
        .libraries
        .iter()
        .map(|(path, _)| path.to_string_lossy())
        .collect();
    for part in ["/ld-", "/libc."] {
        assert_eq!(
            names.iter().filter(|name| name.contains(part)).count(),
            1,
            "{names:?}"
        );
    }
    for (path, digest) in &pause.libraries {
        assert_eq!(*digest, digest::hex(&fs::read(path).unwrap()));
    }
}
