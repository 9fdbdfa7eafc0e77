//! Whole nodes: what each component gets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pki_core::cluster::spec::Role;

use super::*;
use crate::addon::testing::{IPV6, UNUSUAL, spec};
use crate::desired::{EtcdPeer, EtcdStart, Facts, InitSystem, Kind, Program, Programs, Stage};
use crate::machine::programs::wanted;

/// As it could be found on a machine.
fn programs(spec: &NodeSpec) -> Programs {
    let one = |name: &str| Program {
        path: format!("/opt/programs/{name}").into(),
        version: "1.2.3".into(),
        digest: format!("digest of {name}"),
        libraries: vec![],
    };
    let wanted = wanted(&spec.cluster, &spec.node, spec.options.network);
    let of = |wish: crate::machine::programs::ProgramWish| (wish.name.clone(), one(&wish.name));
    Programs(wanted.into_iter().map(of).collect())
}

fn node(toml: &str) -> NodeSpec {
    let mut spec = spec(toml);
    spec.programs = programs(&spec);
    spec
}

fn made(spec: &NodeSpec) -> Vec<Resource> {
    resources(spec, &Images::new(spec)).expect("all is there")
}

/// Resources as text, without what differs from one run to the next: keys and what is digested of them.
fn text(resources: &[Resource]) -> String {
    let mut text = String::new();
    for resource in resources {
        writeln!(text, "{}: {}", resource.stage, resource.id()).unwrap();
        match &resource.kind {
            Kind::Account(account) => writeln!(text, "  {}", account.id).unwrap(),
            Kind::Directory(directory) => {
                let (mode, owner) = (directory.mode, directory.owner);
                let contents = directory.contents;
                writeln!(text, "  {mode} {}:{} {contents:?}", owner.user, owner.group).unwrap();
            }
            Kind::File(file) => {
                writeln!(
                    text,
                    "  {} {}:{}",
                    file.mode, file.owner.user, file.owner.group
                )
                .unwrap();
                let generated = ["yaml", "toml", "conflist"];
                let ending = file.path.extension().and_then(|ending| ending.to_str());
                let known = ending.is_some_and(|ending| generated.contains(&ending));
                if known && !file.path.ends_with("encryption-config.yaml") {
                    let contents = String::from_utf8_lossy(file.contents.secret_bytes());
                    for line in contents.lines() {
                        match line.split_once("kinstall.internal/inputs: ") {
                            Some((start, _)) => {
                                writeln!(text, "    {start}kinstall.internal/inputs: ...")
                            }
                            None => writeln!(text, "    {line}"),
                        }
                        .unwrap();
                    }
                }
            }
            Kind::Symlink(link) => writeln!(text, "  {}", link.target.display()).unwrap(),
            Kind::Sysctl(sysctl) => writeln!(text, "  {:?}", sysctl.value).unwrap(),
            Kind::Module(module) => writeln!(text, "  {}", module.proof.display()).unwrap(),
            Kind::Image(image) => writeln!(text, "  {:?}", image.files.keys()).unwrap(),
            Kind::Service(service) => {
                writeln!(text, "  {}", service.program.display()).unwrap();
                for argument in &service.arguments {
                    let cut = argument
                        .starts_with("--cert-dir")
                        .then(|| argument.rsplit_once('/'));
                    match cut.flatten() {
                        Some((start, _)) => writeln!(text, "    {start}/..."),
                        None => writeln!(text, "    {argument}"),
                    }
                    .unwrap();
                }
                writeln!(text, "  {:?} {:?}", service.environment, service.after).unwrap();
            }
            Kind::Trace(_) => {}
        }
    }
    text
}

#[test]
fn a_node_of_both_families() {
    insta::assert_snapshot!(text(&made(&node(UNUSUAL))));
}

#[test]
fn a_node_of_ipv6_alone() {
    insta::assert_snapshot!(text(&made(&node(IPV6))));
}

/// Nobody's defaults, in a cluster that has none of them: kubeadm's and flannel's pod and service networks, kube-dns'
/// address, the domain.
#[test]
fn no_default_is_left() {
    for resource in made(&node(UNUSUAL)) {
        let mut text = format!("{resource:?}");
        if let Kind::File(file) = &resource.kind {
            let kpkis = file.path.starts_with("/etc/kubernetes")
                && !file.path.starts_with("/etc/kubernetes/manifests");
            if !kpkis {
                text.push_str(&String::from_utf8_lossy(file.contents.secret_bytes()));
            }
        }
        for default in [
            "10.96.",
            "10.244.",
            "10.3.",
            "cluster.local",
            ":6443",
            "=6443",
        ] {
            assert!(!text.contains(default), "{default} in {}", resource.id());
        }
    }
}

#[test]
fn no_two_are_the_same_and_parents_come_first() {
    let resources = made(&node(UNUSUAL));
    let mut seen: BTreeMap<String, ()> = BTreeMap::new();
    for resource in &resources {
        let id = resource.id().0;
        let path = match &resource.kind {
            Kind::Directory(directory) => Some(&directory.path),
            Kind::File(file) => Some(&file.path),
            _ => None,
        };
        let ours = [
            "/etc/kubernetes/",
            "/var/lib/kinstall/",
            "/etc/cni/",
            "/opt/cni/",
        ];
        if let Some(path) = path
            && ours.iter().any(|start| path.starts_with(start))
            && let Some(parent) = path.parent()
            && ours.iter().any(|start| parent.starts_with(start))
        {
            let parent = format!("directory {}", parent.display());
            assert!(seen.contains_key(&parent), "{id} before {parent}");
        }
        assert!(seen.insert(id.clone(), ()).is_none(), "{id} twice");
    }
}

/// A static pod may name nothing that is in the API (no Secret, no ConfigMap, no ServiceAccount), and its volumes are on
/// the host, where something makes them.
#[test]
fn static_pods_stand_alone() {
    let resources = made(&node(UNUSUAL));
    let directories: Vec<_> = resources
        .iter()
        .filter_map(|resource| match &resource.kind {
            Kind::Directory(directory) => Some(directory.path.display().to_string()),
            _ => None,
        })
        .collect();
    let mut pods = 0;
    for resource in &resources {
        let Kind::File(file) = &resource.kind else {
            continue;
        };
        if !file.path.starts_with("/etc/kubernetes/manifests") {
            continue;
        }
        pods += 1;
        let text = String::from_utf8_lossy(file.contents.secret_bytes()).into_owned();
        for word in ["secretName", "configMap:", "serviceAccountName", "tokens"] {
            assert!(!text.contains(word), "{word} in {}", resource.id());
        }
        let pods = crate::addon::yaml::read(&text).expect("YAML");
        for volume in pods[0]["spec"]["volumes"].as_array().expect("volumes") {
            let path = volume["hostPath"]["path"].as_str().expect("on the host");
            assert!(directories.iter().any(|one| one == path), "{path}");
        }
        let security = &pods[0]["spec"]["securityContext"];
        assert_eq!(security["runAsNonRoot"], true);
        assert!(security["runAsUser"].as_u64().is_some_and(|id| id > 0));
    }
    assert_eq!(pods, 4);
}

/// A component that reads a file again by itself is not restarted for it; one that does not is.
#[test]
fn what_a_renewed_file_restarts() {
    const COMPONENTS: [&str; 5] = [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
    ];
    // Of a static pod the manifest, of the kubelet the inputs.
    let identity = |spec: &NodeSpec, name: &str| {
        let resources = made(spec);
        let ids = [
            format!("file /etc/kubernetes/manifests/{name}.yaml"),
            format!("service {name}"),
        ];
        let found = resources.iter().find(|one| ids.contains(&one.id().0));
        match &found.expect("it is there").kind {
            Kind::File(file) => file.contents.digest(),
            Kind::Service(service) => service.inputs.clone(),
            _ => unreachable!("it is a file or a service"),
        }
    };
    let first = node(UNUSUAL);
    for (file, restarted) in [
        ("pki/apiserver.crt", &[][..]),
        ("pki/apiserver.key", &[]),
        ("pki/apiserver-etcd-client.crt", &[]),
        ("pki/apiserver-kubelet-client.crt", &[]),
        ("pki/front-proxy-client.crt", &[]),
        ("pki/etcd/server.crt", &[]),
        ("pki/etcd/peer.key", &[]),
        ("pki/kubelet.crt", &[]),
        ("pki/kubelet.key", &[]),
        ("controller-manager.conf", &["kube-controller-manager"]),
        ("scheduler.conf", &["kube-scheduler"]),
        ("kubelet.conf", &["kubelet"]),
        ("pki/etcd/ca.crt", &["etcd", "kube-apiserver"]),
        ("pki/sa.key", &["kube-apiserver", "kube-controller-manager"]),
        ("pki/encryption-config.yaml", &["kube-apiserver"]),
    ] {
        let mut second = first.clone();
        let renewed = second.tree.get_mut(std::path::Path::new(file));
        renewed.expect(file).contents = crate::desired::Contents::new("another");
        let changed = |name: &&str| identity(&first, name) != identity(&second, name);
        let changed: Vec<_> = COMPONENTS.into_iter().filter(changed).collect();
        assert_eq!(changed, restarted, "{file}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let mut spec = node(UNUSUAL);
    spec.tree
        .remove(std::path::Path::new("pki/front-proxy-ca.crt"));
    let error = resources(&spec, &Images::new(&spec)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "kube-apiserver needs pki/front-proxy-ca.crt, which the node's tree does not have"
    );
}

/// One CA for everything: etcd would answer every kubelet.
#[test]
fn makecerts_carries_no_node() {
    let spec = node(&format!("profile = 'makecerts'\n{UNUSUAL}"));
    let error = resources(&spec, &Images::new(&spec)).unwrap_err();
    assert_eq!(error, ComponentError::SharedAuthority);
}

#[test]
fn hardened_has_its_own_ca_of_clients() {
    let resources = made(&node(&format!("profile = 'hardened'\n{UNUSUAL}")));
    let text = text(&resources);
    for wanted in [
        "--client-ca-file=/etc/kubernetes/pki/client-ca.crt",
        "--root-ca-file=/etc/kubernetes/pki/ca.crt",
        "--kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt",
        "--cluster-signing-kubelet-client-key-file=/etc/kubernetes/pki/client-ca.key",
        "--trusted-ca-file=/etc/kubernetes/pki/etcd/trusted-ca.crt",
        "--peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt",
        "clientCAFile: /etc/kubernetes/pki/client-ca.crt",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
    assert!(!text.contains("--cluster-signing-key-file"));
}

const OTHER_CA: &str = include_str!("../../../pki-core/src/x509/fixtures/client-ca.crt");

/// The controller manager does not start where the CA that it signs with is not alone in its file; all others trust both.
#[test]
fn a_successor_is_trusted_and_does_not_sign() {
    for (profile, ca, alone) in [
        ("kubeadm", "pki/ca.crt", "pki/signing/ca.crt"),
        ("hardened", "pki/client-ca.crt", "pki/signing/client-ca.crt"),
    ] {
        let mut spec = node(&format!("profile = '{profile}'\n{UNUSUAL}"));
        let both = |resources: &[Resource], path: &str| {
            let place = format!("kube-controller-manager/{path}");
            let mut files = resources
                .iter()
                .filter_map(|resource| match &resource.kind {
                    Kind::File(file) if file.path.ends_with(&place) => Some(file),
                    _ => None,
                });
            files.next().map(|file| {
                let text = String::from_utf8_lossy(file.contents.secret_bytes()).into_owned();
                text.matches("BEGIN CERTIFICATE").count()
            })
        };
        let before = made(&spec);
        assert_eq!((both(&before, ca), both(&before, alone)), (Some(1), None));
        let file = spec.tree.get_mut(std::path::Path::new(ca)).unwrap();
        let twice = [file.contents.secret_bytes(), b"\n", OTHER_CA.as_bytes()].concat();
        file.contents = crate::desired::Contents::new(twice);
        let after = made(&spec);
        assert_eq!(both(&after, alone), Some(1), "{profile}");
        let text = text(&after);
        assert!(text.contains(&format!("cert-file=/etc/kubernetes/{alone}")));
        assert!(!text.contains(&format!("signing-cert-file=/etc/kubernetes/{ca}")));
        assert!(text.contains(&format!("--client-ca-file=/etc/kubernetes/{ca}")));
    }
}

const THREE: &str = "\
service-cidr = '172.20.0.0/16'
pod-cidr = '172.28.0.0/15'
endpoint = 'api.corp.example:443'
[[node]]
name = 'cp1'
addresses = ['198.51.100.1']
roles = ['control-plane', 'etcd']
[[node]]
name = 'cp2'
addresses = ['198.51.100.2']
roles = ['control-plane']
[[node]]
name = 'w1'
addresses = ['198.51.100.3']
roles = ['worker']
";

#[test]
fn more_nodes_elect_a_leader_and_keep_pods_off_the_control_plane() {
    let spec = node(THREE);
    assert!(elects_leader(&spec));
    assert!(!elects_leader(&node(UNUSUAL)));
    let text = text(&made(&spec));
    assert!(text.contains("--leader-elect=true"));
    assert!(text.contains("registerWithTaints"));
    // The name in front of three is not this node.
    assert!(text.contains("--secure-port=6443"));
}

#[test]
fn roles_decide() {
    let mut spec = node(THREE);
    for (index, node) in spec.cluster.nodes().to_vec().into_iter().enumerate() {
        spec.node = node;
        spec.programs = programs(&spec);
        let resources = made(&spec);
        let has = |id: &str| resources.iter().any(|resource| resource.id().0 == id);
        let manifest = |name: &str| has(&format!("file /etc/kubernetes/manifests/{name}.yaml"));
        assert_eq!(manifest("etcd"), spec.has(Role::Etcd), "{index}");
        assert_eq!(
            manifest("kube-apiserver"),
            spec.has(Role::ControlPlane),
            "{index}"
        );
        assert!(has("service kubelet") && has("service containerd"));
        let images = Images::new(&spec);
        assert_eq!(images.etcd.is_empty(), !spec.has(Role::Etcd));
        // The cluster's pods come to a worker at once.
        let is_image = |one: &&Resource| matches!(one.kind, Kind::Image(_));
        let mut made = resources.iter().filter(is_image);
        let all_first = made.all(|image| image.stage == Stage::Images);
        assert_eq!(all_first, !spec.has(Role::ControlPlane));
    }
}

const MEMBERS: &str = "\
name = 'green'
service-cidr = '172.20.0.0/16'
pod-cidr = '172.28.0.0/15'
[[node]]
name = 'cp1'
addresses = ['198.51.100.1']
roles = ['control-plane', 'etcd']
[[node]]
name = 'cp2'
addresses = ['198.51.100.2']
roles = ['control-plane', 'etcd']
";

/// It begins alone, whatever cluster.toml has besides, or joins those that are there; and it is remembered.
#[test]
fn etcd_begins_as_it_was_decided() {
    let mut spec = node(MEMBERS);
    let peer = |number: u8| EtcdPeer {
        name: format!("cp{number}"),
        url: format!("https://198.51.100.{number}:2380"),
    };
    let alone = EtcdStart::Alone {
        token: "green-77".into(),
    };
    let joined = EtcdStart::Joined {
        members: vec![peer(1), peer(2)],
    };
    for (start, wanted) in [
        (
            None,
            [
                "--initial-cluster=cp1=https://198.51.100.1:2380\n",
                "--initial-cluster-state=new\n",
                "--initial-cluster-token=green\n",
            ],
        ),
        (
            Some(alone),
            [
                "--initial-cluster=cp1=https://198.51.100.1:2380\n",
                "--initial-cluster-state=new\n",
                "--initial-cluster-token=green-77\n",
            ],
        ),
        (
            Some(joined),
            [
                "--initial-cluster=cp1=https://198.51.100.1:2380,cp2=https://198.51.100.2:2380\n",
                "--initial-cluster-state=existing\n",
                "--initial-cluster-token=green\n",
            ],
        ),
    ] {
        spec.etcd = start.clone();
        let resources = made(&spec);
        let text = text(&resources);
        for wanted in wanted {
            assert!(text.contains(wanted), "{wanted} {start:?}");
        }
        // Upstream's times: there will be others.
        assert!(!text.contains("--heartbeat-interval"));
        let id = "file /var/lib/kinstall/etcd.toml";
        let remembered = resources.iter().any(|resource| resource.id().0 == id);
        assert_eq!(remembered, start.is_some());
        let (arguments, _) = etcd_command_line(&spec).expect("all is there");
        assert!(arguments.iter().all(|argument| text.contains(argument)));
    }
}

#[test]
fn an_account_that_is_there_keeps_its_number() {
    let mut spec = node(UNUSUAL);
    spec.facts.accounts = [("etcd".to_owned(), 117)].into();
    let text = text(&made(&spec));
    assert!(text.contains("0700 117:117 Data"), "{text}");
    assert!(text.contains("runAsUser: 117"));
    assert!(!text.contains("52379"));
}

#[test]
fn the_machine_decides_about_control_groups() {
    let mut spec = node(UNUSUAL);
    spec.facts = Facts {
        init: InitSystem::Systemd,
        cgroups: crate::desired::CgroupVersion::V2,
        has_sys_resource: true,
        ..spec.facts
    };
    let text = text(&made(&spec));
    for wanted in [
        "cgroupDriver: systemd",
        "failCgroupV1: true",
        "SystemdCgroup = true",
        "restrict_oom_score_adj = false",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
}
