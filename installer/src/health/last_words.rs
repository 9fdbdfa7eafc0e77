//! What a component wrote before it ended, and how often it did.

use std::fs;
use std::path::{Path, PathBuf};

use super::gate::Gate;
use crate::supervisor::logs::{self, LogPlaces};

/// So many lines tell why, and fit on a screen.
pub(super) const LINES: usize = 20;
/// Longer lines are dumps.
const WIDTH: usize = 400;

/// The last lines of a gate's component. Where the kubelet has not even made its container, what the kubelet says of
/// it.
pub(super) fn last_words(places: &LogPlaces, gate: Gate) -> Vec<String> {
    let component = gate.component();
    let own = read(places, component, LINES);
    if !own.is_empty() || !gate.is_pod() {
        return own;
    }
    let kubelet = read(places, "kubelet", 400);
    let about: Vec<_> = kubelet
        .into_iter()
        .filter(|line| line.contains(component))
        .collect();
    let skip = about.len().saturating_sub(LINES);
    about.into_iter().skip(skip).collect()
}

fn read(places: &LogPlaces, component: &str, lines: usize) -> Vec<String> {
    let mut bytes = Vec::new();
    // A component that has written nothing yet has no log.
    if logs::show(places, component, lines, false, &mut bytes).is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut told: Vec<_> = text.lines().map(cut).collect();
    // One that ends again and again says the same again and again.
    told.dedup();
    told
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

/// Counts how often a container was started again while it was waited for.
pub(super) struct Counter {
    pods: PathBuf,
    component: String,
    before: Option<(PathBuf, u32)>,
}

impl Counter {
    /// From now on.
    pub fn new(pods: &Path, component: &str) -> Self {
        Self {
            pods: pods.to_owned(),
            component: component.to_owned(),
            before: newest(pods, component),
        }
    }

    /// How often it ended since.
    pub fn ended(&mut self) -> u32 {
        let Some((directory, number)) = newest(&self.pods, &self.component) else {
            return 0;
        };
        match &self.before {
            Some((known, before)) if *known == directory => number.saturating_sub(*before),
            // Another pod of the same name: its first container has not ended.
            _ => number,
        }
    }
}

/// The directory of a component's newest container and the number of its newest log: the kubelet begins another file
/// at each start (`<number>.log`).
fn newest(pods: &Path, component: &str) -> Option<(PathBuf, u32)> {
    let prefix = format!("kube-system_{component}-");
    let entries = fs::read_dir(pods).ok()?.flatten();
    let directories = entries.filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(&prefix)
    });
    // A container has the component's name, flannel's the name of its pod.
    let containers = directories.filter_map(|pod| {
        let containers = fs::read_dir(pod.path()).ok()?.flatten();
        containers.map(|one| one.path()).find(|path| path.is_dir())
    });
    let newest = containers.max_by_key(|path| {
        let data = fs::metadata(path).and_then(|data| data.modified());
        data.ok()
    })?;
    let numbers = fs::read_dir(&newest).ok()?.flatten().filter_map(|log| {
        let name = log.file_name();
        name.to_string_lossy().strip_suffix(".log")?.parse().ok()
    });
    let number = numbers.max()?;
    Some((newest, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(pods: &Path, pod: &str, number: u32) {
        let container = pods.join(pod).join("kube-apiserver");
        fs::create_dir_all(&container).unwrap();
        fs::write(container.join(format!("{number}.log")), "").unwrap();
    }

    #[test]
    fn ends_are_counted_from_when_it_was_waited_for() {
        let pods = tempfile::tempdir().unwrap();
        let pods = pods.path();
        let mut fresh = Counter::new(pods, "kube-apiserver");
        assert_eq!(fresh.ended(), 0);
        start(pods, "kube-system_kube-apiserver-cp1_aaa", 0);
        assert_eq!(fresh.ended(), 0);
        start(pods, "kube-system_kube-apiserver-cp1_aaa", 1);
        assert_eq!(fresh.ended(), 1);
        let mut later = Counter::new(pods, "kube-apiserver");
        assert_eq!(later.ended(), 0);
        start(pods, "kube-system_kube-apiserver-cp1_aaa", 2);
        start(pods, "kube-system_etcd-cp1_bbb", 7);
        assert_eq!((fresh.ended(), later.ended()), (2, 1));
    }

    #[test]
    fn long_lines_are_cut_at_a_character() {
        let line = cut(&"ä".repeat(1000));
        assert_eq!(line.chars().count(), WIDTH + 3);
        assert_eq!(cut("short"), "short");
    }
}
