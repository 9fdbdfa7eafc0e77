//! The watch: strace sees every file and directory that is made, every write and every change of mode.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use tests::command::succeed;

use super::{UMASKS, check, init, is_secret, under};

/// What one run did, by path.
#[derive(Debug, Default)]
struct Seen {
    /// Files created, with the mode they were born with.
    born: BTreeMap<String, u32>,
    directories: BTreeMap<String, u32>,
    /// Files that something secret was written to.
    secret: Vec<String>,
    /// Every later change of mode.
    changed: Vec<(String, u32)>,
}

/// Runs a command under strace. Each thread has a file of its own, so that no line is cut in two.
fn watch(command: &Command, scratch: &Path) -> Seen {
    let mut strace = Command::new("strace");
    strace.args(["-ff", "-y", "-s", "256"]);
    strace.arg("-o").arg(scratch.join("trace"));
    strace.arg(command.get_program()).args(command.get_args());
    succeed(&mut strace);
    let mut seen = Seen::default();
    for file in fs::read_dir(scratch).unwrap() {
        for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            seen.line(line);
        }
    }
    seen
}

impl Seen {
    fn line(&mut self, line: &str) {
        let Some((call, rest)) = line.split_once('(') else {
            return;
        };
        let (arguments, result) = rest.rsplit_once(" = ").unwrap_or((rest, ""));
        if result.starts_with('-') {
            return;
        }
        let arguments = arguments.trim_end().trim_end_matches(')');
        match call {
            "open" | "openat" | "openat2" | "creat" => {
                if arguments.contains("O_CREAT") || call == "creat" {
                    assert!(
                        arguments.contains("O_EXCL") || arguments.contains("lock"),
                        "{line}"
                    );
                    self.born.insert(angled(result), last_mode(arguments));
                }
            }
            "mkdir" | "mkdirat" => {
                self.directories
                    .insert(place(arguments), last_mode(arguments));
            }
            "chmod" | "fchmod" | "fchmodat" | "fchmodat2" => {
                let octal = arguments.split(", ").filter_map(octal).last();
                self.changed
                    .push((arguments.to_owned(), octal.expect("a mode")));
            }
            "write" | "pwrite64" | "writev" => {
                if is_secret(arguments) || arguments.contains("kind: Config") {
                    self.secret.push(angled(arguments));
                }
            }
            // A call that this strace has no name for: fchmodat2 is 0x1c4.
            _ => assert!(!call.starts_with("syscall_"), "{line}"),
        }
    }
}

/// What strace puts behind a descriptor: `5</the/path>`.
fn angled(text: &str) -> String {
    let (_, rest) = text
        .split_once('<')
        .unwrap_or_else(|| panic!("no path in {text}"));
    rest.split('>').next().unwrap_or_default().to_owned()
}

fn place(arguments: &str) -> String {
    arguments
        .rsplit_once(", ")
        .map_or(arguments, |(place, _)| place)
        .to_owned()
}

fn last_mode(arguments: &str) -> u32 {
    let last = arguments.rsplit(", ").next().and_then(octal);
    last.unwrap_or_else(|| panic!("no mode in {arguments}"))
}

fn octal(word: &str) -> Option<u32> {
    word.starts_with('0')
        .then(|| u32::from_str_radix(word, 8).ok())?
}

#[test]
fn at_every_moment_under_any_umask() {
    for umask in UMASKS {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("kubernetes");
        let scratch = top.path().join("traces");
        fs::create_dir(&scratch).unwrap();
        let seen = watch(&under(umask, &init(&dir)), &scratch);
        check(&dir);

        let ours = |path: &&String| path.starts_with(top.path().to_str().unwrap());
        let secret: Vec<_> = seen.secret.iter().filter(ours).collect();
        assert!(secret.len() >= 24, "the watch is blind: {seen:?}");
        assert!(seen.directories.len() >= 6, "the watch is blind: {seen:?}");
        for path in secret {
            let born = seen.born.get(path);
            assert_eq!(born, Some(&0o600), "{path} was born with {born:?}");
        }
        for (path, mode) in &seen.directories {
            assert_eq!(mode & !0o700, 0, "{path} was made with {mode:o}");
        }
        for (path, mode) in &seen.born {
            assert_eq!(mode & !0o644, 0, "{path} was made with {mode:o}");
        }
        // A mode is set again where the umask took bits away, never to more than is meant in the end.
        for (what, mode) in &seen.changed {
            assert!(matches!(mode, 0o600 | 0o644 | 0o700), "{what}");
            let descriptor = what.contains('<').then(|| angled(what));
            let born = descriptor.and_then(|path| seen.born.get(&path).copied());
            if let Some(born) = born {
                assert_eq!(*mode, born, "{what} was born with {born:o}");
            }
        }
    }
}
