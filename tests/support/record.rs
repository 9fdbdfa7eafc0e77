//! What tests measure on their way: times that are wanted, and that no test fails by.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;

/// Says it (cargo shows it of a failed test, or with `--nocapture`), and adds it to the file `$KPKI_RECORD`.
#[expect(clippy::print_stdout, reason = "the test's own talk")]
pub fn note(line: &str) {
    println!("{line}");
    if let Some(path) = env::var_os("KPKI_RECORD") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        writeln!(file.expect("it can be written"), "{line}").expect("written");
    }
}
