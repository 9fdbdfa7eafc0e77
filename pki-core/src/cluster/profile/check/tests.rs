//! Each mistake is told with its line.

use super::*;

#[test]
fn every_shipped_profile_is_without_mistakes() {
    for name in Profile::shipped_names() {
        let text = Profile::shipped_text(name).unwrap();
        let profile = Profile::from_toml(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(profile.name(), name);
        assert!(!profile.description().is_empty());
    }
}

fn facts(change: impl Fn(&str) -> String) -> Vec<String> {
    let text = change(Profile::shipped_text("kubeadm").unwrap());
    let error = Profile::from_toml(&text).expect_err("a mistake was put in");
    error
        .mistakes
        .iter()
        .map(|mistake| {
            assert!(mistake.line.is_some(), "{mistake:?}");
            let display = mistake.display("p.toml").to_string();
            display.split_once(": ").unwrap().1.to_owned()
        })
        .collect()
}

#[test]
fn each_mistake_is_told_with_its_line() {
    let replace = |from: &'static str, to: &'static str| {
        facts(move |text| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        })
    };
    let one = |from, to| {
        let found = replace(from, to);
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    };
    assert_eq!(
        one("issuer = \"front-proxy-ca\"", "issuer = \"proxy-ca\""),
        "certificate.front-proxy-client.issuer: \"proxy-ca\" is no authority of this profile"
    );
    assert!(
        one("usages = [\"client\"]", "usages = [\"klient\"]")
            .contains("\"klient\" is none of server, client")
    );
    assert!(one("file = \"pki/sa\"", "file = \"../sa\"").contains("`..`"));
    assert!(
        one("file = \"pki/sa\"", "file = \"pki/apiserver\"")
            .contains("pki/apiserver.key is already the file of apiserver")
    );
    assert!(
        one("validity = \"1y\"", "validity = \"1 year\"")
            .contains("validity: 1 year: not a number followed by")
    );
    assert!(one("validity = \"1y\"", "valid = \"1y\"").contains("unknown field"));
    assert!(one("name = \"kubeadm\"", "name = 7").contains("invalid type"));
    assert!(one("[authority.etcd-ca]", "[authority.etcd-ca").contains("unclosed"));
    assert!(
        one("server = \"kubelet\"", "server = \"admin\"")
            .contains("is no certificate of this profile")
    );
    assert!(one("reach = \"same-node\"", "reach = \"near\"").contains("any, same-node"));
    assert!(one("scope = \"cluster\"", "scope = \"all\"").contains("node, cluster"));
    assert!(
        one("sans = [\"cluster-dns-service\"", "sans = [\"node-name\"")
            .contains("differs from node to node")
    );
    assert!(
        one("sans = [\"cluster-dns-service\"", "sans = [\"dns\"").contains("is none of node-name")
    );
    assert!(
        one(
            "[service-account.sa]\non = [\"control-plane\"]",
            "[service-account.sa]\non = []"
        )
        .contains("empty list")
    );
    assert!(one("[encryption.encryption-config]", "[encryption.sa]").contains("already the name"));
    assert!(
        one(
            "certificate-on = [\"control-plane\", \"etcd\"]",
            "certificate-on = [\"master\"]"
        )
        .contains("control-plane, etcd, worker")
    );
}

#[test]
fn lines_are_counted_from_one() {
    let error = Profile::from_toml("name = \"x\"\nvalidity = \"no\"\n").unwrap_err();
    let lines: Vec<_> = error.mistakes.iter().map(|mistake| mistake.line).collect();
    assert_eq!(lines, [Some(1), Some(2)]);
    assert!(error.mistakes[0].hint().is_some());
}
