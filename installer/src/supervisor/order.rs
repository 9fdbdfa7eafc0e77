//! In which order services start.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::Service;

/// The names in an order in which each comes after those it is to come after. Of a circle, the one whose name comes first
/// is first; names that nobody defines are left out.
pub(super) fn start_order<'a>(services: impl IntoIterator<Item = &'a Service>) -> Vec<String> {
    let mut open: BTreeMap<&str, &[String]> = services
        .into_iter()
        .map(|service| (service.name.as_str(), service.after.as_slice()))
        .collect();
    let mut order = Vec::new();
    while !open.is_empty() {
        let free: BTreeSet<&str> = open
            .iter()
            .filter(|(name, after)| {
                let mut waits = after.iter().map(String::as_str);
                !waits.any(|other| other != **name && open.contains_key(other))
            })
            .map(|(name, _)| *name)
            .collect();
        let next = match free.first() {
            Some(_) => free,
            None => open.keys().take(1).copied().collect(),
        };
        for name in next {
            open.remove(name);
            order.push(name.to_owned());
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::definition::tests::service;

    fn order(pairs: &[(&str, &[&str])]) -> Vec<String> {
        let services: Vec<_> = pairs
            .iter()
            .map(|(name, after)| Service {
                after: after.iter().map(|&one| one.into()).collect(),
                ..service(name, "/bin/true", &[])
            })
            .collect();
        start_order(&services)
    }

    #[test]
    fn what_is_needed_comes_first() {
        let found = order(&[
            ("addons", &["kubelet"]),
            ("kubelet", &["containerd"]),
            ("containerd", &[]),
        ]);
        assert_eq!(found, ["containerd", "kubelet", "addons"]);
    }

    #[test]
    fn a_circle_and_a_stranger_are_no_obstacle() {
        let found = order(&[("b", &["a"]), ("a", &["b"]), ("c", &["nobody", "c"])]);
        assert_eq!(found, ["c", "a", "b"]);
    }
}
