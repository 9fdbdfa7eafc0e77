//! What starts the supervisor with the machine, where systemd is not there to do it: an LSB init script. Pure.

use std::path::{Path, PathBuf};

use pki_core::cluster::FileMode;

use crate::desired::{
    Contents, Directory, DirectoryContents, File, Kind, Owner, Resource, Stage, Symlink,
};

const SCRIPT: &str = "/etc/init.d/kinstall";

/// The init script and its links: started last in the runlevels with services, stopped first in those without.
pub fn boot_resources(kinstall_program: &Path) -> Vec<Resource> {
    let why = "containerd and the kubelet start with the machine".to_owned();
    let resource = |kind| Resource {
        stage: Stage::Files,
        why: why.clone(),
        kind,
    };
    let directory = |path: PathBuf| {
        Kind::Directory(Directory {
            path,
            mode: FileMode::new(0o755).expect("a mode"),
            owner: Owner::ROOT,
            contents: DirectoryContents::Foreign,
        })
    };
    let mut resources = vec![
        resource(directory("/etc/init.d".into())),
        resource(Kind::File(File {
            path: SCRIPT.into(),
            contents: Contents::new(script(kinstall_program)),
            mode: FileMode::new(0o755).expect("a mode"),
            owner: Owner::ROOT,
        })),
    ];
    // Runlevels: 0 halt, 1 single user, 6 reboot; the others have services.
    for (levels, link) in [("2345", "S99kinstall"), ("016", "K01kinstall")] {
        for level in levels.chars() {
            let dir = PathBuf::from(format!("/etc/rc{level}.d"));
            resources.push(resource(directory(dir.clone())));
            resources.push(resource(Kind::Symlink(Symlink {
                path: dir.join(link),
                target: "../init.d/kinstall".into(),
            })));
        }
    }
    resources
}

/// LSB 5.0, "Comment Conventions for Init Scripts" and "Init Script Actions".
fn script(kinstall: &Path) -> String {
    let kinstall = format!(
        "'{}'",
        kinstall.display().to_string().replace('\'', r"'\''")
    );
    format!(
        r#"#!/bin/sh
### BEGIN INIT INFO
# Provides:          kinstall
# Required-Start:    $local_fs $remote_fs $network $syslog
# Required-Stop:     $local_fs $remote_fs $network $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: containerd and the kubelet
# Description:       Starts and stops what runs this Kubernetes node.
### END INIT INFO
# Written by kinstall, which writes it again.

kinstall={kinstall}
# Not installed any more.
[ -x "$kinstall" ] || exit 5

case "$1" in
  start | stop)
    exec "$kinstall" "$1"
    ;;
  restart | force-reload)
    "$kinstall" stop && exec "$kinstall" start
    ;;
  status)
    exec "$kinstall" status
    ;;
  *)
    echo "usage: $0 {{start|stop|restart|force-reload|status}}" >&2
    exit 2
    ;;
esac
"#
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn every_runlevel_has_its_link() {
        let mut links: Vec<_> = boot_resources(Path::new("/usr/local/bin/kinstall"))
            .iter()
            .filter_map(|resource| match &resource.kind {
                Kind::Symlink(link) => Some(link.path.display().to_string()),
                _ => None,
            })
            .collect();
        links.sort();
        insta::assert_snapshot!(links.join("\n"));
    }

    #[test]
    fn the_script() {
        insta::assert_snapshot!(script(Path::new("/opt/it's here/kinstall")));
    }

    #[test]
    fn the_script_calls_kinstall() {
        let dir = tempfile::tempdir().expect("a directory");
        let kinstall = dir.path().join("it's kinstall");
        std::fs::write(&kinstall, "#!/bin/sh\necho \"called with $*\"\n").expect("written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&kinstall, mode).expect("executable");
        let path = dir.path().join("init");
        std::fs::write(&path, script(&kinstall)).expect("written");
        let said = |verb: &str| {
            let output = Command::new("/bin/sh").arg(&path).arg(verb).output();
            let output = output.expect("a shell");
            (
                String::from_utf8_lossy(&output.stdout).into_owned(),
                output.status.code(),
            )
        };
        assert_eq!(said("start"), ("called with start\n".into(), Some(0)));
        assert_eq!(
            said("restart"),
            ("called with stop\ncalled with start\n".into(), Some(0))
        );
        assert_eq!(said("dance"), (String::new(), Some(2)));
    }
}
