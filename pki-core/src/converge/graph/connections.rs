//! Who dials whom, each kind of connection once, whatever the number of nodes.

use super::{Card, Column, State, column_of};
use crate::cluster::blueprint::{ArtifactId, Blueprint, Content, Owner, TrustEdge};
use crate::cluster::consumer::{Component, readers};

/// A kind of client dialling a kind of server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// What it is, in words.
    pub name: String,
    /// Who dials.
    pub client: End,
    /// Who is dialled.
    pub server: End,
    /// Whom the client trusts.
    pub client_trusts: Vec<ArtifactId>,
    /// Whom the server trusts; empty where it asks for no certificate.
    pub server_trusts: Vec<ArtifactId>,
    /// How many pairs of a client and a server there are.
    pub pairs: usize,
}

/// One side of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The program.
    pub program: String,
    /// What it presents, as a card is called; `None` for a client that presents no certificate.
    pub presents: Option<String>,
    /// Who issued that.
    pub issuer: Option<ArtifactId>,
    /// Where it runs, as indices of [`Graph::columns`](super::Graph::columns).
    pub columns: Vec<usize>,
    /// How the worst of what it presents stands.
    pub state: State,
}

/// Every kind of connection, in the order of the profile.
pub(super) fn of(blueprint: &Blueprint, columns: &[Column], cards: &[Card]) -> Vec<Connection> {
    let mut all: Vec<Connection> = Vec::new();
    for edge in blueprint.edges() {
        let name = |id: &ArtifactId| match id.owner {
            Owner::User(_) => "user".to_owned(),
            _ => id.name.clone(),
        };
        let (client, server) = (edge.client.as_ref().map(name), name(&edge.server));
        let known = all.iter_mut().find(|known| {
            known.name == edge.name
                && known.client.presents == client
                && known.server.presents.as_ref() == Some(&server)
        });
        let column = |id: &ArtifactId| column_of(columns, blueprint.artifact(id)?);
        let ends = (edge.client.as_ref().and_then(column), column(&edge.server));
        match known {
            Some(known) => {
                known.pairs += 1;
                known.client.on(ends.0);
                known.server.on(ends.1);
            }
            None => {
                let mut one = Connection {
                    name: edge.name.clone(),
                    client: End::new(blueprint, edge.client.as_ref(), client),
                    server: End::new(blueprint, Some(&edge.server), Some(server)),
                    client_trusts: trusted_by_client(blueprint, edge),
                    server_trusts: edge.server_trusts.clone(),
                    pairs: 1,
                };
                one.client.on(ends.0);
                one.server.on(ends.1);
                all.push(one);
            }
        }
    }
    for one in &mut all {
        one.client.look_at(cards);
        one.server.look_at(cards);
    }
    all
}

/// The programs that trust an authority over any connection, each once.
pub(super) fn trusting(connections: &[Connection], authority: &ArtifactId) -> Vec<String> {
    let mut programs: Vec<String> = Vec::new();
    for one in connections {
        for (end, trusts) in [
            (&one.server, &one.server_trusts),
            (&one.client, &one.client_trusts),
        ] {
            if trusts.contains(authority) && !programs.contains(&end.program) {
                programs.push(end.program.clone());
            }
        }
    }
    programs
}

/// A kubeconfig says itself whom it trusts.
fn trusted_by_client(blueprint: &Blueprint, edge: &TrustEdge) -> Vec<ArtifactId> {
    let own = || match &blueprint.artifact(edge.client.as_ref()?)?.content {
        Content::Kubeconfig(entry) => Some(entry.trusts.clone()),
        _ => None,
    };
    match &edge.client_trusts[..] {
        [] => own().unwrap_or_default(),
        told => told.to_vec(),
    }
}

impl End {
    fn new(blueprint: &Blueprint, id: Option<&ArtifactId>, presents: Option<String>) -> Self {
        let leaf = |id| {
            blueprint
                .artifact(id)
                .and_then(|artifact| artifact.content.leaf())
        };
        Self {
            program: id.map_or("pods".into(), program),
            issuer: id.and_then(leaf).map(|entry| entry.issuer.clone()),
            columns: Vec::new(),
            state: State::Fine,
            presents,
        }
    }

    /// How what it presents stands, where it runs.
    fn look_at(&mut self, cards: &[Card]) {
        let own = |card: &&Card| {
            self.presents.as_ref() == Some(&card.name) && self.columns.contains(&card.column)
        };
        let states = cards.iter().filter(own).map(|card| card.worst().state);
        self.state = states.max().unwrap_or(State::Fine);
    }

    fn on(&mut self, column: Option<usize>) {
        self.columns
            .extend(column.filter(|column| !self.columns.contains(column)));
    }
}

/// The program that presents an artifact; of a profile of one's own, what the profile calls the artifact.
fn program(id: &ArtifactId) -> String {
    match (&id.owner, readers(&id.name)) {
        (Owner::User(_), _) => Component::Person.to_string(),
        (_, [(component, _), ..]) => component.to_string(),
        (_, []) => id.name.clone(),
    }
}
