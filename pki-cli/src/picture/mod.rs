//! The cluster as a picture: SVG for people, DOT and Mermaid for other programs. Where everything stands follows from the
//! graph alone, so the same cluster is always the same picture, and nothing in it can overlap.

mod canvas;
mod connections;
mod dot;
mod issued;
mod mermaid;
mod svg;

pub use canvas::{Canvas, sign};
pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::{PALETTE, STYLE, standalone, svg};

use pki_core::cluster::blueprint::ArtifactId;
use pki_core::cluster::spec::Role;
use pki_core::converge::graph::{Card, Column, Connection, End, Graph};

use crate::output::words::{count, list, until};

/// In every picture, so that a file with one is known to be ours.
pub const MARK: &str = "made by kpki";

/// `cp1`, `cp1, cp2`, `w1 … w49 (49)`.
pub fn label(column: &Column) -> String {
    match column {
        Column::People => "people".into(),
        Column::Nodes { names, .. } => match &names[..] {
            [one] => one.to_string(),
            [one, two] => format!("{one}, {two}"),
            [first, .., last] => format!("{first} … {last} ({})", names.len()),
            [] => String::new(),
        },
    }
}

/// What all of a column are.
pub fn roles(column: &Column) -> String {
    match column {
        Column::People => "a kubeconfig of their own".into(),
        Column::Nodes { roles, .. } => list(roles.iter().map(|role| match role {
            Role::ControlPlane => "control plane",
            Role::Etcd => "etcd",
            Role::Worker => "worker",
        })),
    }
}

/// `2027-11-27 (364 days)`; of several how many, and the end of the first.
fn ends(card: &Card, graph: &Graph) -> String {
    let first = card
        .members
        .iter()
        .filter_map(|member| member.expiry.not_after())
        .min();
    let when = first.map_or("missing".into(), |end| until(end, graph.now));
    match card.members.len() {
        1 => when,
        several => format!("{several} · first {when}"),
    }
}

fn ids(ids: &[ArtifactId]) -> String {
    list(ids)
}

/// Each connection from a card to a card: by their places in [`Graph::cards`]. `None` for clients without a certificate.
fn dials(graph: &Graph) -> Vec<(Option<usize>, usize, &Connection)> {
    let cards = |end: &End| -> Vec<usize> {
        let all = graph.cards.iter().enumerate();
        let own = all.filter(|(_, card)| {
            end.presents.as_ref() == Some(&card.name) && end.columns.contains(&card.column)
        });
        own.map(|(index, _)| index).collect()
    };
    let mut found = Vec::new();
    for one in &graph.connections {
        let clients: Vec<Option<usize>> = match &one.client.presents {
            Some(_) => cards(&one.client).into_iter().map(Some).collect(),
            None => vec![None],
        };
        for server in cards(&one.server) {
            found.extend(clients.iter().map(|client| (*client, server, one)));
        }
    }
    found
}

/// `kubernetes: 3 nodes, 31 certificates`.
pub fn title(graph: &Graph) -> String {
    format!(
        "{}: {}, {}",
        graph.cluster,
        count(graph.nodes, "node"),
        count(graph.expiries().count(), "certificate")
    )
}

#[cfg(test)]
mod tests;
