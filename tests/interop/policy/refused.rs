//! What must be refused, and is, for the reason given.

use std::path::{Path, PathBuf};

use super::asn1::{self, CN, O, alternative_names, attribute, dns, kubelet, rdn, tlv};
use super::openssl::{self, P256};
use super::{Answer, Request, cluster, sign};

/// How a request is made, and why it is refused.
struct Case {
    request: Request,
    /// The code of a reason, and what its text holds.
    code: &'static str,
    text: &'static str,
}

const W1: &str = "/O=system:nodes/CN=system:node:w1";

/// Every one of these is signed by none.
fn cases(dir: &Path) -> Vec<Case> {
    let mut cases = by_openssl(dir);
    cases.extend(by_hand(dir));
    cases
}

fn by_openssl(dir: &Path) -> Vec<Case> {
    let client = Some("kubelet-client");
    let serving = Some("kubelet-serving");
    let mut cases = Vec::new();
    let mut case =
        |name: &str, key: &[&str], subject: &str, extensions: &[&str], policy, code, text| {
            let file = openssl::request(dir, name, key, subject, extensions);
            let request = Request { file, policy };
            cases.push(Case {
                request,
                code,
                text,
            });
        };
    let w1_san = "subjectAltName=DNS:w1,IP:192.0.2.21";
    case(
        "extra-group",
        P256,
        "/O=system:nodes/O=system:masters/CN=system:node:w1",
        &[],
        None,
        "group",
        "system:masters",
    );
    case(
        "masters-first",
        P256,
        "/O=system:masters/O=system:nodes/CN=system:node:w1",
        &[],
        None,
        "group",
        "system:masters",
    );
    case(
        "name-before-group",
        P256,
        "/CN=system:node:w1/O=system:masters",
        &[],
        client,
        "group-missing",
        "system:nodes",
    );
    case(
        "group-twice",
        P256,
        "/O=system:nodes/O=system:nodes/CN=system:node:w1",
        &[],
        None,
        "group-twice",
        "twice",
    );
    case(
        "group-capitals",
        P256,
        "/O=System:Nodes/CN=system:node:w1",
        &[],
        None,
        "group",
        "System:Nodes",
    );
    case(
        "group-missing",
        P256,
        "/CN=system:node:w1",
        &[],
        None,
        "group-missing",
        "system:nodes",
    );
    case(
        "name-capitals",
        P256,
        "/O=system:nodes/CN=system:node:W1",
        &[],
        None,
        "no-node",
        "\"W1\"",
    );
    case(
        "prefix-capitals",
        P256,
        "/O=system:nodes/CN=System:node:w1",
        &[],
        client,
        "common-name",
        "system:node:{node}",
    );
    case(
        "unknown-node",
        P256,
        "/O=system:nodes/CN=system:node:w9",
        &[],
        None,
        "no-node",
        "\"w9\"",
    );
    case(
        "name-blank",
        P256,
        "/O=system:nodes/CN=system:node:w1 ",
        &[],
        None,
        "no-node",
        "\"w1 \"",
    );
    case(
        "name-dot",
        P256,
        "/O=system:nodes/CN=system:node:w1.",
        &[],
        None,
        "no-node",
        "\"w1.\"",
    );
    case(
        "no-common-name",
        P256,
        "/O=system:nodes",
        &[],
        client,
        "no-common-name",
        "no common name",
    );
    case(
        "two-common-names",
        P256,
        "/O=system:nodes/CN=system:node:w1/CN=system:node:cp1",
        &[],
        None,
        "common-names",
        "2 common names",
    );
    case(
        "unit",
        P256,
        "/O=system:nodes/OU=x/CN=system:node:w1",
        &[],
        None,
        "attribute",
        "OU=x",
    );
    case(
        "ca",
        P256,
        W1,
        &["basicConstraints=critical,CA:TRUE"],
        None,
        "ca",
        "to be a CA",
    );
    case(
        "signs",
        P256,
        W1,
        &["keyUsage=critical,digitalSignature,keyCertSign"],
        None,
        "key-usage",
        "keyCertSign",
    );
    case(
        "wildcard",
        P256,
        W1,
        &["subjectAltName=DNS:*.w1,IP:192.0.2.21"],
        None,
        "wildcard",
        "*.w1",
    );
    case(
        "other-address",
        P256,
        W1,
        &["subjectAltName=DNS:w1,IP:192.0.2.11"],
        None,
        "name",
        "192.0.2.11",
    );
    case(
        "other-name",
        P256,
        W1,
        &["subjectAltName=DNS:cp1"],
        None,
        "name",
        "it asks for cp1",
    );
    case(
        "api-server",
        P256,
        W1,
        &["subjectAltName=DNS:w1,DNS:kubernetes.default.svc"],
        None,
        "name",
        "kubernetes.default.svc",
    );
    case(
        "service-address",
        P256,
        W1,
        &["subjectAltName=DNS:w1,IP:10.3.0.1"],
        None,
        "name",
        "10.3.0.1",
    );
    case(
        "localhost",
        P256,
        W1,
        &["subjectAltName=DNS:w1,IP:127.0.0.1"],
        None,
        "name",
        "127.0.0.1",
    );
    case(
        "trailing-dot",
        P256,
        W1,
        &["subjectAltName=DNS:w1.,IP:192.0.2.21"],
        None,
        "odd-name",
        "w1.",
    );
    case(
        "san-capitals",
        P256,
        W1,
        &["subjectAltName=DNS:W1"],
        None,
        "odd-name",
        "W1",
    );
    case(
        "address-as-name",
        P256,
        W1,
        &["subjectAltName=DNS:192.0.2.21"],
        None,
        "odd-name",
        "192.0.2.21",
    );
    case(
        "email",
        P256,
        W1,
        &["subjectAltName=DNS:w1,email:root@w1"],
        None,
        "name",
        "root@w1",
    );
    case(
        "uri",
        P256,
        W1,
        &["subjectAltName=DNS:w1,URI:spiffe://cluster/w1"],
        None,
        "name",
        "spiffe://cluster/w1",
    );
    case(
        "registered",
        P256,
        W1,
        &["subjectAltName=DNS:w1,RID:1.2.3"],
        None,
        "odd-name",
        "1.2.3",
    );
    case(
        "client-with-names",
        P256,
        W1,
        &[w1_san],
        client,
        "name",
        "gives none",
    );
    case(
        "serving-without-names",
        P256,
        W1,
        &[],
        serving,
        "no-names",
        "for servers",
    );
    case(
        "usage",
        P256,
        W1,
        &["extendedKeyUsage=clientAuth,codeSigning"],
        None,
        "usage",
        "1.3.6.1.5.5.7.3.3",
    );
    case(
        "any-usage",
        P256,
        W1,
        &["extendedKeyUsage=anyExtendedKeyUsage"],
        None,
        "usage",
        "2.5.29.37.0",
    );
    case(
        "serving-as-client",
        P256,
        W1,
        &[w1_san, "extendedKeyUsage=serverAuth,clientAuth"],
        serving,
        "usage",
        "client",
    );
    case(
        "critical",
        P256,
        W1,
        &["1.2.3.4.5=critical,ASN1:UTF8String:x"],
        None,
        "critical-extension",
        "1.2.3.4.5",
    );
    case(
        "constraints",
        P256,
        W1,
        &["nameConstraints=critical,permitted;DNS:example"],
        None,
        "critical-extension",
        "2.5.29.30",
    );
    case(
        "rsa-1024",
        &["rsa:1024"],
        W1,
        &[],
        None,
        "key",
        "RSA key of 1024 bits",
    );
    case(
        "p521",
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
        W1,
        &[],
        None,
        "key",
        "1.3.132.0.35",
    );
    case(
        "koblitz",
        &["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
        W1,
        &[],
        None,
        "key",
        "1.3.132.0.10",
    );
    case("ed448", &["ed448"], W1, &[], None, "key", "1.3.101.113");
    case(
        "sha-1",
        &["rsa:2048", "-sha1"],
        W1,
        &[],
        None,
        "signature",
        "1.2.840.113549.1.1.5",
    );
    case(
        "person-unknown",
        P256,
        "/CN=mallory",
        &[],
        None,
        "no-user",
        "mallory",
    );
    case(
        "person-group",
        P256,
        "/O=dev/O=system:masters/CN=alice",
        &[],
        None,
        "group",
        "dev, ops, the groups of alice",
    );
    case(
        "person-without-groups",
        P256,
        "/O=dev/CN=bob",
        &[],
        None,
        "group",
        "bob has none",
    );
    case(
        "person-serves",
        P256,
        "/CN=alice",
        &["extendedKeyUsage=serverAuth"],
        Some("people"),
        "usage",
        "server",
    );
    case(
        "component",
        P256,
        "/CN=system:kube-controller-manager",
        &[],
        Some("client"),
        "common-name",
        "gives *",
    );
    case(
        "front-proxy",
        P256,
        "/CN=front-proxy-client",
        &[],
        Some("client"),
        "name-taken",
        "cp1/front-proxy-client",
    );
    case(
        "admin",
        P256,
        "/O=kubeadm:cluster-admins/CN=kubernetes-admin",
        &[],
        Some("client"),
        "name-taken",
        "cp1/admin",
    );
    case(
        "service-is-the-api",
        P256,
        "/CN=kubernetes.default.svc",
        &["subjectAltName=DNS:kubernetes.default.svc"],
        None,
        "server-taken",
        "cp1/apiserver",
    );
    case(
        "service-elsewhere",
        P256,
        "/CN=www.corp.example",
        &["subjectAltName=DNS:www.corp.example"],
        None,
        "name",
        ".{domain}",
    );
    case(
        "service-with-node",
        P256,
        "/CN=a.b.svc",
        &["subjectAltName=DNS:a.b.svc,IP:192.0.2.21"],
        None,
        "name",
        "192.0.2.21",
    );
    cases
}

fn by_hand(dir: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name: &str, der: Vec<u8>, policy, code, text| {
        let file = asn1::write(dir, name, &der);
        let request = Request { file, policy };
        cases.push(Case {
            request,
            code,
            text,
        });
    };
    let client = Some("kubelet-client");
    let w1 = || kubelet("system:node:w1");
    let names = |names: &[Vec<u8>]| asn1::request(&w1(), &[alternative_names(names)]);
    case(
        "empty-name",
        asn1::request(&kubelet(""), &[]),
        client,
        "no-common-name",
        "no common name",
    );
    case(
        "empty-subject",
        asn1::request(&[], &[]),
        client,
        "no-common-name",
        "no common name",
    );
    case(
        "nul-in-name",
        asn1::request(&kubelet("system:node:w1\0.evil"), &[]),
        None,
        "no-node",
        "w1\\0.evil",
    );
    case(
        "control-in-name",
        asn1::request(&kubelet("system:node:w1\n"), &[]),
        client,
        "no-node",
        "w1\\n",
    );
    case(
        "look-alike",
        asn1::request(&kubelet("system:nоde:w1"), &[]),
        client,
        "text",
        "beyond ASCII",
    );
    case(
        "nul-in-san",
        names(&[dns(b"w1\0.evil.example")]),
        None,
        "odd-name",
        "w1",
    );
    case("empty-san", names(&[dns(b"")]), None, "odd-name", "DNS:");
    case(
        "short-address",
        names(&[dns(b"w1"), tlv(0x87, &[192, 0, 2])]),
        None,
        "odd-name",
        "",
    );
    case(
        "name-as-integer",
        asn1::request(
            &[rdn(O, "system:nodes"), tlv(0x31, &attribute(CN, 2, &[1]))],
            &[],
        ),
        client,
        "text",
        "no text",
    );
    case(
        "two-names-in-one-set",
        asn1::request(
            &[
                rdn(O, "system:nodes"),
                tlv(
                    0x31,
                    &[
                        attribute(CN, asn1::UTF8, b"system:node:w1"),
                        attribute(CN, asn1::UTF8, b"system:node:cp1"),
                    ]
                    .concat(),
                ),
            ],
            &[],
        ),
        None,
        "common-names",
        "2 common names",
    );
    case(
        "masters-in-the-name-s-set",
        asn1::request(
            &[
                rdn(O, "system:nodes"),
                tlv(
                    0x31,
                    &[
                        attribute(CN, asn1::UTF8, b"system:node:w1"),
                        attribute(O, asn1::UTF8, b"system:masters"),
                    ]
                    .concat(),
                ),
            ],
            &[],
        ),
        None,
        "group",
        "system:masters",
    );
    case(
        "empty-group",
        asn1::request(
            &[
                rdn(O, "system:nodes"),
                rdn(O, ""),
                rdn(CN, "system:node:w1"),
            ],
            &[],
        ),
        None,
        "group",
        "\"\"",
    );
    let (mine, theirs) = (asn1::key(), asn1::key());
    case(
        "another-s-signature",
        asn1::request_by(&w1(), &[], &theirs, &mine),
        None,
        "signature",
        "not signed by the key in it",
    );
    let mut changed = asn1::request(&kubelet("system:node:w2"), &[]);
    let place = changed
        .windows(2)
        .position(|two| two == b"w2")
        .expect("the name");
    changed[place + 1] = b'1';
    case(
        "changed-after-signing",
        changed,
        None,
        "signature",
        "not signed by the key in it",
    );
    let basic = asn1::extension(
        &[0x55, 0x1d, 0x13],
        true,
        &asn1::sequence(&[vec![1, 1, 0xff]]),
    );
    case(
        "ca-by-hand",
        asn1::request(&w1(), std::slice::from_ref(&basic)),
        None,
        "ca",
        "to be a CA",
    );
    let leaf = asn1::extension(&[0x55, 0x1d, 0x13], true, &asn1::sequence(&[]));
    case(
        "ca-the-second-time",
        asn1::request(&w1(), &[leaf, basic]),
        None,
        "unreadable",
        "2.5.29.19 twice",
    );
    let twice = [
        alternative_names(&[dns(b"w1")]),
        alternative_names(&[dns(b"cp1")]),
    ];
    case(
        "names-the-second-time",
        asn1::request(&w1(), &twice),
        None,
        "unreadable",
        "2.5.29.17 twice",
    );
    let mut longer = asn1::request(&w1(), &[]);
    longer.extend([5, 0]);
    case(
        "bytes-after-its-end",
        longer,
        None,
        "unreadable",
        "2 bytes after its end",
    );
    let mut torn = asn1::request(&w1(), &[]);
    torn.truncate(60);
    case("torn", torn, None, "unreadable", "");
    cases
}

#[test]
fn bad_requests_are_refused_with_their_reasons() {
    let cluster = cluster("kubeadm");
    let dir = cluster.scratch("bad");
    let cases = cases(&dir);
    assert!(cases.len() > 60, "{}", cases.len());
    for policy in [
        None,
        Some("kubelet-client"),
        Some("kubelet-serving"),
        Some("people"),
        Some("client"),
    ] {
        let these: Vec<_> = cases
            .iter()
            .filter(|case| case.request.policy == policy)
            .collect();
        let files: Vec<_> = these
            .iter()
            .map(|case| case.request.file.as_path())
            .collect();
        let arguments: Vec<_> = policy.iter().flat_map(|name| ["--policy", *name]).collect();
        for (case, answer) in these.iter().zip(sign(&cluster, &files, &arguments)) {
            let told = |reason: &super::Reason| {
                reason.code == case.code && reason.text.contains(case.text)
            };
            let name = case.request.file.display();
            assert_eq!(answer.result, "refused", "{name}");
            assert!(answer.reasons.iter().any(told), "{name}: {answer:#?}");
        }
    }
    let certificates: Vec<PathBuf> = cases
        .iter()
        .map(|case| case.request.file.with_extension("crt"))
        .collect();
    assert!(
        certificates.iter().all(|file| !file.exists()),
        "something was signed"
    );
}

#[test]
fn a_node_gets_its_own_name_only() {
    let cluster = cluster("kubeadm");
    let dir = cluster.scratch("requester");
    let file = openssl::request(&dir, "w1", P256, W1, &[]);
    let refused = sign(&cluster, &[&file], &["--requester", "cp1"]);
    assert_eq!(refused[0].codes(), ["requester"]);
    assert!(
        refused[0].reasons[0]
            .text
            .contains("the requester is system:node:cp1"),
        "{refused:?}"
    );
    let signed = sign(&cluster, &[&file], &["--requester", "w1"]);
    assert_eq!(signed[0].result, "signed");
}

/// All that is wrong is told at once, and what is right beside it is signed.
#[test]
fn each_is_judged_by_itself_and_told_everything() {
    let cluster = cluster("kubeadm");
    let dir = cluster.scratch("batch");
    let bad = openssl::request(
        &dir,
        "bad",
        &["rsa:1024"],
        "/O=system:masters/OU=x/CN=system:node:w1",
        &[
            "basicConstraints=CA:TRUE",
            "subjectAltName=IP:10.3.0.1,email:a@b.example",
        ],
    );
    let good = openssl::request(&dir, "good", P256, W1, &[]);
    let answers: Vec<Answer> = sign(&cluster, &[&bad, &good], &[]);
    assert_eq!(
        answers[0].codes(),
        [
            "ca",
            "attribute",
            "key",
            "group",
            "group-missing",
            "name",
            "name"
        ]
    );
    assert_eq!(answers[1].result, "signed");
    assert_eq!(answers[1].policy.as_deref(), Some("kubelet-client"));
    assert!(good.with_extension("crt").exists() && !bad.with_extension("crt").exists());
}
