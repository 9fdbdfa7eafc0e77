//! `kpki man`.

use std::fs;

use crate::arguments::{self, Man};
use crate::output::Outcome;
use crate::output::errors::Failure;
use crate::output::words::count;

pub fn run(arguments: &Man) -> Result<Outcome, Failure> {
    // The pages of `kpki help` would be those of the commands again.
    let mut definition = arguments::definition().disable_help_subcommand(true);
    definition.build();
    let Some(dir) = &arguments.dir else {
        return Ok(Outcome::fine(page(&definition)?));
    };
    fs::create_dir_all(dir).map_err(|error| Failure::io(dir, &error))?;
    let mut pages = vec![("kpki".to_owned(), definition.clone())];
    below("kpki", &definition, &mut pages);
    for (name, command) in &pages {
        let path = dir.join(format!("{name}.1"));
        fs::write(&path, page(command)?).map_err(|error| Failure::io(&path, &error))?;
    }
    let pages = count(pages.len(), "page");
    Ok(Outcome::fine(format!("{pages} in {}\n", dir.display())))
}

/// A page for each command below `parent`: `kpki-profile`, `kpki-profile-list`.
fn below(parent: &str, definition: &clap::Command, pages: &mut Vec<(String, clap::Command)>) {
    for command in definition.get_subcommands() {
        let name = format!("{parent}-{}", command.get_name());
        pages.push((name.clone(), command.clone().name(name.clone())));
        below(&name, command, pages);
    }
}

/// The examples come after the description here, as man pages have it.
fn page(command: &clap::Command) -> Result<String, Failure> {
    let examples = command.get_before_help().map(ToString::to_string);
    let mut out = Vec::new();
    let man = clap_mangen::Man::new(command.clone().before_help(None::<&str>));
    man.render(&mut out)
        .map_err(|error| Failure::new(format_args!("man page: {error}")))?;
    let mut text = String::from_utf8_lossy(&out).into_owned();
    if let Some(examples) = examples {
        text.push_str(".SH EXAMPLES\n.nf\n");
        for line in examples.lines().skip(1) {
            text.push_str(&line.replace('\\', "\\e").replace('-', "\\-"));
            text.push('\n');
        }
        text.push_str(".fi\n");
    }
    Ok(text)
}
