//! The table of what was made, or would be.

use std::path::Path;

use pki_core::cluster::blueprint::{Artifact, Content, Owner, Part, Placement};
use pki_core::cluster::{Location, Root};
use pki_core::converge::apply::Done;
use pki_core::x509::Certificate;
use time::OffsetDateTime;

use super::table::{Cell, Table};
use super::words::{list, until};
use crate::cluster::Cluster;

const SUBJECT: usize = 1;

/// One artifact: its certificate as issued, or as it would be.
pub struct Row<'a> {
    artifact: &'a Artifact,
    certificate: Option<&'a Certificate>,
}

impl<'a> Row<'a> {
    pub fn done(cluster: &'a Cluster, done: &'a Done) -> Option<Self> {
        Some(Self {
            artifact: cluster.blueprint.artifact(&done.artifact)?,
            certificate: done.certificate.as_ref(),
        })
    }

    pub fn wanted(artifact: &'a Artifact) -> Self {
        Self {
            artifact,
            certificate: None,
        }
    }
}

/// All rows, under the directories that their files are in.
pub fn table(cluster: &Cluster, rows: Vec<Row<'_>>, now: OffsetDateTime) -> String {
    let mut sections: Vec<(String, Vec<Row<'_>>)> = Vec::new();
    for row in rows {
        let directory = directory(cluster, row.artifact);
        match sections.iter_mut().find(|(known, _)| *known == directory) {
            Some((_, rows)) => rows.push(row),
            None => sections.push((directory, vec![row])),
        }
    }
    let mut table = Table::new(["ARTIFACT", "SUBJECT", "VALID UNTIL", "FILE"], SUBJECT);
    for (directory, rows) in sections {
        table.section(directory);
        for row in rows {
            let (cells, names) = cells(&row, now);
            table.row(cells);
            if !names.is_empty() {
                table.note(format!("for {names}"));
            }
        }
    }
    table.render()
}

fn cells(row: &Row<'_>, now: OffsetDateTime) -> ([Cell; 4], String) {
    let artifact = row.artifact;
    let (subject, names, until) = match row.certificate {
        Some(certificate) => (
            certificate.subject.to_string(),
            list(&certificate.sans),
            until(certificate.validity.not_after, now),
        ),
        None => wanted(&artifact.content),
    };
    let subject = if subject.is_empty() {
        Cell::weak(artifact.content.kind())
    } else {
        Cell::plain(subject)
    };
    let cells = [
        Cell::strong(&artifact.id.name),
        subject,
        Cell::plain(until),
        Cell::weak(files(artifact)),
    ];
    (cells, names)
}

/// Subject, names and lifetime of what is not made yet.
fn wanted(content: &Content) -> (String, String, String) {
    match content {
        Content::Authority(entry) if entry.imported => {
            ("imported".into(), String::new(), String::new())
        }
        Content::Authority(entry) => (
            entry.subject.to_string(),
            String::new(),
            format!("for {}", entry.lifetime),
        ),
        Content::Certificate(entry) => (
            entry.request.subject.to_string(),
            list(&entry.request.sans),
            format!("for {}", entry.request.lifetime),
        ),
        Content::Kubeconfig(entry) => (
            entry.client.request.subject.to_string(),
            String::new(),
            format!("for {}", entry.client.request.lifetime),
        ),
        Content::TrustBundle(authorities) => (
            format!("trusts {}", list(authorities)),
            String::new(),
            String::new(),
        ),
        Content::ServiceAccount(_) | Content::Encryption => Default::default(),
    }
}

/// Whose directory an artifact's home is: the CA directory, a node's, or the one of people.
fn directory(cluster: &Cluster, artifact: &Artifact) -> String {
    let first = &artifact.placements[0].location;
    let below = |path: &Path| path.display().to_string();
    match (&artifact.id.owner, first.root) {
        (_, Root::Authorities) => below(&cluster.authorities),
        (Owner::User(_), _) => below(&cluster.dir.join("users")),
        (Owner::Node(node), _) => below(&cluster.dir.join("nodes").join(node.as_str())),
        (Owner::Cluster, Root::Tree) => match first.path.as_str().split('/').nth(1) {
            Some(node) => below(&cluster.dir.join("nodes").join(node)),
            None => below(&cluster.dir),
        },
    }
}

/// The files at an artifact's home, as a shell writes several at once: `pki/apiserver.{crt,key}`.
fn files(artifact: &Artifact) -> String {
    let home = |placement: &&Placement| {
        let first = &artifact.placements[0].location;
        node(&placement.location) == node(first)
    };
    let files: Vec<_> = artifact.placements.iter().filter(home).collect();
    let short = short(&files[0].location);
    let others = artifact
        .placements
        .iter()
        .filter(|placement| placement.part == files[0].part)
        .count()
        - 1;
    let name = match &files[..] {
        [_] => short.to_owned(),
        several => {
            let stem = short.rsplit_once('.').map_or(short, |(stem, _)| stem);
            let endings = several.iter().map(|placement| match placement.part {
                Part::Certificate => "crt",
                Part::PrivateKey => "key",
                Part::PublicKey => "pub",
                Part::Whole => "",
            });
            format!("{stem}.{{{}}}", endings.collect::<Vec<_>>().join(","))
        }
    };
    // An authority's certificate is copied to every node that trusts it, which is no news.
    match artifact.content {
        Content::Authority(_) => name,
        _ if others == 0 => name,
        _ => format!("{name} (on {} nodes)", others + 1),
    }
}

/// The node whose directory a file is in.
fn node(location: &Location) -> Option<&str> {
    match location.root {
        Root::Tree => location
            .path
            .as_str()
            .strip_prefix("nodes/")?
            .split('/')
            .next(),
        Root::Authorities => None,
    }
}

/// The path below the directory of the section.
fn short(location: &Location) -> &str {
    let path = location.path.as_str();
    match path
        .strip_prefix("nodes/")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((_, rest)) => rest,
        None => path.strip_prefix("users/").unwrap_or(path),
    }
}
