//! What the API acknowledged has to be there for ever after.

use std::collections::BTreeSet;

use tests::command::{run, succeed};

use crate::place::{Place, name};

/// Everything that was acknowledged so far.
pub struct Writes {
    acknowledged: BTreeSet<String>,
    tried: usize,
}

impl Writes {
    pub fn new() -> Self {
        Self {
            acknowledged: BTreeSet::new(),
            tried: 0,
        }
    }

    /// Writes one object through a node's API server, and says whether that was acknowledged.
    pub fn one(&mut self, place: &Place<'_>, number: usize) -> bool {
        self.tried += 1;
        let object = format!("write-{}", self.tried);
        let arguments = ["create", "configmap", &object, "--request-timeout=5s"];
        let ended = run(&mut place.kubectl(number, &arguments));
        let acknowledged = ended.code == Some(0);
        if acknowledged {
            self.acknowledged.insert(object);
        }
        acknowledged
    }

    /// These were acknowledged besides.
    pub fn were_acknowledged(&mut self, names: BTreeSet<String>) {
        self.acknowledged.extend(names);
    }

    /// Every one of them, by the word of every API server.
    pub fn are_all_there(&self, place: &Place<'_>) {
        assert!(self.acknowledged.len() > 10, "{}", self.acknowledged.len());
        for number in 0..3 {
            let arguments = ["get", "configmaps", "--output=name"];
            let said = succeed(&mut place.kubectl(number, &arguments));
            let there: BTreeSet<_> = said
                .lines()
                .filter_map(|line| line.strip_prefix("configmap/"))
                .map(str::to_owned)
                .collect();
            let lost: Vec<_> = self.acknowledged.difference(&there).collect();
            assert!(lost.is_empty(), "{} has not {lost:?}", name(number));
        }
    }
}
