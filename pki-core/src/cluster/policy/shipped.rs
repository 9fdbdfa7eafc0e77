//! The policies that come with the library.

pub(super) const POLICIES: [(&str, &str); 5] = [
    (
        "kubelet-client",
        include_str!("../../../../policies/kubelet-client.toml"),
    ),
    (
        "kubelet-serving",
        include_str!("../../../../policies/kubelet-serving.toml"),
    ),
    ("people", include_str!("../../../../policies/people.toml")),
    ("client", include_str!("../../../../policies/client.toml")),
    ("server", include_str!("../../../../policies/server.toml")),
];

pub(super) fn text(name: &str) -> Option<&'static str> {
    let known = POLICIES.into_iter().find(|(known, _)| *known == name);
    known.map(|(_, text)| text)
}
