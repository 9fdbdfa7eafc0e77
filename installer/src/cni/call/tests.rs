use std::os::unix::fs::PermissionsExt;

use super::*;

/// A plugin that writes what it is asked beside itself, and answers as it is told.
const FAKE: &str = "#!/bin/sh\nd=$(dirname \"$0\")\necho \"$CNI_COMMAND\" >> $d/commands\ncat > $d/stdin\nexit $(cat $d/code)\n";

struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let plugin = dir.path().join("bridge");
        fs::write(&plugin, FAKE).unwrap();
        fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(dir.path().join("code"), "0").unwrap();
        Self { dir }
    }

    fn flanneld(&self) {
        let text = "FLANNEL_NETWORK=172.28.0.0/15\nFLANNEL_SUBNET=172.28.1.1/24\nFLANNEL_MTU=1430\nFLANNEL_IPMASQ=true\n";
        fs::write(self.dir.path().join("subnet.env"), text).unwrap();
    }

    fn conf(&self) -> Vec<u8> {
        let at = |name: &str| self.dir.path().join(name).display().to_string();
        let conf = json!({
            "name": "cbr0", "cniVersion": "1.0.0", "type": "flannel",
            "subnetFile": at("subnet.env"), "dataDir": at("state"),
            "cni.dev/valid-attachments": [{"containerID": "other", "ifname": "eth0"}],
        });
        serde_json::to_vec(&conf).unwrap()
    }

    fn call(&self, command: Command) -> Result<(i32, Option<Value>), CallError> {
        let one = Call {
            command,
            container: "c1".into(),
            interface: "eth0".into(),
            path: self.dir.path().into(),
            patience: Duration::ZERO,
        };
        call(&one, &self.conf())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }

    fn kept(&self) -> usize {
        let entries = fs::read_dir(self.dir.path().join("state"));
        entries.map(Iterator::count).unwrap_or_default()
    }
}

#[test]
fn add_then_del_without_flanneld() {
    let scene = Scene::new();
    scene.flanneld();
    assert_eq!(scene.call(Command::Add), Ok((0, None)));
    assert!(scene.read("stdin").contains("172.28.1.0/24"));
    assert_eq!(scene.kept(), 1);
    fs::remove_file(scene.dir.path().join("subnet.env")).unwrap();
    assert_eq!(scene.call(Command::Check), Ok((0, None)));
    assert_eq!(scene.call(Command::Del), Ok((0, None)));
    assert!(scene.read("stdin").contains("172.28.1.0/24"));
    assert_eq!(scene.kept(), 0);
    assert_eq!(scene.read("commands"), "ADD\nCHECK\nDEL\n");
    // Once more: nothing to do, no error, and nobody is asked.
    assert_eq!(scene.call(Command::Del), Ok((0, None)));
    assert_eq!(scene.read("commands"), "ADD\nCHECK\nDEL\n");
}

#[test]
fn a_del_that_fails_is_tried_again() {
    let scene = Scene::new();
    scene.flanneld();
    scene.call(Command::Add).unwrap();
    fs::write(scene.dir.path().join("code"), "1").unwrap();
    assert_eq!(scene.call(Command::Del), Ok((1, None)));
    assert_eq!(scene.kept(), 1);
}

#[test]
fn an_add_that_fails_leaves_what_del_needs() {
    let scene = Scene::new();
    scene.flanneld();
    fs::write(scene.dir.path().join("code"), "1").unwrap();
    assert_eq!(scene.call(Command::Add), Ok((1, None)));
    assert_eq!(scene.kept(), 1);
}

#[test]
fn without_flanneld() {
    let scene = Scene::new();
    assert_eq!(scene.call(Command::Add).unwrap_err().code, 50);
    assert_eq!(scene.call(Command::Status).unwrap_err().code, 50);
    assert_eq!(scene.call(Command::Gc), Ok((0, None)));
    assert_eq!(scene.call(Command::Check).unwrap_err().code, 3);
    assert_eq!(scene.read("commands"), "");
}

#[test]
fn gc_forgets_what_is_gone() {
    let scene = Scene::new();
    scene.flanneld();
    scene.call(Command::Add).unwrap();
    fs::write(scene.dir.path().join("state/other-eth0"), "{}").unwrap();
    assert_eq!(scene.call(Command::Gc), Ok((0, None)));
    assert_eq!(scene.kept(), 1);
    assert!(scene.read("stdin").contains("valid-attachments"));
}

#[test]
fn versions() {
    let (code, said) = Scene::new().call(Command::Version).unwrap();
    assert_eq!(code, 0);
    assert_eq!(said.unwrap()["cniVersion"], "1.0.0");
}
