//! The rules of machines.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Checker;
use crate::cluster::spec::document::Document;
use crate::cluster::spec::read::named;
use crate::cluster::spec::{
    Fact, Node, NodeDocument, NodeName, Place, ProfileReference, Role, Written, address,
};

impl Checker {
    /// Every node that is fine by itself.
    pub(super) fn nodes(&mut self, document: &Document, profile: &ProfileReference) -> Vec<Node> {
        let alone = document.node.len() == 1;
        let mut names: Vec<NodeName> = Vec::new();
        let mut owners: BTreeMap<IpAddr, &str> = BTreeMap::new();
        let mut nodes = Vec::new();
        for written in &document.node {
            nodes.extend(self.node(written, alone, &mut names, &mut owners));
        }
        let Some(first) = document.node.first() else {
            self.absence("node", Place::Nowhere, Fact::Missing);
            return nodes;
        };
        // A node whose roles are misspelt may be the one that is missed.
        if !self
            .mistakes
            .iter()
            .any(|mistake| mistake.field.starts_with("node"))
        {
            let needed = [
                (Role::ControlPlane, true),
                (Role::Etcd, profile.needs_etcd()),
            ];
            for (role, _) in needed.into_iter().filter(|(_, needed)| *needed) {
                if !nodes.iter().any(|node| node.has(role)) {
                    self.mistakes.push(crate::cluster::spec::Mistake {
                        place: first.place.clone(),
                        field: "node".into(),
                        value: None,
                        fact: Fact::NoNodeWithRole { role },
                    });
                }
            }
        }
        nodes
    }

    fn node<'w>(
        &mut self,
        written: &'w NodeDocument,
        alone: bool,
        names: &mut Vec<NodeName>,
        owners: &mut BTreeMap<IpAddr, &'w str>,
    ) -> Option<Node> {
        let path = named("node", written.name.as_ref());
        self.places.note(&path, &written.place);
        let text = written.name.as_ref().map_or("", Written::text);
        if written.name.is_none() {
            self.absence("node.name", written.place.clone(), Fact::Missing);
        }
        let name = self.one(&format!("{path}.name"), &written.name, |text| {
            let name: NodeName = text.parse()?;
            match names.contains(&name) {
                true => Err(Fact::Repeated),
                false => Ok(name),
            }
        });
        names.extend(name.clone());

        let field = format!("{path}.addresses");
        let addresses =
            self.many_written(&field, &written.addresses, address::parse_between_machines);
        if written.addresses.is_empty() {
            self.absence(&field, written.place.clone(), Fact::Missing);
        }
        for (address, at) in &addresses {
            if let Some(node) = owners.insert(*address, text) {
                let node = node.to_owned();
                self.mistake(&field, at, Fact::AddressTaken { node });
            }
        }

        let mut roles = self.many(&format!("{path}.roles"), &written.roles, str::parse);
        roles.sort_unstable();
        if written.roles.is_empty() {
            roles = match alone {
                true => Role::ALL.to_vec(),
                false => vec![Role::Worker],
            };
        }
        let sans = self.many(&format!("{path}.san"), &written.san, address::parse_san);
        let ssh = self.one(&format!("{path}.ssh"), &written.ssh, str::parse);
        Some(Node {
            name: name?,
            addresses: addresses.into_iter().map(|(address, _)| address).collect(),
            roles,
            sans,
            ssh,
        })
    }
}
