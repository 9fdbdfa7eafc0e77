//! What `kpki help` lists: the commands, by what somebody wants. clap lists them in one column and has no headings for
//! them, so the list is made here, from clap's own definition of each command.

use clap::Command;

use crate::output::style::STRONG;
use crate::output::table::wrap;
use crate::output::words::terminal_width;

/// Each heading, and the commands below it in the order of their use.
const GROUPS: [(&str, &[&str]); 7] = [
    (
        "A cluster's PKI",
        &["init", "plan", "apply", "renew", "import"],
    ),
    (
        "Look at it",
        &["check", "verify", "lint", "inspect", "graph", "report"],
    ),
    (
        "Certificates for others",
        &["user", "csr", "sign", "export", "trust", "makecerts"],
    ),
    ("Your own CAs", &["ca", "issue", "revoke", "crl"]),
    (
        "Profiles, policies, the spec",
        &["profile", "policy", "schema"],
    ),
    ("As a job", &["schedule", "watch"]),
    ("The program itself", &["help", "completions", "man"]),
];

/// What no group names is still listed.
const OTHERS: &str = "More";

/// No line of help is longer, see `max_term_width` in the definition.
const WIDEST: usize = 110;
/// Where no terminal says how wide it is, as clap has it.
const DEFAULT_WIDTH: usize = 100;

/// The definition with this list in its help.
pub fn listed(command: Command) -> Command {
    let list = list(&command);
    let header = *command.get_styles().get_header();
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}\
         {header}Options:{header:#}\n{{options}}{{after-help}}"
    );
    command.help_template(template)
}

fn list(command: &Command) -> String {
    // clap adds its own `help` only when it builds the definition.
    let mut built = command.clone();
    built.build();
    let all: Vec<(&str, String)> = built
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|command| (command.get_name(), about(command)))
        .collect();
    let named = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let others: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    let others: Vec<&str> = others.into_iter().filter(|name| !named(name)).collect();
    let column = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 4;
    let width = terminal_width().unwrap_or(DEFAULT_WIDTH).min(WIDEST);
    let header = *command.get_styles().get_header();
    let mut text = String::new();
    for (heading, names) in GROUPS.into_iter().chain([(OTHERS, &others[..])]) {
        let known = |name: &&str| all.iter().find(|(other, _)| other == name);
        let members: Vec<_> = names.iter().filter_map(known).collect();
        if members.is_empty() {
            continue;
        }
        text.push_str(&format!("{header}{heading}:{header:#}\n"));
        for (name, about) in members {
            let lines = wrap(about, width.saturating_sub(column).max(24));
            let indent = format!("\n{}", " ".repeat(column));
            let pad = " ".repeat(column - 2 - name.len());
            text.push_str(&format!(
                "  {STRONG}{name}{STRONG:#}{pad}{}\n",
                lines.join(&indent)
            ));
        }
        text.push('\n');
    }
    text
}

fn about(command: &Command) -> String {
    if command.get_name() == "help" {
        return "Print help of kpki or of a command: kpki help init".into();
    }
    command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_in_one_group() {
        let mut definition = crate::arguments::definition();
        definition.build();
        let commands: Vec<_> = definition
            .get_subcommands()
            .map(Command::get_name)
            .collect();
        let grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.iter()).collect();
        for name in &commands {
            let times = grouped.iter().filter(|other| **other == name).count();
            assert_eq!(
                times, 1,
                "{name} is in {times} groups: see GROUPS in arguments/groups.rs"
            );
        }
        for name in grouped {
            assert!(commands.contains(name), "there is no command {name}");
        }
    }
}
