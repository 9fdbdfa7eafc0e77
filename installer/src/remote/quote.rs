//! Words for a shell on another machine. Pure.

/// `text` as one word of `sh`, whatever is in it but NUL.
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:,=@+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The one line that a login shell, whichever it is, makes `script` of: run by `sh`, as root, by `sudo` where the login
/// is another user's.
///
/// ssh gives a line to the user's shell, so `sh` and one quoted word is all that it has to understand.
pub fn as_root(script: &str) -> String {
    // A login that is no shell's has no sbin on its path.
    let script = quote(&format!(
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH; {script}"
    ));
    let either = format!(
        "if [ \"$(id -u)\" = 0 ]; then exec sh -c {script}; else exec sudo -n -- sh -c {script}; fi"
    );
    format!("exec sh -c {}", quote(&either))
}

/// A script that runs `command`, one simple command, and ends it (SIGTERM) when its input ends.
///
/// sshd ends no program when a connection does. So what is started on another machine ends with who started it, and a
/// later run does not find it still at work.
pub fn bound(command: &str) -> String {
    // A shell gives what it runs in the background no input, so that input needs another number. The watcher keeps
    // neither output open, for sshd waits for both.
    format!(
        "exec 3<&0 </dev/null; {command} 3<&- & child=$!; \
         {{ cat <&3; kill $child; }} >/dev/null 2>&1 & watcher=$!; \
         exec 3<&-; wait $child; code=$?; kill $watcher 2>/dev/null; exit $code"
    )
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::thread::sleep;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn sh(line: &str) -> String {
        let output = Command::new("sh").args(["-c", line]).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_sees_just_that_word(text in "[^\0]{0,24}|[ -~]{0,24}|['\"$`\\\\!\n ;&|-]{0,12}") {
            prop_assert_eq!(sh(&format!("printf %s {}", quote(&text))), text.clone());
            // And one shell in another in another.
            let script = format!("printf %s {}", quote(&text));
            let line = as_root(&script).replace("sudo -n -- ", "");
            prop_assert_eq!(sh(&line), text);
        }
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        assert_eq!(quote("/opt/kinstall/bin"), "/opt/kinstall/bin");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("~"), "'~'");
    }

    #[test]
    fn a_bound_command_ends_with_its_input_and_tells_its_exit_code() {
        let start = |command: &str| {
            let mut shell = Command::new("sh");
            shell
                .args(["-c", &bound(command)])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped());
            shell.spawn().unwrap()
        };
        let mut failed = start("sh -c 'echo out; exit 3'");
        let held = failed.stdin.take();
        let output = failed.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), &output.stdout[..]),
            (Some(3), &b"out\n"[..])
        );
        drop(held);

        let mut long = start("sleep 1000");
        sleep(Duration::from_millis(200));
        assert!(long.try_wait().unwrap().is_none(), "it runs");
        drop(long.stdin.take());
        // 128 and the signal, as every shell says.
        assert_eq!(long.wait().unwrap().code(), Some(128 + 15));
    }
}
