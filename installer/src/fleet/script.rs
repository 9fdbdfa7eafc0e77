//! The scripts that are run on machines. Pure. Whatever varies is quoted, and nothing secret is in one.

use std::fmt::Write as _;

use super::{Errand, Places, Program};
use crate::remote::{bound, quote};

/// The last file of a tree that arrives: without it the tree is not whole.
pub(super) const WHOLE: &str = ".whole";

/// What each machine's `kinstall node` is told.
#[derive(Clone, Debug, Default)]
pub struct NodeOptions {
    /// `--network`, as it is typed.
    pub network: Option<String>,
    /// `--proxy-mode`, as it is typed.
    pub proxy_mode: Option<String>,
    /// `--ignore-preflight`.
    pub ignore_preflight: Vec<String>,
    /// `--timeout`, in seconds.
    pub timeout: u32,
}

/// Takes a program from its input: under another name first, and under its own when it is what it should be.
pub(super) fn take_program(places: &Places, program: &Program) -> String {
    let dir = quote(&places.programs);
    let new = quote(&format!("{}/.{}.new", places.programs, program.name));
    let path = quote(&format!("{}/{}", places.programs, program.name));
    let (name, digest) = (quote(&program.name), quote(&program.digest));
    format!(
        "set -e; umask 022; mkdir -p {dir}; cat >{new}; found=$(sha256sum <{new}); \
         if [ \"${{found%% *}}\" != {digest} ]; then rm -f {new}; echo {name} did not arrive whole >&2; exit 1; fi; \
         chmod 0755 {new}; mv -f {new} {path}"
    )
}

/// Takes cluster.toml and a tree from its input, a tar archive: apart first, and in place of what was there when it is whole.
pub(super) fn take_tree(places: &Places) -> String {
    let (arriving, tree) = (quote(&places.arriving), quote(&places.tree));
    let old = quote(&format!("{}.old", places.arriving));
    let whole = quote(&format!("{}/{WHOLE}", places.arriving));
    format!(
        "set -e; umask 077; mkdir -p \"$(dirname {tree})\"; rm -rf {arriving} {old}; mkdir {arriving}; \
         tar -x -p --no-same-owner -f - -C {arriving}; \
         if [ ! -e {whole} ]; then rm -rf {arriving}; echo the files did not arrive whole >&2; exit 1; fi; \
         rm {whole}; if [ -e {tree} ]; then mv {tree} {old}; fi; mv {arriving} {tree}; rm -rf {old}"
    )
}

/// `kinstall node` with all that it is told, and `more`.
pub(super) fn node(
    places: &Places,
    errand: &Errand,
    options: &NodeOptions,
    node: &str,
    more: &[&str],
) -> String {
    let mut words = vec!["node", "--json", "--dir", &places.tree, "--node", node];
    for dir in &errand.bin_dirs {
        words.extend(["--bin-dir", dir]);
    }
    if let Some(network) = &options.network {
        words.extend(["--network", network]);
    }
    if let Some(mode) = &options.proxy_mode {
        words.extend(["--proxy-mode", mode]);
    }
    for check in &options.ignore_preflight {
        words.extend(["--ignore-preflight", check]);
    }
    let timeout = options.timeout.to_string();
    words.extend(["--timeout", &timeout]);
    words.extend(more);
    kinstall(&errand.bin_dirs, &words)
}

/// kinstall from the first of `dirs` that has it, else from the path. It ends when its input does.
pub(super) fn kinstall(dirs: &[String], words: &[&str]) -> String {
    let mut script = String::from("kinstall=; for dir in");
    for dir in dirs {
        let _ = write!(script, " {}", quote(dir));
    }
    let words: Vec<_> = words.iter().map(|word| quote(word)).collect();
    let _ = write!(
        script,
        "; do if [ -x \"$dir/kinstall\" ]; then kinstall=$dir/kinstall; break; fi; done; \
         if [ -z \"$kinstall\" ]; then kinstall=$(command -v kinstall) || {{ echo error: there is no kinstall >&2; exit 127; }}; fi; {}",
        bound(&format!("\"$kinstall\" {}", words.join(" ")))
    );
    script
}

/// Takes away what was brought, and the directories that nothing else is in.
pub(super) fn take_away(places: &Places) -> String {
    let (programs, tree) = (quote(&places.programs), quote(&places.tree));
    let (arriving, old) = (
        quote(&places.arriving),
        quote(&format!("{}.old", places.arriving)),
    );
    format!(
        "set -e; rm -rf {programs} {tree} {arriving} {old}; \
         for dir in {programs} {tree}; do \
         while dir=$(dirname \"$dir\") && case $dir in */kinstall|*/kinstall/cluster) true;; *) false;; esac; \
         do rmdir \"$dir\" 2>/dev/null || break; done; done"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;
    use crate::desired::digest;
    use crate::fleet::fakes::Shell;
    use crate::remote::{Input, Remote};

    fn program(bytes: &[u8]) -> Program {
        Program {
            name: "kubelet".to_owned(),
            path: "/nowhere/kubelet".into(),
            digest: digest::hex(bytes),
            size: bytes.len() as u64,
        }
    }

    fn names(dir: &str) -> Vec<String> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_program_is_there_whole_or_not_at_all() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("it's a root");
        let places = Places::below(root.to_str().unwrap());
        let script = take_program(&places, &program(b"whole"));
        let said = Shell.run(&script, Input::Bytes(b"who")).unwrap();
        assert_eq!(said.code, 1, "{said:?}");
        assert_eq!(said.stderr, "kubelet did not arrive whole\n");
        assert!(names(&places.programs).is_empty());
        let said = Shell.run(&script, Input::Bytes(b"whole")).unwrap();
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(names(&places.programs), ["kubelet"]);
        let path = Path::new(&places.programs).join("kubelet");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o755
        );
        // A damaged one that comes later leaves the good one alone.
        Shell.run(&script, Input::Bytes(b"wrong")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn what_was_brought_goes_and_what_is_others_stays() {
        let scratch = tempfile::tempdir().unwrap();
        let places = Places::below(scratch.path().to_str().unwrap());
        let make = || {
            for dir in [&places.programs, &places.tree, &places.arriving] {
                fs::create_dir_all(Path::new(dir).join("below")).unwrap();
            }
        };
        make();
        let said = Shell.run(&take_away(&places), Input::Nothing).unwrap();
        assert_eq!(said.code, 0, "{said:?}");
        assert!(names(&format!("{}/opt", scratch.path().display())).is_empty());
        assert!(names(&format!("{}/var/lib", scratch.path().display())).is_empty());
        // Twice does no harm.
        let said = Shell.run(&take_away(&places), Input::Nothing).unwrap();
        assert_eq!(said.code, 0, "{said:?}");
        make();
        let own = scratch.path().join("opt/kinstall/bin");
        fs::create_dir_all(&own).unwrap();
        fs::write(&places.ledger, "{}").unwrap();
        Shell.run(&take_away(&places), Input::Nothing).unwrap();
        assert!(own.exists() && Path::new(&places.ledger).exists());
        assert!(!Path::new(&places.programs).exists() && !Path::new(&places.tree).exists());
        assert!(!scratch.path().join("opt/kinstall/cluster").exists());
    }

    #[test]
    fn kinstall_is_told_all() {
        let errand = Errand {
            bin_dirs: vec!["/opt/kinstall/cluster/bin".into(), "/srv/a b".into()],
            ..Errand::default()
        };
        let options = NodeOptions {
            network: Some("host-gw".into()),
            proxy_mode: Some("iptables".into()),
            ignore_preflight: vec!["swap".into()],
            timeout: 60,
        };
        let script = node(&Places::system(), &errand, &options, "cp1", &["--dry-run"]);
        insta::assert_snapshot!(script, @r##"kinstall=; for dir in /opt/kinstall/cluster/bin '/srv/a b'; do if [ -x "$dir/kinstall" ]; then kinstall=$dir/kinstall; break; fi; done; if [ -z "$kinstall" ]; then kinstall=$(command -v kinstall) || { echo error: there is no kinstall >&2; exit 127; }; fi; exec 3<&0 </dev/null; "$kinstall" node --json --dir /var/lib/kinstall/cluster --node cp1 --bin-dir /opt/kinstall/cluster/bin --bin-dir '/srv/a b' --network host-gw --proxy-mode iptables --ignore-preflight swap --timeout 60 --dry-run 3<&- & child=$!; { cat <&3; kill $child; } >/dev/null 2>&1 & watcher=$!; exec 3<&-; wait $child; code=$?; kill $watcher 2>/dev/null; exit $code"##);
    }
}
