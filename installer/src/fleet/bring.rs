//! Bringing to a machine what it has not.

use std::time::Instant;

use pki_core::converge::problem::Problem;
use zeroize::Zeroizing;

use super::{Errand, Load, Machine, Places, Watcher, script, told};
use crate::remote::Input;

/// Brings what is missing: programs one after the other, then the tree. What is whole there stays, however this ends.
///
/// # Errors
/// Every problem of this machine.
pub fn bring(
    machine: &Machine<'_>,
    places: &Places,
    load: &Load,
    errand: &Errand,
    watcher: &dyn Watcher,
) -> Result<(), Vec<Problem>> {
    if errand.is_empty() {
        return Ok(());
    }
    let began = Instant::now();
    for (number, program) in errand.programs.iter().enumerate() {
        let what = format!(
            "brings {} ({} of {})",
            program.name,
            number + 1,
            errand.programs.len()
        );
        watcher.now(machine.name(), &what);
        let script = script::take_program(places, program);
        run(machine, &script, Input::File(&program.path))?;
    }
    if errand.tree {
        watcher.now(machine.name(), "brings cluster.toml and the node's tree");
        run(
            machine,
            &script::take_tree(places),
            Input::Bytes(&archive(load)),
        )?;
    }
    watcher.done(machine.name(), &words(errand), began.elapsed());
    Ok(())
}

/// What was brought, in words.
fn words(errand: &Errand) -> String {
    let programs = match errand.programs.as_slice() {
        [] => None,
        [one] => Some(one.name.clone()),
        many => Some(format!(
            "{} programs ({} MiB)",
            many.len(),
            errand.size() >> 20
        )),
    };
    let tree = errand.tree.then(|| "its tree".to_owned());
    let all: Vec<_> = programs.into_iter().chain(tree).collect();
    format!("has {}", all.join(" and "))
}

fn run(machine: &Machine<'_>, script: &str, input: Input<'_>) -> Result<(), Vec<Problem>> {
    let said = machine
        .remote
        .run(script, input)
        .map_err(|error| vec![error.into()])?;
    match said.code {
        0 => Ok(()),
        _ => Err(told(machine.name(), &said)),
    }
}

/// A tar archive of all files, each with its final mode, and a last one that says that it is whole.
fn archive(load: &Load) -> Zeroizing<Vec<u8>> {
    // Room for all of it at once: a buffer that grows leaves pieces of keys behind.
    let room = load
        .files
        .values()
        .map(|file| file.contents.secret_bytes().len() + 2048)
        .sum::<usize>();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 4096));
    let mut builder = tar::Builder::new(&mut *bytes);
    let mut add = |path: &str, mode: u32, contents: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(mode);
        header.set_mtime(0);
        // Into memory: there is always room, and paths of trees are short.
        builder
            .append_data(&mut header, path, contents)
            .expect("memory");
    };
    for (path, file) in &load.files {
        add(path, file.mode.bits().into(), file.contents.secret_bytes());
    }
    add(script::WHOLE, 0o600, b"");
    builder.finish().expect("memory");
    drop(builder);
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use pki_core::cluster::FileMode;

    use super::*;
    use crate::desired::{Contents, TreeFile};
    use crate::fleet::fakes::Shell;
    use crate::remote::Remote;

    fn load(text: &str) -> Load {
        let file = |text: &str, mode| TreeFile {
            contents: Contents::new(text),
            mode,
        };
        Load {
            programs: Vec::new(),
            files: BTreeMap::from([
                ("cluster.toml".to_owned(), file("spec", FileMode::PUBLIC)),
                (
                    "nodes/cp1/pki/ca.key".to_owned(),
                    file(text, FileMode::PRIVATE_KEY),
                ),
            ]),
        }
    }

    #[test]
    fn a_tree_is_there_whole_or_as_it_was() {
        let scratch = tempfile::tempdir().unwrap();
        let places = Places::below(scratch.path().to_str().unwrap());
        let script = script::take_tree(&places);
        let key = Path::new(&places.tree).join("nodes/cp1/pki/ca.key");
        let first = archive(&load("one"));
        let said = Shell.run(&script, Input::Bytes(&first)).unwrap();
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(fs::read_to_string(&key).unwrap(), "one");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&key), mode(Path::new(&places.tree))), (0o600, 0o700));
        assert_eq!(mode(key.parent().unwrap()), 0o700);
        assert!(!Path::new(&places.tree).join(script::WHOLE).exists());

        // Cut off anywhere: the tree is as it was, and nothing lies about.
        let second = archive(&load("two"));
        for length in (0..second.len() - 1024).step_by(512).chain([100, 700]) {
            let said = Shell.run(&script, Input::Bytes(&second[..length])).unwrap();
            assert_ne!(said.code, 0, "{length}: {said:?}");
            assert_eq!(fs::read_to_string(&key).unwrap(), "one", "{length}");
        }
        let said = Shell.run(&script, Input::Bytes(&second)).unwrap();
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(fs::read_to_string(&key).unwrap(), "two");
        let around: Vec<_> = fs::read_dir(Path::new(&places.tree).parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(around, ["cluster"]);
    }
}
