//! `kpki graph`.

use std::path::Path;

use pki_core::cluster::blueprint::ArtifactId;
use pki_core::converge::graph::{Column, Connection, End, Expiry, Graph, State, Successor};
use pki_core::converge::marked_file;
use serde::Serialize;
use time::OffsetDateTime;

use super::places::Places;
use crate::arguments::{self, GraphFormat};
use crate::cluster::Cluster;
use crate::output::errors::Failure;
use crate::output::words::moment;
use crate::output::{Outcome, json};
use crate::picture::{self, MARK};

pub fn run(arguments: &arguments::Graph) -> Result<Outcome, Failure> {
    let cluster = Cluster::open(&arguments.tree)?;
    let inventory = cluster.inventory()?;
    let now = OffsetDateTime::now_utc();
    let graph = Graph::new(&cluster.spec, &cluster.blueprint, &inventory, now);
    if arguments.json {
        return Ok(Outcome::fine(json::document(&Document::new(
            &cluster, &graph,
        ))));
    }
    let text = match arguments.format {
        GraphFormat::Svg => picture::standalone(&graph),
        GraphFormat::Dot => picture::dot(&graph),
        GraphFormat::Mermaid => picture::mermaid(&graph),
    };
    match &arguments.output {
        Some(path) => put(path, &text),
        None => Ok(Outcome::fine(text)),
    }
}

/// Writes a picture or a page to a file, and says so.
pub fn put(path: &Path, text: &str) -> Result<Outcome, Failure> {
    marked_file::write(path, text, MARK)
        .map_err(|error| Failure::new(&error).maybe_hint(error.hint()))?;
    Ok(Outcome::fine(format!("wrote {}\n", path.display())))
}

/// The graph, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    #[serde(flatten)]
    places: Places,
    cluster: String,
    columns: Vec<ColumnEntry>,
    authorities: Vec<AuthorityEntry>,
    certificates: Vec<CertificateEntry>,
    secrets: Vec<SecretEntry>,
    connections: Vec<ConnectionEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ColumnEntry {
    nodes: Vec<String>,
    roles: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct AuthorityEntry {
    id: String,
    subject: String,
    issuer: Option<String>,
    imported: bool,
    has_key: bool,
    path: String,
    #[serde(flatten)]
    expiry: ExpiryEntry,
    successors: Vec<SuccessorEntry>,
    certificate_on: Vec<String>,
    key_on: Vec<String>,
    trusted_by: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct SuccessorEntry {
    subject: String,
    issuer: Option<String>,
    #[serde(flatten)]
    expiry: ExpiryEntry,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct CertificateEntry {
    artifact: String,
    kind: &'static str,
    subject: String,
    issuer: String,
    column: usize,
    path: String,
    #[serde(flatten)]
    expiry: ExpiryEntry,
    used_by: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ExpiryEntry {
    state: &'static str,
    not_before: Option<String>,
    not_after: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct SecretEntry {
    id: String,
    kind: &'static str,
    nodes: Vec<String>,
    is_there: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ConnectionEntry {
    name: String,
    client: EndEntry,
    server: EndEntry,
    client_trusts: Vec<String>,
    server_trusts: Vec<String>,
    pairs: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct EndEntry {
    program: String,
    presents: Option<String>,
    issuer: Option<String>,
    columns: Vec<usize>,
    state: &'static str,
}

impl Document {
    fn new(cluster: &Cluster, graph: &Graph) -> Self {
        let authorities = graph.authorities.iter().map(|one| AuthorityEntry {
            id: one.id.to_string(),
            subject: one.subject.clone(),
            issuer: one.issuer.clone(),
            imported: one.imported,
            has_key: one.has_key,
            path: one.path.clone(),
            expiry: expiry(&one.expiry),
            successors: one.successors.iter().map(successor).collect(),
            certificate_on: texts(&one.certificate_on),
            key_on: texts(&one.key_on),
            trusted_by: one.trusted_by.clone(),
        });
        let certificates = graph.cards.iter().flat_map(|card| {
            card.members.iter().map(|one| CertificateEntry {
                artifact: one.artifact.to_string(),
                kind: card.kind,
                subject: one.subject.clone(),
                issuer: card.issuer.to_string(),
                column: card.column,
                path: one.path.clone(),
                expiry: expiry(&one.expiry),
                used_by: card.used_by.clone(),
            })
        });
        let secrets = graph.secrets.iter().map(|one| SecretEntry {
            id: one.id.to_string(),
            kind: one.kind,
            nodes: texts(&one.on),
            is_there: one.is_there,
        });
        Self {
            places: Places::of(cluster),
            cluster: graph.cluster.clone(),
            columns: graph.columns.iter().map(column).collect(),
            authorities: authorities.collect(),
            certificates: certificates.collect(),
            secrets: secrets.collect(),
            connections: graph.connections.iter().map(connection).collect(),
        }
    }
}

fn successor(one: &Successor) -> SuccessorEntry {
    SuccessorEntry {
        subject: one.subject.clone(),
        issuer: one.issuer.clone(),
        expiry: expiry(&one.expiry),
    }
}

fn column(column: &Column) -> ColumnEntry {
    match column {
        Column::Nodes { names, roles } => ColumnEntry {
            nodes: texts(names),
            roles: texts(roles),
        },
        Column::People => ColumnEntry {
            nodes: Vec::new(),
            roles: Vec::new(),
        },
    }
}

fn connection(one: &Connection) -> ConnectionEntry {
    let end = |end: &End| EndEntry {
        program: end.program.clone(),
        presents: end.presents.clone(),
        issuer: end.issuer.as_ref().map(ArtifactId::to_string),
        columns: end.columns.clone(),
        state: end.state.as_str(),
    };
    ConnectionEntry {
        name: one.name.clone(),
        client: end(&one.client),
        server: end(&one.server),
        client_trusts: texts(&one.client_trusts),
        server_trusts: texts(&one.server_trusts),
        pairs: one.pairs,
    }
}

fn expiry(expiry: &Expiry) -> ExpiryEntry {
    let state: State = expiry.state;
    ExpiryEntry {
        state: state.as_str(),
        not_before: expiry.validity.map(|validity| moment(validity.not_before)),
        not_after: expiry.not_after().map(moment),
    }
}

fn texts(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
