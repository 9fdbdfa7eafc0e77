//! Checks of sysctls, which `kinstall node` sets.

use super::{Context, Finding};
use crate::desired::SysctlValue;

/// What is wrong with the sysctl `key`, if anything is.
pub(super) fn wanted(context: &Context<'_>, key: &str, wanted: SysctlValue) -> Option<Finding> {
    let name = shown(key);
    let (operator, target) = match wanted {
        SysctlValue::Exactly(value) => ("not ", value),
        SysctlValue::AtLeast(value) => ("less than ", value),
    };
    let Some(reading) = context.readings.sysctls.get(key) else {
        let fact = format!("this kernel has no sysctl {name}");
        return Some(Finding::error(
            fact,
            "run a kernel that has it, or load its module",
        ));
    };
    let fine = reading
        .value
        .parse::<i64>()
        .is_ok_and(|value| match wanted {
            SysctlValue::Exactly(exactly) => value == exactly,
            SysctlValue::AtLeast(least) => value >= least,
        });
    if fine {
        return None;
    }
    let fact = format!("{name} is {}, {operator}{target}", reading.value);
    Some(if reading.writable {
        let fix =
            format!("sysctl -w {name}={target}, and the same in /etc/sysctl.d for the next boot");
        Finding::error(fact, fix).mendable()
    } else {
        let fix = format!("set {name}={target} where it can be set: it is read-only here");
        Finding::error(fact, fix)
    })
}

/// As sysctl(8) writes it: interfaces with a dot in their name have a slash there.
fn shown(key: &str) -> String {
    key.chars()
        .map(|c| match c {
            '/' => '.',
            '.' => '/',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn read_only_ones_are_not_mendable() {
        let mut fixture = Fixture::ipv4();
        let key = "net/ipv4/ip_forward";
        let look = |fixture: &Fixture| wanted(&fixture.context(), key, SysctlValue::Exactly(1));
        assert_eq!(look(&fixture), None);
        fixture.set(key, "0");
        let finding = look(&fixture).unwrap();
        assert_eq!(finding.fact, "net.ipv4.ip_forward is 0, not 1");
        assert!(finding.mendable);
        fixture.readings.sysctls.get_mut(key).unwrap().writable = false;
        assert!(!look(&fixture).unwrap().mendable);
        fixture.readings.sysctls.remove(key);
        assert!(
            look(&fixture)
                .unwrap()
                .fact
                .starts_with("this kernel has no sysctl")
        );
        assert_eq!(
            shown("net/ipv6/conf/eth0.5/accept_ra"),
            "net.ipv6.conf.eth0/5.accept_ra"
        );
    }

    #[test]
    fn at_least() {
        let mut fixture = Fixture::ipv4();
        let key = "fs/inotify/max_user_instances";
        for (value, fine) in [
            ("1023", false),
            ("1024", true),
            ("8192", true),
            ("many", false),
        ] {
            fixture.set(key, value);
            let found = wanted(&fixture.context(), key, SysctlValue::AtLeast(1024));
            assert_eq!(found.is_none(), fine, "{value}");
        }
    }
}
