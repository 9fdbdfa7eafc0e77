//! What the API acknowledged has to be there for ever after.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tests::command::{run, succeed};
use tests::record::note;

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

    /// Writes and reads through one node for a while; how often each was refused is written down, and the longest gap.
    pub fn go_on(&mut self, place: &Place<'_>, number: usize, what: &str, span: Duration) {
        let began = Instant::now();
        let mut last = began;
        let (mut good, mut bad, mut gap) = (0, 0, Duration::ZERO);
        while began.elapsed() < span {
            let wrote = self.one(place, number);
            let mut read = place.kubectl(number, &["get", "configmaps", "--request-timeout=5s"]);
            if wrote && run(&mut read).code == Some(0) {
                gap = gap.max(last.elapsed());
                last = Instant::now();
                good += 1;
            } else {
                bad += 1;
            }
        }
        note(&format!(
            "members: {what}: on {} {good} writes and reads went well, {bad} did not; the longest gap was {:.1} s",
            name(number),
            gap.as_secs_f64()
        ));
        assert!(good > 0 && gap < span, "{what}: {good} good, {bad} bad");
        // An election takes a second or two; what still fails after that is no election.
        assert!(self.one(place, number), "{what}: it still does not answer");
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
