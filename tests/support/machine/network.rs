//! The switch that machines are plugged into, and who else is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Host;
use crate::command::run;

/// Which kinds of addresses a network has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4 and IPv6.
    Both,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// A network of its own, gone with everything in it when it is dropped or its process is killed.
#[derive(Debug)]
pub struct Network {
    directory: PathBuf,
    families: Families,
    /// `tests/machine/network`, which lives as long as its stdin.
    switch: Child,
}

impl Network {
    /// A switch, a router, and hosts around it.
    pub fn new(families: Families) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let swept = run(&mut script("sweep"));
        assert!(swept.code == Some(0), "{swept}");
        let directory = base().join(format!("test-{}-{count}", process::id()));
        let switch = script("network")
            .arg(&directory)
            .arg(match families {
                Families::Both => "46",
                Families::V4 => "4",
                Families::V6 => "6",
            })
            .stdin(Stdio::piped())
            .spawn();
        let network = Self {
            directory,
            families,
            switch: switch.expect("bash is there"),
        };
        let ready = network.directory.join("ready");
        let is_ready = wait_for(Duration::from_secs(60), || ready.exists());
        assert!(
            is_ready,
            "no network: {}\nhint: it needs root and iproute2; tests/run installs it",
            fs::read_to_string(network.directory.join("errors")).unwrap_or_default()
        );
        network
    }

    /// Which kinds of addresses it has.
    pub fn families(&self) -> Families {
        self.families
    }

    /// Somebody beside the machines.
    pub fn host(&self, name: &'static str) -> Host<'_> {
        Host::new(self, name)
    }

    /// A client on the machines' own network.
    pub fn outside(&self) -> Host<'_> {
        self.host("outside")
    }

    /// Somebody there who means no good.
    pub fn attacker(&self) -> Host<'_> {
        self.host("attacker")
    }

    /// A client beyond the router.
    pub fn far(&self) -> Host<'_> {
        self.host("far")
    }

    /// Where its files are.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A path as the network's own processes see it.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        let pid = fs::read_to_string(self.directory.join("pid")).expect("it is up");
        let below = path.strip_prefix("/").expect("an absolute path");
        Path::new("/proc").join(pid.trim()).join("root").join(below)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(self.switch.stdin.take());
        let swept = run(script("sweep").arg(&self.directory));
        let _ = self.switch.wait();
        if swept.code != Some(0) && !std::thread::panicking() {
            panic!("{swept}");
        }
    }
}

/// Where disks are, as tests/machine/common.sh has it.
fn base() -> PathBuf {
    let base = std::env::var_os("KPKI_MACHINES").unwrap_or("/var/tmp/kpki-machines".into());
    PathBuf::from(base)
}

/// One of the scripts in tests/machine.
pub(super) fn script(name: &str) -> Command {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(tests.join("machine").join(name))
}

/// Whether something came true in time.
pub(super) fn wait_for(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if began.elapsed() > limit {
            return false;
        }
        sleep(Duration::from_millis(20));
    }
}
