//! Which versions fit together.

use super::problem::ProgramProblem;
use super::version::Version;
use crate::desired::Programs;

/// What is older than this does not do. Whose demand that is stands with it.
const LEAST: [(&str, Version, &str); 8] = [
    (
        "kube-apiserver",
        Version::new(1, 34, 0),
        "anonymous access to its health paths alone has been stable since (AuthenticationConfiguration v1)",
    ),
    (
        "etcd",
        Version::new(3, 5, 24),
        "that is kubeadm's demand for Kubernetes 1.37",
    ),
    (
        "containerd",
        Version::new(2, 0, 0),
        "its configuration is written in the version 3 that 2.0 brought",
    ),
    (
        "containerd-shim-runc-v2",
        Version::new(2, 0, 0),
        "it comes with containerd",
    ),
    (
        "ctr",
        Version::new(2, 0, 0),
        "it comes with containerd, and older ones import in another way",
    ),
    (
        "runc",
        Version::new(1, 1, 0),
        "none before is tested with containerd 2 here",
    ),
    (
        "nft",
        Version::new(1, 0, 1),
        "that is kube-proxy's demand (knftables)",
    ),
    (
        "haproxy",
        Version::new(2, 2, 0),
        "it asks API servers whether they are ready by http-check send, which came with 2.2",
    ),
];

/// By how many minor versions one may differ from another (Kubernetes' version skew policy): its name, how much older it
/// may be, how much newer, than what, and that in words.
const SKEW: [(&str, u32, u32, &str, &str); 7] = [
    (
        "kube-controller-manager",
        1,
        0,
        "kube-apiserver",
        "it may be one minor version older, and not newer",
    ),
    (
        "kube-scheduler",
        1,
        0,
        "kube-apiserver",
        "it may be one minor version older, and not newer",
    ),
    (
        "kubelet",
        3,
        0,
        "kube-apiserver",
        "it may be three minor versions older, and not newer",
    ),
    (
        "kube-proxy",
        3,
        0,
        "kube-apiserver",
        "it may be three minor versions older, and not newer",
    ),
    (
        "kube-proxy",
        3,
        3,
        "kubelet",
        "they may be three minor versions apart",
    ),
    (
        "kubectl",
        1,
        1,
        "kube-apiserver",
        "they may be one minor version apart",
    ),
    (
        "containerd-shim-runc-v2",
        0,
        0,
        "containerd",
        "they come with one release, and are tested as one",
    ),
];

/// What does not fit together among `programs`. Those that are not there fit. One program of another release fits to none
/// of the others, and is told once.
pub fn check(programs: &Programs) -> Vec<ProgramProblem> {
    let text = |name: &str| programs.0.get(name).map(|program| program.version.clone());
    let version = |name: &str| {
        let text = text(name)?;
        Some((Version::parse(&text)?, text))
    };
    let mut problems = Vec::new();
    for (name, least, reason) in LEAST {
        let Some((is, text)) = version(name) else {
            continue;
        };
        if is < least {
            problems.push(ProgramProblem::TooOld {
                name: name.to_owned(),
                version: text,
                least: least.to_string(),
                reason,
            });
        }
    }
    let mut skews = Vec::new();
    for (name, older, newer, other, rule) in SKEW {
        let (Some((one, text)), Some((two, other_text))) = (version(name), version(other)) else {
            continue;
        };
        let fits = one.major == two.major
            && one.minor + older >= two.minor
            && one.minor <= two.minor + newer;
        if !fits {
            let problem = ProgramProblem::Skew {
                name: name.to_owned(),
                version: text,
                other: other.to_owned(),
                other_version: other_text,
                rule,
            };
            skews.push(([name, other], problem));
        }
    }
    // What is too old is told already.
    let is_old = |name: &str| {
        problems.iter().any(
            |problem| matches!(problem, ProgramProblem::TooOld { name: old, .. } if old == name),
        )
    };
    skews.retain(|(pair, _)| !pair.iter().any(|name| is_old(name)));
    while let Some(culprit) = culprit(&skews) {
        let of_it = skews.iter().position(|(pair, _)| pair.contains(&culprit));
        problems.extend(of_it.map(|index| skews.remove(index).1));
        skews.retain(|(pair, _)| !pair.contains(&culprit));
    }
    problems
}

/// The program that fits to the fewest.
fn culprit(skews: &[([&'static str; 2], ProgramProblem)]) -> Option<&'static str> {
    let names = skews.iter().flat_map(|(pair, _)| pair.iter().copied());
    let count = |name: &str| {
        skews
            .iter()
            .filter(|(pair, _)| pair.contains(&name))
            .count()
    };
    // The last of those that are as often among them: in reverse, the first of the first pair.
    let names: Vec<_> = names.collect();
    names.into_iter().rev().max_by_key(|name| count(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Program;

    fn problems(versions: &[(&str, &str)]) -> Vec<String> {
        let mut programs = Programs::default();
        for (name, version) in versions {
            let program = Program {
                path: name.into(),
                version: (*version).to_owned(),
                digest: String::new(),
                libraries: Vec::new(),
            };
            programs.0.insert((*name).to_owned(), program);
        }
        let problems = check(&programs);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_release_fits() {
        let one = [
            ("kube-apiserver", "1.37.2"),
            ("kube-controller-manager", "1.37.2"),
            ("kube-scheduler", "1.37.0"),
            ("kubelet", "1.37.1"),
            ("kube-proxy", "1.37.2"),
            ("kubectl", "1.37.2"),
            ("etcd", "3.7.3"),
            ("containerd", "2.4.2"),
            ("containerd-shim-runc-v2", "2.4.1"),
            ("ctr", "2.4.2"),
            ("runc", "1.1.5+ds1"),
            ("nft", "1.0.6"),
            ("haproxy", "2.6.12-1+deb12u4"),
            ("coredns", "1.14.7"),
            ("kinstall-pause", "0.1.0"),
            ("mount", ""),
        ];
        assert_eq!(problems(&one), [""; 0]);
        assert_eq!(problems(&[]), [""; 0]);
    }

    /// https://kubernetes.io/releases/version-skew-policy/
    #[test]
    fn kubernetes_policy() {
        fn fits(name: &str, version: &str) -> bool {
            problems(&[("kube-apiserver", "1.37.2"), (name, version)]).is_empty()
        }
        for (name, oldest, newest) in [
            ("kube-controller-manager", 36, 37),
            ("kube-scheduler", 36, 37),
            ("kubelet", 34, 37),
            ("kube-proxy", 34, 37),
            ("kubectl", 36, 38),
        ] {
            for minor in 30..45 {
                let version = format!("1.{minor}.5");
                let wanted = (oldest..=newest).contains(&minor);
                assert_eq!(fits(name, &version), wanted, "{name} {version}");
            }
            assert!(!fits(name, "2.37.0"));
        }
    }

    #[test]
    fn one_of_another_release_is_told_once() {
        let mut versions = vec![
            ("kube-apiserver", "1.37.2"),
            ("kube-controller-manager", "1.37.2"),
            ("kube-scheduler", "1.37.2"),
            ("kubelet", "1.30.0"),
            ("kube-proxy", "1.37.2"),
        ];
        insta::assert_snapshot!(problems(&versions).join("\n"), @"kubelet is 1.30.0 and kube-apiserver is 1.37.2: it may be three minor versions older, and not newer");
        versions[3].1 = "1.37.2";
        versions[0].1 = "1.35.0";
        assert_eq!(problems(&versions).len(), 1);
        versions[0].1 = "1.30.0";
        insta::assert_snapshot!(problems(&versions).join("\n"), @"kube-apiserver is 1.30.0, and has to be 1.34.0 or newer: anonymous access to its health paths alone has been stable since (AuthenticationConfiguration v1)");
        // Two that have nothing to do with each other.
        versions[0].1 = "1.37.2";
        versions[2].1 = "1.38.0";
        versions.extend([
            ("containerd", "2.4.2"),
            ("containerd-shim-runc-v2", "2.3.0"),
        ]);
        assert_eq!(problems(&versions).len(), 2);
    }

    /// On a worker there is no API server to compare with.
    #[test]
    fn workers() {
        assert!(problems(&[("kubelet", "1.37.0"), ("kube-proxy", "1.34.0")]).is_empty());
        assert!(problems(&[("kubelet", "1.34.0"), ("kube-proxy", "1.37.0")]).is_empty());
        assert_eq!(
            problems(&[("kubelet", "1.37.0"), ("kube-proxy", "1.33.9")]),
            ["kube-proxy is 1.33.9 and kubelet is 1.37.0: they may be three minor versions apart"]
        );
    }

    #[test]
    fn what_is_too_old_is_told() {
        insta::assert_snapshot!(
            problems(&[
                ("kube-apiserver", "1.33.9"),
                ("etcd", "3.5.9"),
                ("containerd", "1.7.27"),
                ("containerd-shim-runc-v2", "1.6.20~ds1"),
                ("runc", "1.0.3"),
                ("nft", "1.0.0"),
            ])
            .join("\n"),
            @r"
        kube-apiserver is 1.33.9, and has to be 1.34.0 or newer: anonymous access to its health paths alone has been stable since (AuthenticationConfiguration v1)
        etcd is 3.5.9, and has to be 3.5.24 or newer: that is kubeadm's demand for Kubernetes 1.37
        containerd is 1.7.27, and has to be 2.0.0 or newer: its configuration is written in the version 3 that 2.0 brought
        containerd-shim-runc-v2 is 1.6.20~ds1, and has to be 2.0.0 or newer: it comes with containerd
        runc is 1.0.3, and has to be 1.1.0 or newer: none before is tested with containerd 2 here
        nft is 1.0.0, and has to be 1.0.1 or newer: that is kube-proxy's demand (knftables)
        "
        );
    }
}
