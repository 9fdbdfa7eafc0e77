//! Plan, executor and reset on a real kernel, in namespaces of their own, with stand-ins for services and images.
#![allow(missing_docs)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use installer::desired::{
    self, Account, Contents, Directory, DirectoryContents, File, Image, Kind, Module, Owner,
    Resource, Service, Stage, Symlink, Sysctl, SysctlValue, Trace,
};
use installer::machine::reset::{ResetOptions, reset};
use installer::machine::{
    EffectError, Effects, Host, ImageStore, Ledger, Observed, Root, ServiceManager, ServiceState,
};
use installer::plan::Plan;
use pki_core::cluster::FileMode;

const INSIDE: &str = "KINSTALL_TEST_INSIDE";
const WORKER: &str = "KINSTALL_TEST_WORKER";

/// Runs the rest of the test `name` as process 1 of a machine of its own: its network, and its file systems where
/// something is written.
fn on_a_machine(name: &str, body: fn()) {
    if let Ok(groups) = std::env::var(INSIDE) {
        set_up(&groups);
        return body();
    }
    let groups = Groups::new(name);
    let output = Command::new("unshare")
        .args(
            "--mount --uts --net --pid --ipc --fork --kill-child --propagation private".split(' '),
        )
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, &groups.0)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The name of a hierarchy of control groups that nobody else has. The kernel keeps it, and shows it in every process's
/// `/proc/PID/cgroup`, as long as a group is in it: dropping this takes them away, whatever became of the test.
struct Groups(String);

impl Groups {
    fn new(test: &str) -> Self {
        Self(format!("kinstall-{}-{test}", std::process::id()))
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        // The kernel lets go of a hierarchy a moment after it is unmounted without groups, and of a group a moment after it
        // is removed.
        let script = "mount -t tmpfs tmpfs /run && mkdir /run/groups || exit 1
            for try in $(seq 10); do
              mount -t cgroup -o none,name=$0 none /run/groups || exit 1
              find /run/groups -mindepth 1 -depth -type d -exec rmdir {} +
              sleep 0.1
              umount /run/groups
              for look in $(seq 10); do
                grep -q name=$0: /proc/self/cgroup || exit 0
                sleep 0.1
              done
            done
            exit 1";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", script]);
        let ended = command.arg(&self.0).status();
        let is_clean = ended.is_ok_and(|status| status.success());
        assert!(
            is_clean || std::thread::panicking(),
            "control groups are left"
        );
    }
}

fn set_up(groups: &str) {
    call("mount", &["-t", "proc", "proc", "/proc"]);
    call("mount", &["-t", "tmpfs", "tmpfs", "/run"]);
    for path in ["/run/upper", "/run/work"] {
        fs::create_dir(path).unwrap();
    }
    let options = "lowerdir=/etc,upperdir=/run/upper,workdir=/run/work";
    call(
        "mount",
        &["-t", "overlay", "overlay", "-o", options, "/etc"],
    );
    call("mount", &["-t", "tmpfs", "tmpfs", "/run"]);
    call("mount", &["-t", "tmpfs", "tmpfs", "/var/lib"]);
    fs::create_dir("/run/groups").unwrap();
    let name = format!("none,name={groups}");
    call(
        "mount",
        &["-t", "cgroup", "-o", &name, "none", "/run/groups"],
    );
    call("ip", &["link", "set", "lo", "up"]);
}

#[track_caller]
fn call(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[derive(Default)]
struct Services(RefCell<BTreeMap<String, Service>>);

impl ServiceManager for Services {
    fn state(&self, name: &str) -> Result<Option<ServiceState>, EffectError> {
        Ok(self.0.borrow().get(name).map(|service| ServiceState {
            definition: service.clone(),
            running: true,
            since: None,
            process: Some(1),
            restarts: 0,
            last_end: None,
        }))
    }

    fn install(&self, service: &Service) -> Result<(), EffectError> {
        let name = service.name.clone();
        self.0.borrow_mut().insert(name, service.clone());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), EffectError> {
        self.0.borrow_mut().remove(name);
        Ok(())
    }
}

#[derive(Default)]
struct Images(RefCell<BTreeSet<String>>);

impl ImageStore for Images {
    fn present(&self) -> Result<BTreeSet<String>, EffectError> {
        Ok(self.0.borrow().clone())
    }

    fn import(&self, image: &Image) -> Result<(), EffectError> {
        self.0.borrow_mut().insert(image.reference.clone());
        Ok(())
    }

    fn remove(&self, reference: &str) -> Result<(), EffectError> {
        self.0.borrow_mut().remove(reference);
        Ok(())
    }
}

fn resource(stage: Stage, kind: Kind) -> Resource {
    let why = "a test wants it".to_owned();
    Resource { stage, why, kind }
}

fn file(path: &str, contents: &str, owner: Owner) -> Resource {
    resource(
        Stage::Files,
        Kind::File(File {
            path: path.into(),
            contents: Contents::new(contents),
            mode: FileMode::SECRET,
            owner,
        }),
    )
}

fn directory(path: &str, owner: Owner, contents: DirectoryContents) -> Resource {
    resource(
        Stage::Files,
        Kind::Directory(Directory {
            path: path.into(),
            mode: FileMode::new(0o700).unwrap(),
            owner,
            contents,
        }),
    )
}

fn sysctl(key: &str) -> Resource {
    let key = key.to_owned();
    let value = SysctlValue::Exactly(1);
    resource(Stage::Host, Kind::Sysctl(Sysctl { key, value }))
}

fn service(name: &str) -> Resource {
    resource(
        Stage::Runtime,
        Kind::Service(Service {
            name: name.into(),
            description: String::new(),
            program: "/bin/true".into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            after: Vec::new(),
            inputs: String::new(),
            stop_seconds: 1,
        }),
    )
}

const ETCD: u32 = 52379;

/// What a node wants, with all its kinds.
fn node() -> Vec<Resource> {
    let etcd = Owner::both(ETCD);
    let mut wanted = vec![
        resource(
            Stage::Host,
            Kind::Account(Account {
                name: "kinstall-test".into(),
                id: ETCD,
            }),
        ),
        resource(
            Stage::Host,
            Kind::Module(Module {
                name: "ipv4".into(),
                proof: "/proc/sys/net/ipv4".into(),
            }),
        ),
        sysctl("net/ipv4/ip_forward"),
        sysctl("net/ipv6/conf/all/forwarding"),
        sysctl("net/ipv6/conf/default/forwarding"),
        directory("/var/lib/etcd", etcd, DirectoryContents::Data),
        directory("/var/lib/kubelet", Owner::ROOT, DirectoryContents::Ours),
        directory(
            "/etc/kubernetes/manifests",
            Owner::ROOT,
            DirectoryContents::Foreign,
        ),
        file("/etc/kubernetes/pki/etcd.key", "key", etcd),
        file("/etc/kubernetes/manifests/etcd.yaml", "pod", Owner::ROOT),
        resource(
            Stage::Files,
            Kind::Symlink(Symlink {
                path: "/etc/kubernetes/current".into(),
                target: "pki".into(),
            }),
        ),
        service("containerd"),
        service("kubelet"),
    ];
    let traces = [
        Trace::Link("cni0".into()),
        Trace::Link("veth*".into()),
        Trace::NftTable("ip kube-proxy".into()),
        Trace::IptablesChains("KUBE-".into()),
        Trace::IptablesChains("FLANNEL-".into()),
        Trace::Cgroup("kubepods".into()),
        Trace::Path("/var/lib/cni".into()),
        Trace::Path("/run/flannel".into()),
        Trace::Mounts("/var/lib/kubelet".into()),
        Trace::NetworkNamespaces("cni-".into()),
        Trace::Sysctl("net/ipv4/conf/all/route_localnet".into()),
    ];
    wanted.extend(traces.map(|trace| resource(Stage::Host, Kind::Trace(trace))));
    wanted.extend(desired::persisted(&wanted));
    wanted
}

struct Machine {
    services: Services,
    images: Images,
}

impl Machine {
    fn new() -> Self {
        Self {
            services: Services::default(),
            images: Images::default(),
        }
    }

    fn plan(&self, wanted: &[Resource]) -> Plan {
        let root = Root::machine();
        let ledger = Ledger::read(&root).unwrap();
        let images = Some(&self.images as &dyn ImageStore);
        let observed = Observed::read(&root, wanted, &ledger, &self.services, images).unwrap();
        Plan::new(wanted, &observed, &ledger)
    }

    fn run(&self, wanted: &[Resource]) -> Plan {
        let mut host = Host::open(Root::machine()).unwrap();
        let plan = self.plan(wanted);
        let effects = Effects {
            services: &self.services,
            images: Some(&self.images),
        };
        for stage in Stage::ALL {
            host.apply_stage(&plan, stage, wanted, effects, &mut |_| {})
                .unwrap_or_else(|error| panic!("{stage}: {error}"));
        }
        plan
    }

    #[track_caller]
    fn reset(&self, purge: bool) {
        let host = Host::open(Root::machine()).unwrap();
        let report = reset(host, &self.services, ResetOptions { purge }, &mut |_| {}).unwrap();
        assert_eq!((report.kept, report.notes), (vec![], vec![]));
    }
}

/// All that kinstall or a component may change on a machine.
fn snapshot() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for path in ["/etc", "/var/lib", "/run"] {
        tree(Path::new(path), &mut found);
    }
    // Of shadow(5)'s programs: copies of what was there before their last change, and their lock.
    found.retain(|path, _| {
        !(path.starts_with("/etc/") && (path.ends_with('-') || path.ends_with(".pwd.lock")))
    });
    sysctls(Path::new("/proc/sys/net"), &mut found);
    for (name, program, arguments) in [
        ("links", "ip", "-brief link"),
        ("nft", "nft", "list ruleset"),
        ("mounts", "findmnt", "--list --output TARGET,FSTYPE"),
    ] {
        let arguments: Vec<_> = arguments.split(' ').collect();
        found.insert(name.to_owned(), call(program, &arguments));
    }
    for family in ["iptables", "ip6tables"] {
        for end in ["legacy", "nft"] {
            let program = format!("{family}-{end}-save");
            // A legacy table stays once somebody has asked for it, and counts.
            let text = call(&program, &[]);
            let lines = text
                .lines()
                .filter(|line| line.starts_with('-') || line.ends_with("- [0:0]"));
            found.insert(program, lines.collect::<Vec<_>>().join("\n"));
        }
    }
    let mut processes = BTreeSet::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let path = entry.unwrap().path();
        let line = fs::read_to_string(path.join("cmdline")).unwrap_or_default();
        if !line.is_empty() {
            processes.insert(line.replace('\0', " "));
        }
    }
    found.insert("processes".into(), format!("{processes:#?}"));
    found
}

fn tree(path: &Path, found: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(path) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let data = path.symlink_metadata().unwrap();
        let mut text = format!("{:o} {}:{} ", data.mode(), data.uid(), data.gid());
        if data.is_dir() {
            tree(&path, found);
        } else if data.is_file() && !path.starts_with("/run/groups") {
            text.push_str(&String::from_utf8_lossy(
                &fs::read(&path).unwrap_or_default(),
            ));
        }
        found.insert(path.display().to_string(), text);
    }
}

fn sysctls(path: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sysctls(&path, found);
        } else if let Ok(value) = fs::read_to_string(&path) {
            found.insert(path.display().to_string(), value);
        }
    }
}

#[track_caller]
fn same(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let mut different = String::new();
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for key in keys {
        if before.get(key) != after.get(key) {
            let (before, after) = (before.get(key), after.get(key));
            different.push_str(&format!("{key}:\n{before:?}\n{after:?}\n"));
        }
    }
    assert!(different.is_empty(), "{different}");
}

fn spawn(name: &str, arguments: &str, group: Option<&str>) -> Child {
    let script = format!("exec -a {name} bash -c 'while :; do sleep 1000; done' {arguments}");
    let child = Command::new("bash")
        .args(["-c", &script])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    if let Some(group) = group {
        fs::create_dir_all(group).unwrap();
        fs::write(format!("{group}/cgroup.procs"), child.id().to_string()).unwrap();
    }
    child
}

/// What was on the machine before: some of it looks like ours.
fn bring_in_others() {
    call("ip", &["link", "add", "vethmine", "type", "bridge"]);
    call("ip", &["netns", "add", "mine"]);
    call("nft", &["add", "table", "inet", "mine"]);
    call("iptables-legacy", &["-N", "KUBE-OLD"]);
    call("iptables-legacy", &["-A", "FORWARD", "-j", "KUBE-OLD"]);
    call("iptables-nft", &["-N", "MINE"]);
    fs::create_dir_all("/run/flannel").unwrap();
    fs::write("/run/flannel/mine", "").unwrap();
    fs::create_dir_all("/run/groups/mine").unwrap();
    fs::create_dir("/var/lib/kubelet").unwrap();
    fs::write("/var/lib/kubelet/mine", "mine").unwrap();
    symlink("mine", "/var/lib/kubelet/link").unwrap();
    fs::create_dir_all("/etc/kubernetes/manifests").unwrap();
}

/// What components do at run time. Returns what has to end.
fn run_components() -> Vec<Child> {
    call("ip", &["link", "add", "cni0", "type", "bridge"]);
    call("ip", &["netns", "add", "cni-1234"]);
    let veth = "link add veth12 type veth peer name eth0 netns cni-1234";
    call("ip", &veth.split(' ').collect::<Vec<_>>());
    call("nft", &["add", "table", "ip", "kube-proxy"]);
    call("nft", &["add", "chain", "ip", "kube-proxy", "services"]);
    for tool in [
        "iptables-legacy",
        "iptables-nft",
        "ip6tables-legacy",
        "ip6tables-nft",
    ] {
        for chain in ["KUBE-FORWARD", "KUBE-MARK", "FLANNEL-FWD"] {
            call(tool, &["-N", chain]);
        }
        let lead = "-A FORWARD -m comment --comment";
        let mut arguments: Vec<_> = lead.split(' ').collect();
        arguments.extend(["kubernetes \"forwarding\" rules", "-j", "KUBE-FORWARD"]);
        call(tool, &arguments);
        call(tool, &["-A", "KUBE-FORWARD", "-j", "KUBE-MARK"]);
        call(tool, &["-A", "FORWARD", "-j", "FLANNEL-FWD"]);
        call(tool, &["-t", "nat", "-N", "KUBE-POSTROUTING"]);
        call(
            tool,
            &["-t", "nat", "-A", "POSTROUTING", "-j", "KUBE-POSTROUTING"],
        );
    }
    fs::create_dir_all("/var/lib/cni/networks/cbr0").unwrap();
    fs::write("/var/lib/cni/networks/cbr0/10.9.0.2", "").unwrap();
    fs::create_dir_all("/var/lib/kubelet/pods/1/volumes").unwrap();
    for kind in [["tmpfs", "tmpfs"], ["--bind", "/etc"]] {
        let mut arguments = vec![if kind[0] == "tmpfs" { "-t" } else { "--bind" }];
        arguments.extend(&kind[usize::from(kind[0] != "tmpfs")..]);
        arguments.push("/var/lib/kubelet/pods/1/volumes");
        call("mount", &arguments);
    }
    fs::create_dir_all("/var/lib/etcd/member").unwrap();
    fs::write("/proc/sys/net/ipv4/conf/all/route_localnet", "1").unwrap();
    let shim = "-namespace k8s.io -address /run/containerd/containerd.sock";
    vec![
        spawn("pod", "", Some("/run/groups/kubepods/burstable/pod1")),
        spawn("containerd-shim-runc-v2", shim, None),
    ]
}

#[test]
fn everything_is_made_and_undone() {
    on_a_machine("everything_is_made_and_undone", || {
        bring_in_others();
        let mine = spawn(
            "containerd-shim-runc-v2",
            "-namespace moby",
            Some("/run/groups/mine"),
        );
        let before = snapshot();
        let machine = Machine::new();
        machine.run(&node());
        let again = machine.run(&node());
        assert!(again.is_empty(), "{again:?}");
        let account = call("getent", &["passwd", "kinstall-test"]);
        assert_eq!(
            account,
            format!("kinstall-test:x:{ETCD}:{ETCD}::/nonexistent:/usr/sbin/nologin\n")
        );
        let key = fs::metadata("/etc/kubernetes/pki/etcd.key").unwrap();
        assert_eq!((key.uid(), key.gid(), key.mode()), (ETCD, ETCD, 0o100600));
        let forwarding = || call("sysctl", &["-n", "net.ipv6.conf.default.forwarding"]);
        assert_eq!(forwarding(), "1\n");
        call("sysctl", &["-w", "net.ipv6.conf.all.forwarding=0"]);
        assert_eq!(machine.run(&node()).changes.len(), 2, "of both");
        assert_eq!(forwarding(), "1\n");
        // What is persisted is what sysctl(8) reads.
        call("sysctl", &["-p", "/etc/sysctl.d/90-kinstall.conf"]);

        let children = run_components();
        let ledger = fs::read("/var/lib/kinstall/ledger.json").unwrap();
        machine.reset(true);
        for mut child in children {
            assert_eq!(child.wait().unwrap().signal(), Some(9));
        }
        same(&before, &snapshot());
        // As if the end of the first had been cut off.
        fs::create_dir("/var/lib/kinstall").unwrap();
        fs::write("/var/lib/kinstall/ledger.json", ledger).unwrap();
        machine.reset(true);
        same(&before, &snapshot());
        drop(mine);
    });
}

#[test]
fn a_mount_that_is_not_ours_is_not_emptied() {
    on_a_machine("a_mount_that_is_not_ours_is_not_emptied", || {
        let machine = Machine::new();
        let wanted = [directory(
            "/var/lib/x",
            Owner::ROOT,
            DirectoryContents::Ours,
        )];
        machine.run(&wanted);
        fs::create_dir_all("/var/lib/x/deep/disk").unwrap();
        fs::create_dir_all("/run/disk").unwrap();
        fs::write("/run/disk/photo", "precious").unwrap();
        call("mount", &["--bind", "/run/disk", "/var/lib/x/deep/disk"]);
        let host = Host::open(Root::machine()).unwrap();
        let purge = ResetOptions { purge: true };
        let error = reset(host, &machine.services, purge, &mut |_| {}).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/var/lib/x is not removed: something is mounted on /var/lib/x/deep/disk"
        );
        assert_eq!(
            error.hint().unwrap(),
            "umount /var/lib/x/deep/disk, then run again"
        );
        assert_eq!(fs::read_to_string("/run/disk/photo").unwrap(), "precious");
        call("umount", &["/var/lib/x/deep/disk"]);
        machine.reset(true);
        assert!(!Path::new("/var/lib/x").exists());
    });
}

#[test]
fn what_a_kernel_lacks_is_said() {
    on_a_machine("what_a_kernel_lacks_is_said", || {
        let machine = Machine::new();
        let fails = |kind: Kind| {
            let wanted = [resource(Stage::Host, kind)];
            let mut host = Host::open(Root::machine()).unwrap();
            let plan = machine.plan(&wanted);
            let effects = Effects {
                services: &machine.services,
                images: None,
            };
            let done = host.apply_stage(&plan, Stage::Host, &wanted, effects, &mut |_| {});
            let error = done.unwrap_err();
            (error.to_string(), error.hint().unwrap())
        };
        let (fact, hint) = fails(Kind::Module(Module {
            name: "no_such_module".into(),
            proof: "/proc/sys/no".into(),
        }));
        assert!(
            fact.starts_with("the kernel has no module no_such_module: "),
            "{fact}"
        );
        assert!(
            hint.ends_with("or use a kernel with no_such_module built in"),
            "{hint}"
        );
        let (fact, hint) = fails(Kind::Sysctl(Sysctl {
            key: "net/no".into(),
            value: SysctlValue::Exactly(1),
        }));
        assert_eq!(fact, "the kernel has no sysctl net/no");
        assert_eq!(hint, "use a kernel that has it, or load its module");
    });
}

#[test]
fn a_full_disk_is_said_and_a_rerun_finishes() {
    on_a_machine("a_full_disk_is_said_and_a_rerun_finishes", || {
        fs::create_dir("/var/lib/small").unwrap();
        call(
            "mount",
            &["-t", "tmpfs", "-o", "size=64k", "tmpfs", "/var/lib/small"],
        );
        let fill = "x".repeat(60_000);
        fs::write("/var/lib/small/fill", &fill).unwrap();
        let wanted = [file("/var/lib/small/new", &fill, Owner::ROOT)];
        let machine = Machine::new();
        let mut host = Host::open(Root::machine()).unwrap();
        let plan = machine.plan(&wanted);
        let effects = Effects {
            services: &machine.services,
            images: None,
        };
        let done = host.apply_stage(&plan, Stage::Files, &wanted, effects, &mut |_| {});
        let error = done.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("/var/lib/small/new: cannot be written: "),
            "{error}"
        );
        assert_eq!(
            error.hint().unwrap(),
            "make room on that file system, then run again"
        );
        assert!(!Path::new("/var/lib/small/new").exists());
        drop(host);
        fs::remove_file("/var/lib/small/fill").unwrap();
        machine.run(&wanted);
        assert!(machine.plan(&wanted).is_empty());
        let names = fs::read_dir("/var/lib/small").unwrap();
        assert_eq!(names.count(), 1);
    });
}

/// Many files, so that a run takes its time.
fn many() -> Vec<Resource> {
    let mut wanted = node();
    let file = |index| {
        let path = format!("/etc/kubernetes/many/{}/{index}", index % 10);
        file(&path, &"text".repeat(index), Owner::both(ETCD))
    };
    wanted.extend((0..100).map(file));
    wanted
}

#[test]
fn killed_at_twenty_points_it_finishes() {
    if std::env::var_os(WORKER).is_some() {
        Machine::new().run(&many());
        return;
    }
    on_a_machine("killed_at_twenty_points_it_finishes", || {
        bring_in_others();
        let before = snapshot();
        let worker = || {
            Command::new(std::env::current_exe().unwrap())
                .args(["killed_at_twenty_points_it_finishes", "--exact"])
                .env(WORKER, "1")
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        };
        let begin = Instant::now();
        assert!(worker().wait().unwrap().success());
        let whole = begin.elapsed();
        Machine::new().reset(true);
        for point in 1..=20 {
            let mut child = worker();
            std::thread::sleep(whole * point / 21);
            // Best effort: it may be done before.
            let _ = child.kill();
            child.wait().unwrap();
            let machine = Machine::new();
            machine.run(&many());
            let again = machine.plan(&many());
            assert!(again.is_empty(), "{point}: {again:?}");
            machine.reset(true);
            same(&before, &snapshot());
        }
    });
}

#[test]
fn a_finished_node_is_read_fast() {
    on_a_machine("a_finished_node_is_read_fast", || {
        let machine = Machine::new();
        machine.run(&many());
        let begin = Instant::now();
        assert!(machine.run(&many()).is_empty());
        // Read by the benchmark, not held to anything here.
        eprintln!("{} resources: {:?}", many().len(), begin.elapsed());
    });
}
