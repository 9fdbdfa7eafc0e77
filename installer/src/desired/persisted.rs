//! The two files that have the next boot set what this one was set: sysctl.d(5) and modules-load.d(5).

use std::fmt::Write as _;
use std::path::PathBuf;

use pki_core::cluster::FileMode;

use super::{Contents, File, Kind, Owner, Resource, Stage, SysctlValue};

/// After the files of distributions, before an administrator's `99-`: who is later wins (sysctl.d(5)).
const SYSCTLS: &str = "/etc/sysctl.d/90-kinstall.conf";
const MODULES: &str = "/etc/modules-load.d/kinstall.conf";
const HEAD: &str = "# Written by kinstall, which also removes it.\n";

/// The files that keep the sysctls and modules of `resources` over a boot; none where there are none.
pub fn persisted(resources: &[Resource]) -> Vec<Resource> {
    let mut sysctls = String::new();
    let mut modules = String::new();
    for Resource { why, kind, .. } in resources {
        match kind {
            Kind::Sysctl(sysctl) => {
                // Of "that or more" only the least can be told here: a file that is read later may raise it.
                let (SysctlValue::Exactly(value) | SysctlValue::AtLeast(value)) = sysctl.value;
                let _ = write!(sysctls, "\n# {}\n{} = {value}\n", line(why), sysctl.key);
            }
            Kind::Module(module) => {
                let _ = write!(modules, "\n# {}\n{}\n", line(why), module.name);
            }
            _ => {}
        }
    }
    let file = |path: &str, text: &str, why: &str| Resource {
        stage: Stage::Host,
        why: why.to_owned(),
        kind: Kind::File(File {
            path: PathBuf::from(path),
            contents: Contents::new(format!("{HEAD}{text}")),
            mode: FileMode::PUBLIC,
            owner: Owner::ROOT,
        }),
    };
    let mut files = Vec::new();
    if !modules.is_empty() {
        let why = "kernel modules are loaded again at the next boot";
        files.push(file(MODULES, &modules, why));
    }
    if !sysctls.is_empty() {
        let why = "sysctls are set again at the next boot";
        files.push(file(SYSCTLS, &sysctls, why));
    }
    files
}

/// A comment is one line, whatever it says.
fn line(why: &str) -> String {
    why.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::super::{Module, Sysctl};
    use super::*;

    fn resource(kind: Kind) -> Resource {
        Resource {
            stage: Stage::Host,
            why: "pods\nneed it".into(),
            kind,
        }
    }

    fn sysctl(key: &str, value: SysctlValue) -> Resource {
        let key = key.to_owned();
        resource(Kind::Sysctl(Sysctl { key, value }))
    }

    #[test]
    fn nothing_for_nothing() {
        assert!(persisted(&[]).is_empty());
    }

    #[test]
    fn all_of_them_in_one_file_each() {
        let files = persisted(&[
            sysctl("net/ipv4/ip_forward", SysctlValue::Exactly(1)),
            sysctl("fs/inotify/max_user_instances", SysctlValue::AtLeast(1024)),
            resource(Kind::Module(Module {
                name: "br_netfilter".into(),
                proof: "/proc/sys/net/bridge".into(),
            })),
        ]);
        let texts = files.iter().map(|resource| match &resource.kind {
            Kind::File(file) => format!(
                "{} {}\n{}",
                file.path.display(),
                file.mode,
                String::from_utf8(file.contents.secret_bytes().to_vec()).unwrap()
            ),
            _ => unreachable!(),
        });
        let texts: Vec<_> = texts.collect();
        assert_eq!(
            texts,
            [
                "/etc/modules-load.d/kinstall.conf 0644\n\
                 # Written by kinstall, which also removes it.\n\n# pods need it\nbr_netfilter\n",
                "/etc/sysctl.d/90-kinstall.conf 0644\n\
                 # Written by kinstall, which also removes it.\n\n# pods need it\nnet/ipv4/ip_forward = 1\n\n\
                 # pods need it\nfs/inotify/max_user_instances = 1024\n",
            ]
        );
    }
}
