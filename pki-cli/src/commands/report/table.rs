//! The table of all certificates.

use std::fmt::Write as _;

use pki_core::converge::graph::{Expiry, Graph};
use pki_core::converge::markup::escape;

use crate::output::words::list;
use crate::picture::sign;

/// A row of the table.
struct Row<'a> {
    name: String,
    kind: &'a str,
    subject: &'a str,
    issuer: String,
    used_by: String,
    path: &'a str,
    expiry: Expiry,
}

const HEADINGS: [&str; 9] = [
    "Certificate",
    "State",
    "Until",
    "Days left",
    "Kind",
    "Subject",
    "Issuer",
    "Used by",
    "File",
];

/// Those that end first come first.
pub fn table(graph: &Graph) -> String {
    let mut rows = rows(graph);
    rows.sort_by_key(|row| (row.expiry.not_after(), row.name.clone()));
    let mut out = String::from(
        "<table id=\"certificates\">\n<caption>Every certificate; those that end first come first.</caption>\n<thead><tr>",
    );
    for heading in HEADINGS {
        let sorted = if heading == "Until" {
            " aria-sort=\"ascending\""
        } else {
            ""
        };
        let _ = write!(
            out,
            "<th scope=\"col\"{sorted}><button type=\"button\">{heading}</button></th>"
        );
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &rows {
        let state = row.expiry.state;
        let end = row.expiry.not_after();
        // Whole days, downwards: what ends within a day has none left.
        let left = row
            .expiry
            .validity
            .map(|validity| validity.left(graph.now).whole_seconds().div_euclid(86_400));
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"state {state}\" data-sort=\"{}\">{}{}</td><td class=\"short\" data-sort=\"{}\">{}</td><td class=\"number\" data-sort=\"{}\">{}</td><td class=\"short\">{}</td><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
            escape(&row.name),
            state as u8,
            sign(state),
            state.meaning(),
            end.map_or(0, time::OffsetDateTime::unix_timestamp),
            end.map_or("none".into(), |end| end.date().to_string()),
            // Collation by number knows no sign.
            left.map_or(0, |left| left + 1_000_000),
            left.map_or("none".into(), |left| left.to_string()),
            row.kind,
            escape(row.subject),
            escape(&row.issuer),
            escape(&row.used_by),
            escape(row.path),
        );
    }
    out.push_str("</tbody>\n</table>\n");
    out
}

fn rows(graph: &Graph) -> Vec<Row<'_>> {
    let authorities = graph.authorities.iter().map(|one| Row {
        name: one.id.to_string(),
        kind: "authority",
        subject: &one.subject,
        issuer: one.issuer.clone().unwrap_or_else(|| "itself".into()),
        used_by: list(&one.trusted_by),
        path: &one.path,
        expiry: one.expiry,
    });
    let successors = graph.authorities.iter().flat_map(|authority| {
        authority.successors.iter().map(|one| Row {
            name: format!("{} (successor)", authority.id),
            kind: "authority",
            subject: &one.subject,
            issuer: one.issuer.clone().unwrap_or_else(|| "itself".into()),
            used_by: list(&authority.trusted_by),
            path: &authority.path,
            expiry: one.expiry,
        })
    });
    let leaves = graph.cards.iter().flat_map(|card| {
        card.members.iter().map(|one| Row {
            name: one.artifact.to_string(),
            kind: card.kind,
            subject: &one.subject,
            issuer: card.issuer.to_string(),
            used_by: list(&card.used_by),
            path: &one.path,
            expiry: one.expiry,
        })
    });
    authorities.chain(successors).chain(leaves).collect()
}
