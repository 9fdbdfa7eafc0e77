//! `docs/cis.md`, as far as it can be held to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::bench::Score;

/// What its tables say.
pub struct Document {
    /// By section.
    pub score: BTreeMap<String, Score>,
    /// Scored checks that do not pass.
    pub exceptions: BTreeSet<String>,
    /// Checks that are not scored and do not pass.
    pub for_the_owner: BTreeSet<String>,
}

impl Document {
    pub fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cis.md");
        let text = fs::read_to_string(path).expect("docs/cis.md");
        let ids = |heading| rows(&text, heading).map(|row| row[0].to_owned()).collect();
        Self {
            score: rows(&text, "## Score").map(|row| score(&row)).collect(),
            exceptions: ids("## Exceptions"),
            for_the_owner: ids("## What an owner has to look at"),
        }
    }
}

/// The rows below a heading whose first cell begins with a number.
fn rows<'a>(text: &'a str, heading: &str) -> impl Iterator<Item = Vec<&'a str>> {
    let below = text.lines().skip_while(move |line| *line != heading);
    assert!(
        below.clone().next().is_some(),
        "docs/cis.md has no {heading}"
    );
    let section = below.skip(1).take_while(|line| !line.starts_with("## "));
    section.filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        cells[0]
            .starts_with(|first: char| first.is_ascii_digit())
            .then_some(cells)
    })
}

/// `1 | control plane | scored | passed | failed | warned`
fn score(row: &[&str]) -> (String, Score) {
    let number = |column: usize| row[column].parse().unwrap_or_else(|_| panic!("{row:?}"));
    let score = Score {
        scored: number(2),
        passed: number(3),
        failed: number(4),
        warned: number(5),
    };
    (row[0].to_owned(), score)
}
