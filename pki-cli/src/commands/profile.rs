//! `kpki profile`.

use pki_core::cluster::profile::Profile;
use serde::Serialize;

use crate::arguments::{self, ProfileCommand};
use crate::output::errors::Failure;
use crate::output::table::{Cell, Table};
use crate::output::words::list;
use crate::output::{Outcome, json};

pub fn run(arguments: &arguments::Profile) -> Result<Outcome, Failure> {
    match &arguments.command {
        ProfileCommand::List { json } => Ok(Outcome::fine(list_all(*json))),
        ProfileCommand::Show { name } => match Profile::shipped_text(name) {
            Some(text) => Ok(Outcome::fine(text.to_owned())),
            None => Err(Failure::new(format_args!("no profile is called {name:?}"))
                .hint(format_args!("there are {}", list(Profile::shipped_names())))),
        },
    }
}

/// A shipped profile, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    name: &'static str,
    description: String,
    default: bool,
    authorities: Vec<String>,
    certificates: Vec<String>,
}

fn list_all(as_json: bool) -> String {
    let summaries: Vec<_> = Profile::shipped_names()
        .enumerate()
        .filter_map(|(index, name)| {
            let profile = Profile::shipped(name)?;
            Some(Summary {
                name,
                description: profile.description().to_owned(),
                default: index == 0,
                authorities: profile.authority_ids().map(str::to_owned).collect(),
                certificates: profile.certificate_ids().map(str::to_owned).collect(),
            })
        })
        .collect();
    if as_json {
        return json::document(&summaries);
    }
    let mut table = Table::new(["PROFILE", "FOR", "AUTHORITIES"], 1);
    for summary in summaries {
        table.row([
            Cell::strong(summary.name),
            Cell::plain(summary.description),
            Cell::weak(list(summary.authorities)),
        ]);
    }
    table.render()
}
