//! What has to be brought to a machine: what it should have, and has not. Pure.

use std::collections::BTreeSet;
use std::path::Path;

use super::survey::candidates;
use super::{Load, Places, Program, Survey};

/// What has to be brought to a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errand {
    /// Programs that it has not, or not so.
    pub programs: Vec<Program>,
    /// Whether its cluster.toml or a file of its tree is another than here.
    pub tree: bool,
    /// Where it finds its programs then, the first first.
    pub bin_dirs: Vec<String>,
}

impl Errand {
    /// What `survey` lacks of `load`.
    pub fn new(places: &Places, load: &Load, survey: &Survey) -> Self {
        let mut programs = Vec::new();
        let mut bin_dirs = vec![places.programs.clone()];
        for program in &load.programs {
            // The first that is there is the one that is run.
            let candidates = candidates(places, program);
            let there = candidates
                .iter()
                .find(|path| survey.digests.contains_key(*path));
            let same = there.filter(|path| survey.digests[*path] == program.digest);
            match same {
                None => programs.push(program.clone()),
                Some(path) => {
                    let parent = Path::new(path).parent().and_then(Path::to_str);
                    let parent = parent.expect("an absolute path has one").to_owned();
                    if !bin_dirs.contains(&parent) {
                        bin_dirs.push(parent);
                    }
                }
            }
        }
        Self {
            programs,
            tree: differs(places, load, survey),
            bin_dirs,
        }
    }

    /// Whether there is nothing to bring.
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty() && !self.tree
    }

    /// How much the programs are together, in bytes.
    pub fn size(&self) -> u64 {
        self.programs.iter().map(|program| program.size).sum()
    }
}

/// Whether a file of the tree is another, is missing there, or is there and should not be. What a lock or journal of
/// kinstall is there, beside them, is its own affair.
fn differs(places: &Places, load: &Load, survey: &Survey) -> bool {
    let prefix = format!("{}/", places.tree);
    let there = survey.digests.iter().filter_map(|(path, digest)| {
        let below = path.strip_prefix(&prefix)?;
        let counts = below.starts_with("nodes/") || load.files.contains_key(below);
        counts.then(|| (below.to_owned(), digest.clone()))
    });
    let there: BTreeSet<_> = there.collect();
    let wanted: BTreeSet<_> = load
        .digests()
        .map(|(path, digest)| (path.to_owned(), digest))
        .collect();
    there != wanted
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pki_core::cluster::FileMode;

    use super::*;
    use crate::desired::{Contents, TreeFile, digest};

    fn load() -> Load {
        let program = |name: &str, digest: &str| Program {
            name: name.to_owned(),
            path: Path::new("/srv/bin").join(name),
            digest: digest.to_owned(),
            size: 10,
        };
        let file = |text: &str| TreeFile {
            contents: Contents::new(text),
            mode: FileMode::SECRET,
        };
        Load {
            programs: vec![program("etcd", "e"), program("kubelet", "k")],
            files: BTreeMap::from([
                ("cluster.toml".to_owned(), file("spec")),
                ("nodes/cp1/pki/ca.crt".to_owned(), file("ca")),
            ]),
        }
    }

    fn errand(files: &[(&str, &str)]) -> Errand {
        let survey = Survey {
            digests: files
                .iter()
                .map(|(path, digest)| (path.to_string(), digest.to_string()))
                .collect(),
            ..Survey::default()
        };
        Errand::new(&Places::system(), &load(), &survey)
    }

    fn names(errand: &Errand) -> Vec<&str> {
        errand
            .programs
            .iter()
            .map(|program| program.name.as_str())
            .collect()
    }

    #[test]
    fn a_bare_machine_gets_all() {
        let errand = errand(&[]);
        assert_eq!(names(&errand), ["etcd", "kubelet"]);
        assert!(errand.tree && !errand.is_empty());
        assert_eq!(errand.size(), 20);
        assert_eq!(errand.bin_dirs, ["/opt/kinstall/cluster/bin"]);
    }

    #[test]
    fn what_is_there_is_not_brought_again() {
        let (spec, ca) = (digest::hex(b"spec"), digest::hex(b"ca"));
        let tree = "/var/lib/kinstall/cluster";
        let (spec_path, ca_path) = (
            format!("{tree}/cluster.toml"),
            format!("{tree}/nodes/cp1/pki/ca.crt"),
        );
        let (lock, surplus) = (
            format!("{tree}/lock"),
            format!("{tree}/nodes/cp1/pki/old.key"),
        );
        let there = [
            ("/opt/kinstall/cluster/bin/etcd", "e"),
            ("/srv/bin/kubelet", "k"),
            (spec_path.as_str(), spec.as_str()),
            (ca_path.as_str(), ca.as_str()),
            (lock.as_str(), "any"),
        ];
        let all = errand(&there);
        assert!(all.is_empty(), "{all:?}");
        assert_eq!(all.bin_dirs, ["/opt/kinstall/cluster/bin", "/srv/bin"]);
        // Any of them another or away, and just that is brought.
        let mut other = there;
        other[0].1 = "x";
        assert_eq!(names(&errand(&other)), ["etcd"]);
        let mut other = there;
        other[3].1 = "x";
        assert!(errand(&other).tree && errand(&other).programs.is_empty());
        assert!(errand(&there[..3]).tree);
        let more = [&there[..], &[(surplus.as_str(), "any")]].concat();
        assert!(errand(&more).tree);
        // An old one that would be found first is replaced, whatever lies elsewhere.
        let more = [&there[..], &[("/opt/kinstall/cluster/bin/kubelet", "old")]].concat();
        assert_eq!(names(&errand(&more)), ["kubelet"]);
    }
}
