//! From a cluster's directory to a node, and making the directory where there is none.
#![allow(missing_docs)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use installer::machine::node_source::{
    MakeOptions, Mode, Outcome, Request, Source, SourceError, load, open,
};
use pki_core::cluster::spec::Role;
use pki_core::converge::cluster_directory::ClusterDirectory;
use pki_core::converge::store::Store;
use time::{Duration, OffsetDateTime};

fn request(dir: &Path, cidrs: &[&str], addresses: &[&str]) -> Request {
    let texts = |values: &[&str]| values.iter().map(ToString::to_string).collect();
    Request {
        dir: dir.to_owned(),
        ca_dir: None,
        options: MakeOptions {
            service_cidrs: texts(cidrs),
            node: Some("cp1".into()),
            addresses: texts(addresses),
            ..MakeOptions::default()
        },
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A directory with a cluster of one node in it, and what asks for it again.
fn made() -> (tempfile::TempDir, Request) {
    made_with("kubeadm")
}

fn made_with(profile: &str) -> (tempfile::TempDir, Request) {
    let scratch = tempfile::tempdir().unwrap();
    let mut request = request(
        &scratch.path().join("kubernetes"),
        &["10.3.0.0/24"],
        &["192.0.2.11"],
    );
    request.options.profile = Some(profile.into());
    open(&request, Mode::Write, now()).unwrap();
    (scratch, request)
}

#[track_caller]
fn refused(result: Result<(Source, Outcome), SourceError>) -> (Vec<String>, Vec<String>) {
    let Err(error) = result else {
        panic!("it should have been refused");
    };
    let problems = error.problems();
    assert!(!problems.is_empty());
    let hint = |problem: &installer::machine::Problem| problem.hint.clone().unwrap_or_default();
    (
        problems
            .iter()
            .map(|problem| problem.fact.clone())
            .collect(),
        problems.iter().map(hint).collect(),
    )
}

fn edit(request: &Request, from: &str, to: &str) {
    let file = request.dir.join("cluster.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&file, text.replace(from, to)).unwrap();
}

#[test]
fn made_for_every_choice_of_families_and_then_left_alone() {
    for (cidrs, addresses) in [
        (&["10.3.0.0/24"][..], &["192.0.2.11"][..]),
        (
            &["10.3.0.0/24", "fd00:3::/112"],
            &["192.0.2.11", "2001:db8::11"],
        ),
        (&["fd00:3::/112"], &["2001:db8::11"]),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let request = request(&scratch.path().join("kubernetes"), cidrs, addresses);
        let (source, outcome) = open(&request, Mode::Write, now()).unwrap();
        assert!(!outcome.done.is_empty());
        assert_eq!(source.node.roles(), Role::ALL);
        assert_eq!(source.spec.service_cidrs().len(), cidrs.len());
        for file in [
            "pki/ca.crt",
            "pki/apiserver.key",
            "pki/etcd/server.crt",
            "admin.conf",
            "kubelet.conf",
        ] {
            let found = &source.tree[Path::new(file)];
            let on_disk = fs::read(request.dir.join("nodes/cp1").join(file)).unwrap();
            assert_eq!(found.contents.secret_bytes(), on_disk, "{file}");
        }
        assert_eq!(
            source.tree[Path::new("pki/apiserver.key")].mode.to_string(),
            "0600"
        );
        assert!(!source.tree.contains_key(Path::new("pki/ca.srl")));

        let (again, outcome) = open(&request, Mode::Write, now()).unwrap();
        assert!(outcome.done.is_empty());
        assert_eq!(again.spec, source.spec);
        let loaded = load(&request.dir, None, "cp1").unwrap();
        assert_eq!(loaded.tree.len(), source.tree.len());
    }
}

#[test]
fn a_preview_writes_nothing_and_has_everything() {
    let scratch = tempfile::tempdir().unwrap();
    let request = request(
        &scratch.path().join("kubernetes"),
        &["10.3.0.0/24"],
        &["192.0.2.11"],
    );
    let (source, outcome) = open(&request, Mode::Preview, now()).unwrap();
    assert!(!request.dir.exists());
    assert!(!outcome.done.is_empty());
    let report = installer::check(
        &source.blueprint,
        &source.inventory,
        source.node.name(),
        now(),
    );
    assert!(report.is_fine(), "{:?}", report.findings);
    let (written, _) = open(&request, Mode::Write, now()).unwrap();
    assert!(written.tree.keys().eq(source.tree.keys()));

    edit(&request, "192.0.2.11", "192.0.2.12");
    let mut changed = request.clone();
    changed.options = MakeOptions {
        node: Some("cp1".into()),
        ..MakeOptions::default()
    };
    let (preview, outcome) = open(&changed, Mode::Preview, now()).unwrap();
    assert!(
        outcome
            .done
            .iter()
            .any(|done| done.artifact.to_string() == "cp1/apiserver")
    );
    let path = Path::new("pki/apiserver.crt");
    let on_disk = fs::read(request.dir.join("nodes/cp1/pki/apiserver.crt")).unwrap();
    assert_ne!(preview.tree[path].contents.secret_bytes(), on_disk);
    assert_eq!(written.tree[path].contents.secret_bytes(), on_disk);
}

#[test]
fn a_change_of_the_spec_renews_what_differs() {
    let (_scratch, mut request) = made();
    let before = load(&request.dir, None, "cp1").unwrap();
    edit(&request, "192.0.2.11", "192.0.2.12");
    request.options = MakeOptions {
        node: Some("cp1".into()),
        ..MakeOptions::default()
    };
    let (after, outcome) = open(&request, Mode::Write, now()).unwrap();
    assert!(!outcome.done.is_empty());
    let digest = |source: &Source, path: &str| source.tree[Path::new(path)].contents.digest();
    assert_ne!(
        digest(&before, "pki/apiserver.crt"),
        digest(&after, "pki/apiserver.crt")
    );
    assert_eq!(digest(&before, "pki/ca.crt"), digest(&after, "pki/ca.crt"));
    assert_eq!(
        digest(&before, "scheduler.conf") == digest(&after, "scheduler.conf"),
        {
            let conf = |source: &Source| {
                String::from_utf8(
                    source.tree[Path::new("scheduler.conf")]
                        .contents
                        .secret_bytes()
                        .to_vec(),
                )
                .unwrap()
            };
            conf(&before) == conf(&after)
        }
    );
}

#[test]
fn an_own_tree_is_enough_until_it_differs() {
    let (_scratch, mut request) = made_with("hardened");
    fs::remove_dir_all(request.dir.join("ca")).unwrap();
    fs::remove_dir_all(request.dir.join("users")).unwrap_or_default();
    let (_, outcome) = open(&request, Mode::Write, now()).unwrap();
    assert!(outcome.done.is_empty());

    edit(&request, "192.0.2.11", "192.0.2.12");
    request.options = MakeOptions {
        node: Some("cp1".into()),
        ..MakeOptions::default()
    };
    let (facts, hints) = refused(open(&request, Mode::Write, now()));
    let [fact] = facts.as_slice() else {
        panic!("one cause, one error: {facts:#?}");
    };
    let mut lines = fact.lines();
    let first = lines.next().unwrap();
    assert!(
        first.contains("cannot be mended here: the key of authority ca is not at ca/ca.key"),
        "{fact}"
    );
    assert!(
        lines.any(|line| line.starts_with("  cp1/apiserver:") && line.contains("192.0.2.12")),
        "{fact}"
    );
    assert!(
        fact.contains("\n  and ") && !fact.contains("refuses"),
        "{fact}"
    );
    assert!(
        hints[0].contains("--ca-dir") && hints[0].contains("kpki apply"),
        "{}",
        hints[0]
    );
}

#[test]
fn another_cluster_is_made_in_cluster_toml_not_with_flags() {
    let (_scratch, mut request) = made();
    request.options.service_cidrs = vec!["10.4.0.0/24".into()];
    request.options.addresses = vec!["192.0.2.99".into()];
    let (facts, hints) = refused(open(&request, Mode::Write, now()));
    assert_eq!(facts.len(), 2, "{facts:?}");
    assert!(
        facts[0].ends_with("cluster.toml says service-cidr 10.3.0.0/24, not 10.4.0.0/24"),
        "{}",
        facts[0]
    );
    assert!(
        facts[1].ends_with("says addresses 192.0.2.11, not 192.0.2.99"),
        "{}",
        facts[1]
    );
    assert!(hints[0].contains("change cluster.toml"));
}

#[test]
fn bad_input_has_a_fact_and_a_hint() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("kubernetes");
    let nothing = request(&dir, &[], &[]);
    let (facts, hints) = refused(open(&nothing, Mode::Write, now()));
    assert!(facts[0].ends_with(
        "kubernetes/cluster.toml does not exist, and no --service-cidr is given to make it of"
    ));
    assert!(hints[0].contains("kinstall node --service-cidr"));
    let error = load(&dir, None, "cp1").unwrap_err();
    assert!(error.to_string().ends_with("cluster.toml does not exist"));

    let wrong = request(&dir, &["10.3.0.7/24"], &["192.0.2.11"]);
    let (facts, hints) = refused(open(&wrong, Mode::Write, now()));
    assert!(facts[0].starts_with("--service-cidr"), "{}", facts[0]);
    assert_eq!(hints[0], "did you mean 10.3.0.0/24?");
    assert!(!dir.exists(), "nothing was made");

    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("notes.txt"), "mine").unwrap();
    let (facts, hints) = refused(open(
        &request(&dir, &["10.3.0.0/24"], &["192.0.2.11"]),
        Mode::Write,
        now(),
    ));
    assert!(facts[0].ends_with("is not empty and has no cluster.toml: it is not kpki's"));
    assert!(hints[0].contains("--dir"));
}

#[test]
fn a_node_that_is_not_in_the_spec() {
    let (_scratch, mut request) = made();
    request.options = MakeOptions {
        node: Some("w9".into()),
        ..MakeOptions::default()
    };
    let (facts, hints) = refused(open(&request, Mode::Write, now()));
    assert!(
        facts[0].ends_with("cluster.toml has no node \"w9\""),
        "{}",
        facts[0]
    );
    assert!(
        hints[0].starts_with("name one with --node: cp1;"),
        "{}",
        hints[0]
    );
}

#[test]
fn a_tree_with_holes_or_links() {
    let (_scratch, request) = made();
    let at = |path: &str| -> PathBuf { request.dir.join("nodes/cp1").join(path) };
    fs::remove_file(at("pki/apiserver.key")).unwrap();
    fs::remove_file(at("kubelet.conf")).unwrap();
    let error = load(&request.dir, None, "cp1").unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("nodes/cp1 is not complete: kubelet.conf, pki/apiserver.key are missing"),
        "{error}"
    );
    assert!(
        error.problems()[0]
            .hint
            .as_ref()
            .unwrap()
            .starts_with("run kpki apply")
    );
    // With the CA keys here, `kinstall node` makes them again.
    let (_, outcome) = open(&request, Mode::Write, now()).unwrap();
    assert_eq!(outcome.done.len(), 2);

    fs::rename(at("pki"), at("elsewhere")).unwrap();
    symlink("elsewhere", at("pki")).unwrap();
    let error = load(&request.dir, None, "cp1").unwrap_err();
    assert!(matches!(error, SourceError::Io { .. }), "{error}");
}

#[test]
fn an_expired_authority_away_from_its_key() {
    let (_scratch, request) = made();
    fs::remove_dir_all(request.dir.join("ca")).unwrap();
    let later = now() + Duration::days(365 * 30);
    let (facts, hints) = refused(open(&request, Mode::Write, later));
    assert_eq!(facts.len(), 1, "{facts:#?}");
    assert!(facts[0].contains("\n  ca: it expired at"), "{facts:#?}");
    assert!(hints[0].contains("--ca-dir"));
}

#[test]
fn nothing_to_write_needs_no_lock() {
    let (_scratch, request) = made();
    let directory = ClusterDirectory::read(&request.dir, None).unwrap();
    let held = Store::open(&directory.dir, &directory.authorities).unwrap();
    let (_, outcome) = open(&request, Mode::Write, now()).unwrap();
    assert!(outcome.done.is_empty());
    drop(held);
}
