//! The profiles that come with the library, the default first.

pub(super) const PROFILES: [(&str, &str); 4] = [
    ("kubeadm", include_str!("../../../../profiles/kubeadm.toml")),
    (
        "hardened",
        include_str!("../../../../profiles/hardened.toml"),
    ),
    (
        "external-etcd",
        include_str!("../../../../profiles/external-etcd.toml"),
    ),
    (
        "makecerts",
        include_str!("../../../../profiles/makecerts.toml"),
    ),
];

pub(super) fn text(name: &str) -> Option<&'static str> {
    PROFILES
        .into_iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| text)
}
