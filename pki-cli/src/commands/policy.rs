//! `kpki policy`.

use pki_core::cluster::policy::SigningPolicy;
use serde::Serialize;

use crate::arguments::{self, PolicyCommand};
use crate::output::errors::Failure;
use crate::output::table::{Cell, Table};
use crate::output::words::list;
use crate::output::{Outcome, json};

pub fn run(arguments: &arguments::Policy) -> Result<Outcome, Failure> {
    match &arguments.command {
        PolicyCommand::List { json } => Ok(Outcome::fine(list_all(*json))),
        PolicyCommand::Show { name } => match SigningPolicy::shipped_text(name) {
            Some(text) => Ok(Outcome::fine(text.to_owned())),
            None => Err(unknown(name)),
        },
    }
}

pub fn unknown(name: &str) -> Failure {
    let known = list(SigningPolicy::shipped_names());
    Failure::new(format_args!("no policy is called {name:?}")).hint(format_args!(
        "there are {known}; a file's name has a / or ends in .toml"
    ))
}

/// A shipped policy, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    name: &'static str,
    description: String,
    signer: Option<String>,
}

fn list_all(as_json: bool) -> String {
    let summaries: Vec<_> = SigningPolicy::shipped_names()
        .filter_map(|name| {
            let policy = SigningPolicy::shipped(name)?;
            Some(Summary {
                name,
                description: policy.description().to_owned(),
                signer: policy.signer().map(str::to_owned),
            })
        })
        .collect();
    if as_json {
        return json::document(&summaries);
    }
    let mut table = Table::new(["POLICY", "FOR", "KUBERNETES SIGNER"], 1);
    for summary in summaries {
        table.row([
            Cell::strong(summary.name),
            Cell::plain(summary.description),
            Cell::weak(summary.signer.unwrap_or_default()),
        ]);
    }
    table.render()
}
