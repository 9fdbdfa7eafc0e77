//! What the ledger says we made, and nobody wants any more.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Action, Change, Plan};
use crate::desired::{DirectoryContents, Resource, ResourceId, Stage};
use crate::machine::ledger::{Before, Entry, Made};
use crate::machine::{Found, Ledger, Observed};

/// What becomes of something that is not wanted any more.
enum Fate {
    /// It is taken away.
    Remove(String),
    /// It is not there, or was not ours: the ledger forgets it.
    Forget,
    /// It stays, and a reset takes it away.
    Keep,
}

pub(super) fn plan(desired: &[Resource], observed: &Observed, ledger: &Ledger, plan: &mut Plan) {
    let wanted: BTreeSet<ResourceId> = desired.iter().map(Resource::id).collect();
    let needed: BTreeSet<PathBuf> = desired
        .iter()
        .filter_map(|resource| Made::of(resource).path().map(Path::to_owned))
        .flat_map(|path| {
            let above = path.ancestors().skip(1).map(Path::to_owned);
            above.collect::<Vec<_>>()
        })
        .collect();
    let mut gone: BTreeSet<PathBuf> = BTreeSet::new();
    // The youngest first: what is in a directory before the directory.
    for entry in ledger.entries().iter().rev() {
        let path = entry.made.path();
        if wanted.contains(&entry.id) || path.is_some_and(|path| needed.contains(path)) {
            continue;
        }
        let stage = stage(entry);
        match fate(entry, observed.of(&entry.id), &gone) {
            Fate::Keep => {}
            Fate::Forget => plan
                .forgotten
                .entry(stage)
                .or_default()
                .push(entry.id.clone()),
            Fate::Remove(reason) => {
                gone.extend(path.map(Path::to_owned));
                plan.changes.push(Change {
                    id: entry.id.clone(),
                    stage,
                    action: Action::Remove,
                    why: "kinstall made it, and this node does not need it any more".to_owned(),
                    reasons: vec![reason],
                });
            }
        }
    }
}

/// After everything that may still use it was changed: in the last stage, but static pods with the others.
fn stage(entry: &Entry) -> Stage {
    match entry.stage {
        Stage::ControlPlane => Stage::ControlPlane,
        _ => Stage::Addons,
    }
}

fn fate(entry: &Entry, found: &Found, gone: &BTreeSet<PathBuf>) -> Fate {
    let remove = || Fate::Remove("no longer wanted".to_owned());
    match (&entry.made, &entry.before, found) {
        // Harmless, and files may belong to them. What components left, only a reset looks for.
        (Made::Account { .. } | Made::Module { .. } | Made::Trace(_), _, _) => Fate::Keep,
        (Made::Sysctl { .. }, Before::Value(before), Found::Sysctl(now)) if before != now => {
            Fate::Remove(format!("no longer wanted: is {now}, was {before} before"))
        }
        // Whether it is there will be seen when containerd runs.
        (Made::Image { .. }, _, Found::Unknown) => Fate::Keep,
        // What it was before is brought back by a reset.
        (Made::Directory { .. }, Before::Directory { .. }, Found::Directory { .. }) => Fate::Keep,
        (_, _, Found::Absent) | (_, Before::Same, _) | (Made::Sysctl { .. }, _, _) => Fate::Forget,
        (Made::Directory { path, contents }, _, Found::Directory { entries, .. }) => {
            let is_empty = || entries.iter().all(|name| gone.contains(&path.join(name)));
            match contents {
                DirectoryContents::Ours => remove(),
                DirectoryContents::Foreign if is_empty() => remove(),
                DirectoryContents::Foreign | DirectoryContents::Data => Fate::Keep,
            }
        }
        (Made::File { .. }, _, Found::File { .. })
        | (Made::Symlink { .. }, _, Found::Symlink(_))
        | (Made::Image { .. }, _, Found::Present)
        | (Made::Service { .. }, _, Found::Service(_)) => remove(),
        // Another made something else in its place.
        _ => Fate::Forget,
    }
}
