//! Which of kinstall's accounts are there already.

use std::collections::BTreeMap;

use super::text;
use crate::desired::layout;
use crate::machine::EffectError;

pub(super) fn present() -> Result<BTreeMap<String, u32>, EffectError> {
    Ok(of(&text("/etc/passwd")?))
}

/// passwd(5): name, password, number, separated by colons.
fn of(passwd: &str) -> BTreeMap<String, u32> {
    let ours = [
        layout::ETCD_ACCOUNT,
        layout::APISERVER_ACCOUNT,
        layout::CONTROLLER_MANAGER_ACCOUNT,
        layout::SCHEDULER_ACCOUNT,
        layout::BALANCER_ACCOUNT,
    ];
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number = fields.nth(1)?.parse().ok()?;
        ours.iter()
            .any(|(ours, _)| *ours == name)
            .then(|| (name.to_owned(), number))
    };
    passwd.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_that_kinstall_would_make() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n\
                      etcd:x:112:118::/var/lib/etcd:/usr/sbin/nologin\n\
                      etcd-backup:x:113:119::/:/usr/sbin/nologin\n\
                      kube-scheduler:x:not-a-number:0::/:\n\
                      +::::::\n";
        assert_eq!(of(passwd), BTreeMap::from([("etcd".to_owned(), 112)]));
        assert_eq!(of(""), BTreeMap::new());
    }
}
