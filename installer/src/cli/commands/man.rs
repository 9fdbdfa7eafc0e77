//! `kinstall man`.

use std::fs;

use crate::cli::arguments::{self, Man};
use crate::cli::output::{Failure, Outcome};

pub fn run(arguments: &Man) -> Result<Outcome, Failure> {
    let mut definition = arguments::definition();
    definition.build();
    let Some(dir) = &arguments.dir else {
        return Ok(Outcome::fine(page(&definition)?));
    };
    fs::create_dir_all(dir)
        .map_err(|error| Failure::bare(format_args!("{}: {error}", dir.display())))?;
    let mut pages = vec![("kinstall".to_owned(), definition.clone())];
    for command in definition
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let name = format!("kinstall-{}", command.get_name());
        pages.push((name.clone(), command.clone().name(name)));
    }
    for (name, command) in &pages {
        let path = dir.join(format!("{name}.1"));
        fs::write(&path, page(command)?)
            .map_err(|error| Failure::bare(format_args!("{}: {error}", path.display())))?;
    }
    Ok(Outcome::fine(format!(
        "{} pages in {}\n",
        pages.len(),
        dir.display()
    )))
}

/// The examples come after the description here, as man pages have it.
fn page(command: &clap::Command) -> Result<String, Failure> {
    let examples = command.get_before_help().map(ToString::to_string);
    let mut out = Vec::new();
    let man = clap_mangen::Man::new(command.clone().before_help(None::<&str>));
    man.render(&mut out)
        .map_err(|error| Failure::bare(format_args!("man page: {error}")))?;
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
