//! Where programs are looked for.

use std::path::{Path, PathBuf};

use super::problem::ProgramProblem;
use super::wish::{ProgramWish, Says};

/// Where programs usually are.
const PLACES: [&str; 8] = [
    "/usr/local/bin",
    "/usr/bin",
    "/opt/cni/bin",
    "/usr/local/sbin",
    "/usr/sbin",
    // Where those are that are needed before /usr, on systems that still tell them apart.
    "/bin",
    "/sbin",
    "/opt/kinstall/bin",
];
/// Where CNI plugins usually are: upstream's place, and Debian's.
const PLUGIN_PLACES: [&str; 3] = ["/opt/cni/bin", "/usr/lib/cni", "/opt/kinstall/bin"];

/// The files that may be the program, best first. What is no file does not count.
pub(super) fn candidates(
    wish: &ProgramWish,
    bin_dirs: &[PathBuf],
    own: Option<&Path>,
) -> Vec<PathBuf> {
    let paths = places(wish, bin_dirs, own).into_iter();
    let mut paths = paths.map(|place| place.join(&wish.name));
    if wish.says == Says::AsPlugin {
        paths.filter(|path| path.is_file()).collect()
    } else {
        paths.find(|path| path.is_file()).into_iter().collect()
    }
}

pub(super) fn missing(
    wish: &ProgramWish,
    bin_dirs: &[PathBuf],
    own: Option<&Path>,
) -> ProgramProblem {
    ProgramProblem::Missing {
        names: vec![wish.name.clone()],
        searched: places(wish, bin_dirs, own),
    }
}

fn places(wish: &ProgramWish, bin_dirs: &[PathBuf], own: Option<&Path>) -> Vec<PathBuf> {
    let plugin = wish.says == Says::AsPlugin;
    let own = own.filter(|_| !plugin).map(Path::to_owned);
    let usual = if plugin {
        PLUGIN_PLACES.as_slice()
    } else {
        PLACES.as_slice()
    };
    let usual = usual.iter().map(PathBuf::from);
    let mut places = Vec::new();
    for place in bin_dirs.iter().cloned().chain(own).chain(usual) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_first_directory_wins() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(two.path().join("kubelet"), "").unwrap();
        let dirs = [one.path().to_owned(), two.path().to_owned()];
        let wish = ProgramWish::new("kubelet");
        assert_eq!(candidates(&wish, &dirs, None), [dirs[1].join("kubelet")]);
        // A directory of that name is no program.
        fs::create_dir(one.path().join("kubelet")).unwrap();
        assert_eq!(candidates(&wish, &dirs, None), [dirs[1].join("kubelet")]);
        fs::remove_dir(one.path().join("kubelet")).unwrap();
        fs::write(one.path().join("kubelet"), "").unwrap();
        assert_eq!(candidates(&wish, &dirs, None), [dirs[0].join("kubelet")]);
    }

    #[test]
    fn plugins_are_not_looked_for_among_programs() {
        let bin_dirs = [PathBuf::from("/srv")];
        let own = Some(Path::new("/usr/sbin"));
        assert_eq!(
            places(&ProgramWish::new("bridge"), &bin_dirs, own),
            ["/srv", "/opt/cni/bin", "/usr/lib/cni", "/opt/kinstall/bin"].map(PathBuf::from)
        );
        let places = places(&ProgramWish::new("nft"), &bin_dirs, own);
        assert_eq!(
            places[..3],
            ["/srv", "/usr/sbin", "/usr/local/bin"].map(PathBuf::from)
        );
        let sbin = places.iter().filter(|place| place.ends_with("usr/sbin"));
        assert_eq!(sbin.count(), 1);
    }

    #[test]
    fn what_is_missing_tells_where_it_was_looked_for() {
        let problem = missing(&ProgramWish::new("nft"), &["/srv/bin".into()], None);
        insta::assert_snapshot!(format!("{problem}\nhint: {}", problem.hint()), @r"
        nft is in none of /srv/bin, /usr/local/bin, /usr/bin, /opt/cni/bin, /usr/local/sbin, /usr/sbin, /bin, /sbin, /opt/kinstall/bin
        hint: install the package nftables, or name the directory with --bin-dir
        ");
    }
}
