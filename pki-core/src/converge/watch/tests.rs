use ring::rand::SystemRandom;
use time::macros::datetime;

use super::*;
use crate::cluster::blueprint::{Blueprint, Content};
use crate::cluster::profile::Profile;
use crate::cluster::spec::{ClusterSpec, NodeDocument};

const START: OffsetDateTime = datetime!(2026-12-01 0:00 UTC);

/// A cluster on a disk, and a clock that somebody else winds.
struct Place {
    dir: tempfile::TempDir,
    watch: Watch,
    now: OffsetDateTime,
    since_start: Duration,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("kubernetes");
        let spec = ClusterSpec::builder()
            .service_cidrs(["10.3.0.0/24"])
            .node(NodeDocument::new("n1").addresses(["192.0.2.10"]))
            .build()
            .unwrap();
        let blueprint = Blueprint::new(&spec, &Profile::kubeadm()).unwrap();
        let inventory = Inventory::empty();
        let plan = Plan::new(&blueprint, &inventory, START);
        let mut store = Store::open(&tree, &tree.join("ca")).unwrap();
        let mut changes = plan.execute(&SystemRandom::new()).unwrap();
        let location = crate::cluster::Location::tree("cluster.toml").unwrap();
        let text = zeroize::Zeroizing::new(spec.to_toml().into_bytes());
        changes.add(location, text, crate::cluster::FileMode::PUBLIC);
        changes.commit(&mut store).unwrap();
        drop(store);
        let clock = Clock::new(START, Duration::ZERO);
        let watch = Watch::new(&tree, None, Duration::HOUR, 0.5, clock).unwrap();
        Self {
            dir,
            watch,
            now: START,
            since_start: Duration::ZERO,
        }
    }

    /// Time passes.
    fn pass(&mut self, time: Duration) -> Look {
        self.now += time;
        self.since_start += time;
        self.look()
    }

    /// Somebody puts the clock.
    fn put(&mut self, now: OffsetDateTime) -> Look {
        self.now = now;
        self.look()
    }

    fn look(&mut self) -> Look {
        self.watch
            .look(self.now, self.since_start, &SystemRandom::new())
    }

    /// The leaves that are not valid by its clock.
    fn invalid(&self) -> Vec<String> {
        let inventory = self.watch.inventory().unwrap();
        let invalid = self.watch.invalid(&inventory, self.now);
        invalid
            .iter()
            .map(|(artifact, _)| artifact.to_string())
            .collect()
    }

    fn leaves(&self) -> usize {
        let artifacts = self.watch.cluster.blueprint.artifacts().iter();
        artifacts
            .filter(|artifact| artifact.content.leaf().is_some())
            .count()
    }
}

fn facts(look: &Look) -> Vec<&str> {
    look.problems
        .iter()
        .map(|problem| problem.fact.as_str())
        .collect()
}

#[test]
fn everything_is_renewed_after_two_thirds_and_nothing_before() {
    let mut place = Place::new();
    let look = place.pass(Duration::HOUR);
    assert_eq!(
        (look.renewed.len(), facts(&look), look.pause),
        (0, vec![], Duration::HOUR)
    );
    let look = place.pass(Duration::days(240));
    assert!(look.renewed.is_empty() && look.jump.is_none());
    let look = place.pass(Duration::days(12));
    assert_eq!(look.renewed.len(), place.leaves());
    assert_eq!(facts(&look), [] as [&str; 0]);
    let look = place.pass(Duration::HOUR);
    assert!(look.renewed.is_empty());
}

/// Ten years, in steps as long as each look asks for: no certificate is ever over.
#[test]
fn nothing_is_ever_over_as_long_as_it_watches() {
    let mut place = Place::new();
    place.watch.pause = Duration::days(25);
    let mut renewals = 0;
    let mut step = Duration::HOUR;
    while place.now < START + Duration::days(3600) {
        let look = place.pass(step);
        assert_eq!(place.invalid(), [] as [String; 0], "{}", place.now);
        assert_eq!(facts(&look), [] as [&str; 0], "{}", place.now);
        renewals += usize::from(!look.renewed.is_empty());
        step = look.pause;
        assert!(step > Duration::ZERO);
    }
    assert!((12..20).contains(&renewals), "{renewals}");
}

#[test]
fn a_clock_put_forward_is_seen_at_once_and_believed_when_it_stays() {
    let mut place = Place::new();
    place.pass(Duration::HOUR);
    let later = START + Duration::days(400);
    assert!(place.watch.clock_jumped(later, place.since_start));
    let look = place.put(later);
    assert!(matches!(look.jump, Some(Jump::Forward(_))));
    // Not in silence.
    assert_eq!(look.problems.len(), place.leaves());
    assert!(
        look.renewed.is_empty() && look.pause <= SETTLING,
        "{:?}",
        look.pause
    );
    // It was a mistake: nothing was issued by it.
    let look = place.put(START + Duration::hours(2));
    assert!(matches!(look.jump, Some(Jump::Back(_))) && look.problems.is_empty());
    place.put(later);
    let look = place.pass(SETTLING);
    assert_eq!(look.renewed.len(), place.leaves());
    assert_eq!(place.invalid(), [] as [String; 0]);
}

#[test]
fn what_a_fast_clock_has_issued_is_issued_anew_when_it_is_put_back() {
    let mut place = Place::new();
    place.put(START + Duration::days(400));
    let look = place.pass(SETTLING);
    assert_eq!(look.renewed.len(), place.leaves());
    let look = place.put(START + Duration::days(1));
    assert_eq!(look.problems.len(), place.leaves());
    assert!(look.renewed.is_empty());
    let look = place.pass(SETTLING);
    assert_eq!(look.renewed.len(), place.leaves());
    assert_eq!(place.invalid(), [] as [String; 0]);
}

#[test]
fn a_clock_that_lost_its_time_issues_nothing_and_is_told() {
    let mut place = Place::new();
    let look = place.put(datetime!(1970-01-01 0:00:10 UTC));
    assert_eq!(look.problems.len(), 1);
    assert!(facts(&look)[0].contains("1970-01-01"));
    let look = place.pass(Duration::HOUR);
    assert!(look.renewed.is_empty() && look.problems.len() == 1);
}

#[test]
fn errors_are_told_and_tried_again_ever_later() {
    let mut place = Place::new();
    let key = place.dir.path().join("kubernetes/ca/ca.key");
    let away = place.dir.path().join("ca.key");
    let copies = place.dir.path().join("kubernetes/nodes/n1/pki/ca.key");
    std::fs::rename(&key, &away).unwrap();
    std::fs::remove_file(copies).unwrap();
    let look = place.pass(Duration::days(255));
    let told = facts(&look);
    assert!(
        told.iter().any(|fact| fact.contains("is not renewed")),
        "{told:?}"
    );
    // What the other authorities issue is renewed all the same.
    assert!(!look.renewed.is_empty() && look.renewed.len() < place.leaves());
    let first = look.pause;
    assert_eq!(first, RETRY);
    let look = place.pass(first);
    assert_eq!(look.pause, RETRY * 2);
    std::fs::rename(&away, &key).unwrap();
    let look = place.pass(look.pause);
    assert!(!look.renewed.is_empty());
    assert_eq!(facts(&look), [] as [&str; 0]);
    assert_eq!(look.pause, Duration::HOUR);
}

#[test]
fn a_second_job_at_work_is_waited_for() {
    let mut place = Place::new();
    let tree = place.dir.path().join("kubernetes");
    let other = Store::open(&tree, &tree.join("ca")).unwrap();
    let look = place.pass(Duration::days(255));
    assert!(look.renewed.is_empty());
    assert!(
        facts(&look)[0].contains("is in use by another kpki"),
        "{:?}",
        facts(&look)
    );
    drop(other);
    let look = place.pass(look.pause);
    assert_eq!(look.renewed.len(), place.leaves());
}

/// An authority of ten years is renewed under its own key in time as well.
#[test]
fn authorities_are_watched_too() {
    let mut place = Place::new();
    place.pass(Duration::days(255));
    let look = place.pass(Duration::days(2300));
    let authorities = look.renewed.iter().filter(|done| {
        let artifact = place
            .watch
            .cluster
            .blueprint
            .artifact(&done.artifact)
            .unwrap();
        matches!(artifact.content, Content::Authority(_))
    });
    assert_eq!(authorities.count(), 3);
    assert_eq!(place.invalid(), [] as [String; 0]);
}

#[test]
fn a_spec_with_mistakes_changes_nothing() {
    let mut place = Place::new();
    let spec = place.dir.path().join("kubernetes/cluster.toml");
    let before = std::fs::read_to_string(&spec).unwrap();
    std::fs::write(&spec, "service-cidr = 7").unwrap();
    assert!(place.watch.reread().is_err());
    assert!(place.watch.cluster().spec.node("n1").is_some());
    std::fs::write(&spec, before.replace("192.0.2.10", "192.0.2.11")).unwrap();
    place.watch.reread().unwrap();
    let node = place.watch.cluster().spec.node("n1").unwrap();
    assert_eq!(node.addresses()[0].to_string(), "192.0.2.11");
}
