//! Policies as they are written, and what each of their words lets through.

use proptest::prelude::*;
use ring::rand::SystemRandom;

use super::*;
use crate::cluster::blueprint::Blueprint;
use crate::cluster::profile::Profile;
use crate::cluster::spec::{ClusterSpec, NodeDocument, UserDocument};
use crate::x509::{DistinguishedName, PrivateKey};

struct Scene {
    spec: ClusterSpec,
    blueprint: Blueprint,
    key: PrivateKey,
}

impl Scene {
    fn new() -> Self {
        let spec = ClusterSpec::builder()
            .service_cidrs(["10.3.0.0/24"])
            .endpoint("api.corp.example")
            .node(NodeDocument::new("cp1").addresses(["192.0.2.11"]).roles([
                "control-plane",
                "etcd",
                "worker",
            ]))
            .node(
                NodeDocument::new("w1")
                    .addresses(["192.0.2.21"])
                    .sans(["w1.rack.example"]),
            )
            .user(UserDocument::new("alice").groups(["dev", "ops", "Größe"]))
            .build()
            .unwrap();
        let blueprint = Blueprint::new(&spec, &Profile::kubeadm()).unwrap();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &SystemRandom::new()).unwrap();
        Self {
            spec,
            blueprint,
            key,
        }
    }

    fn check(
        &self,
        policy: &SigningPolicy,
        name: &str,
        groups: &[&str],
        sans: &[&str],
        usages: &[Usage],
    ) -> Result<Allowed, Refused> {
        let sans: Vec<_> = sans.iter().map(|san| san.parse().unwrap()).collect();
        let subject = DistinguishedName::new(name, groups);
        let request = SigningRequest::generate(&subject, &sans, usages, &self.key).unwrap();
        let ground = Ground {
            spec: &self.spec,
            blueprint: &self.blueprint,
        };
        policy.check(&Wish::new(&request), Some(&ground))
    }

    fn codes(&self, policy: &str, name: &str, groups: &[&str], sans: &[&str]) -> Vec<&'static str> {
        let policy = SigningPolicy::shipped(policy).unwrap();
        match self.check(&policy, name, groups, sans, &[]) {
            Ok(_) => Vec::new(),
            Err(refused) => refused.reasons.iter().map(Refusal::code).collect(),
        }
    }
}

#[test]
fn every_shipped_policy_is_read_under_its_own_name() {
    for name in SigningPolicy::shipped_names() {
        let text = SigningPolicy::shipped_text(name).unwrap();
        let policy =
            SigningPolicy::from_toml(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(policy.name(), name);
        assert!(!policy.description().is_empty());
    }
    let of = |signer| SigningPolicy::for_signer(signer).map(|policy| policy.name().to_owned());
    assert_eq!(
        of("kubernetes.io/kubelet-serving").as_deref(),
        Some("kubelet-serving")
    );
    assert_eq!(of("kubernetes.io/legacy-unknown"), None);
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let text = "name = 'mine'\ncommon-names = ['a*b', '{nobody}']\nusages = ['peer']\ndns = ['*.corp']\n\
                addresses = ['10.0.0.0/33']\nvalidity = 'long'\nkey-algorithms = ['rsa-1024']\n";
    let error = SigningPolicy::from_toml(text).unwrap_err();
    let lines: Vec<_> = error.mistakes.iter().map(|m| (m.line, m.field)).collect();
    assert_eq!(
        lines,
        [
            (Some(2), "common-names"),
            (Some(2), "common-names"),
            (Some(3), "usages"),
            (Some(4), "dns"),
            (Some(5), "addresses"),
            (Some(6), "validity"),
            (Some(7), "key-algorithms"),
        ]
    );
    let told = error.mistakes[2].display("mine.toml").to_string();
    assert_eq!(
        told,
        "mine.toml:3: usages: \"peer\" is none of server, client"
    );
    for (text, fact) in [
        (
            "name = 'a'\nusages = ['client']\nvalidity = '1y'\n",
            "nobody could have",
        ),
        (
            "name = 'a'\ncommon-names = ['*']\nusages = []\nvalidity = '1y'\n",
            "empty list",
        ),
        ("name = 'a'\nunknown = 1\n", "unknown field"),
        ("name =", ""),
    ] {
        let error = SigningPolicy::from_toml(text).unwrap_err().to_string();
        assert!(error.contains(fact), "{error}");
    }
}

#[test]
fn people_get_their_own_name_and_groups() {
    let scene = Scene::new();
    let codes = |name, groups: &[&str]| scene.codes("people", name, groups, &[]);
    assert!(codes("alice", &["ops"]).is_empty());
    assert!(codes("alice", &[]).is_empty());
    assert!(codes("alice", &["Größe"]).is_empty(), "it is hers");
    assert_eq!(codes("alice", &["system:masters"]), ["group"]);
    assert_eq!(codes("bob", &[]), ["no-user"]);
    assert_eq!(codes("kubernetes-admin", &[]), ["no-user"]);
}

#[test]
fn a_pattern_gives_away_nothing_that_is_somebody_s() {
    let scene = Scene::new();
    let codes = |name| scene.codes("client", name, &[], &[]);
    assert!(codes("backup-job").is_empty());
    assert_eq!(codes("alice"), ["name-taken"]);
    assert_eq!(codes("front-proxy-client"), ["name-taken"]);
    assert_eq!(codes("System:kube-scheduler"), ["common-name"]);
    let text = "name = 'any'\ncommon-names = ['*']\ngroups = ['*']\nusages = ['client']\nvalidity = '1d'\n";
    let any = SigningPolicy::from_toml(text).unwrap();
    let codes = |group: &str| match scene.check(&any, "backup-job", &[group], &[], &[]) {
        Ok(_) => Vec::new(),
        Err(refused) => refused.reasons.iter().map(Refusal::code).collect(),
    };
    assert!(codes("team-a").is_empty());
    assert_eq!(codes("system:masters"), ["group"]);
    assert_eq!(codes("kubeadm:cluster-admins"), ["group-taken"]);
    assert_eq!(codes("tеam"), ["text"], "the second letter is Cyrillic");
}

#[test]
fn servers_get_names_below_the_domain_but_none_of_the_cluster_s_own() {
    let scene = Scene::new();
    let codes = |name, sans: &[&str]| scene.codes("server", name, &[], sans);
    let (short, long) = ("hook.apps.svc", "hook.apps.svc.cluster.local");
    assert!(codes(short, &[short, long, "10.3.0.77"]).is_empty());
    assert_eq!(codes("elsewhere.example", &[short]), ["common-name"]);
    assert_eq!(
        codes("kubernetes.default.svc", &["kubernetes.default.svc"]),
        ["server-taken"]
    );
    assert_eq!(codes(short, &[short, "10.3.0.1"]), ["server-taken"]);
    assert_eq!(codes(short, &[short, "192.0.2.21"]), ["name"]);
    assert_eq!(codes(short, &[short, "*.apps.svc"]), ["wildcard"]);
    let text = "name = 'wild'\ncommon-name-required = false\nusages = ['server']\ndns = ['.{domain}', '.svc', 'a.example']\n\
                wildcards = true\nvalidity = '1d'\n";
    let wild = SigningPolicy::from_toml(text).unwrap();
    let codes = |san: &str| match scene.check(&wild, "", &[], &[san], &[]) {
        Ok(_) => Vec::new(),
        Err(refused) => refused
            .reasons
            .iter()
            .map(Refusal::code)
            .filter(|code| *code != "no-common-name")
            .collect(),
    };
    assert!(codes("*.apps.svc").is_empty());
    assert_eq!(codes("*.default.svc"), ["server-taken"]);
    assert_eq!(codes("*.a.example"), ["name"]);
    assert_eq!(codes("x.a.example"), ["name"]);
}

#[test]
fn usages_are_those_asked_for_or_all() {
    let scene = Scene::new();
    let text = "name = 'peer'\ncommon-names = ['etcd-*']\nusages = ['server', 'client']\nvalidity = '1d'\n";
    let peer = SigningPolicy::from_toml(text).unwrap();
    let usages = |asked: &[Usage]| {
        let allowed = scene.check(&peer, "etcd-1", &[], &[], asked).unwrap();
        allowed.certificate().usages.clone()
    };
    assert_eq!(usages(&[]), [Usage::Server, Usage::Client]);
    assert_eq!(usages(&[Usage::Client]), [Usage::Client]);
    let kubelet = SigningPolicy::shipped("kubelet-client").unwrap();
    let refused = scene.check(
        &kubelet,
        "system:node:w1",
        &["system:nodes"],
        &[],
        &[Usage::Server],
    );
    assert_eq!(
        refused.unwrap_err().to_string(),
        "it asks for the usage server: policy kubelet-client gives client"
    );
}

#[test]
fn without_a_cluster_words_mean_nothing() {
    let scene = Scene::new();
    let subject = DistinguishedName::new("system:node:w1", &["system:nodes"]);
    let request = SigningRequest::generate(&subject, &[], &[], &scene.key).unwrap();
    let policy = SigningPolicy::shipped("kubelet-client").unwrap();
    let refused = policy.check(&Wish::new(&request), None).unwrap_err();
    assert_eq!(refused.reasons[0].code(), "no-cluster");
}

proptest! {
    /// Whatever is asked for: what the policy for kubelets lets through is a kubelet's, to the letter.
    #[test]
    fn only_kubelets_get_past_their_policy(
        name in "(system:node:)?[Ss]?(cp1|w1|w2|W1)[. \u{0}]?",
        groups in prop::collection::vec("(system:nodes|system:Nodes|system:masters| system:nodes|)", 0..3),
        sans in prop::collection::vec("(w1|cp1|kubernetes|192\\.0\\.2\\.(11|21)|w1\\.rack\\.example)", 0..3),
        serving: bool,
    ) {
        let scene = Scene::new();
        let policy = if serving { "kubelet-serving" } else { "kubelet-client" };
        let policy = SigningPolicy::shipped(policy).unwrap();
        let (groups, sans): (Vec<_>, Vec<_>) = (
            groups.iter().map(String::as_str).collect(),
            sans.iter().map(String::as_str).collect(),
        );
        if let Ok(allowed) = scene.check(&policy, &name, &groups, &sans, &[]) {
            let certificate = allowed.certificate();
            let node = certificate.subject.common_name().unwrap().strip_prefix("system:node:").unwrap();
            let node = scene.spec.node(node).unwrap();
            prop_assert_eq!(groups, ["system:nodes"]);
            prop_assert_eq!(certificate.sans.is_empty(), !serving);
            let mut own = vec![SubjectAltName::Dns(node.name().dns_name())];
            own.extend(node.addresses().iter().copied().map(SubjectAltName::Ip));
            own.extend(node.sans().iter().cloned());
            prop_assert!(certificate.sans.iter().all(|san| own.contains(san)));
        }
    }
}
