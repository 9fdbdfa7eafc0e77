//! Which interfaces learn IPv6 routes from routers.

use std::collections::BTreeSet;
use std::path::Path;

/// RTF_ADDRCONF of linux/ipv6_route.h: the kernel learnt the route from a router advertisement. Routes that a program
/// such as systemd-networkd adds do not have it, and need no sysctl.
const LEARNT: u32 = 0x0004_0000;

/// The interfaces whose default route the kernel learnt so; and those that accept advertisements though they forward
/// (`accept_ra` = 2), since a run of kinstall before this one may have set that.
pub(super) fn interfaces() -> Vec<String> {
    // Where the kernel has no IPv6 there is no such file.
    let routes = std::fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    let mut names = learnt(&routes);
    for entry in Path::new("/proc/sys/net/ipv6/conf")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
    {
        let value = std::fs::read_to_string(entry.path().join("accept_ra")).unwrap_or_default();
        if let (Ok(name), "2") = (entry.file_name().into_string(), value.trim())
            && !["all", "default", "lo"].contains(&name.as_str())
        {
            names.insert(name);
        }
    }
    names.into_iter().collect()
}

/// /proc/net/ipv6_route: destination, its length, source, its length, gateway, metric, references, use, flags,
/// interface.
fn learnt(routes: &str) -> BTreeSet<String> {
    let entry = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let flags = u32::from_str_radix(words.get(8)?, 16).ok()?;
        let interface = *words.get(9)?;
        (words[1] == "00" && flags & LEARNT != 0).then(|| interface.to_owned())
    };
    routes.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_routers_said() {
        let zero = "0".repeat(32);
        let routes = format!(
            "{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 1 0 00450003     eth1\n\
             {zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 1 0 00000003     eth2\n\
             20010db8000000000000000000000000 40 {zero} 00 {zero} 00000100 1 0 00040001     eth3\n\
             {zero} 00 {zero} 00 {zero} ffffffff 1 0 00200200       lo\n"
        );
        assert_eq!(learnt(&routes), BTreeSet::from(["eth1".to_owned()]));
        assert_eq!(learnt("nonsense\n"), BTreeSet::new());
    }
}
