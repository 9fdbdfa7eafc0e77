//! From what was asked for to the order in which it becomes visible.

use super::journal::Step;
use super::transaction::{Change, Operation};

/// The steps of a transaction.
///
/// Within a group of which several files change, the first is taken away before any other is
/// touched and put in place last. Wherever that is interrupted, the group is whole and old, whole
/// and new, or visibly incomplete. The old files need not be kept: every new one is complete and
/// durable before the first step, so that going forward always works.
pub(super) fn program(operations: &[Operation], exists: &[bool]) -> Vec<Step> {
    let indexed: Vec<Member<'_>> = operations
        .iter()
        .zip(exists)
        .enumerate()
        .map(|(index, (operation, exists))| Member {
            operation,
            exists: *exists,
            staged: u32::try_from(index).unwrap_or(u32::MAX),
        })
        .filter(|member| member.exists || !matches!(member.operation.change, Change::Remove))
        .collect();
    indexed
        .chunk_by(|one, next| one.operation.group == next.operation.group)
        .flat_map(group)
        .collect()
}

#[derive(Clone, Copy)]
struct Member<'operation> {
    operation: &'operation Operation,
    exists: bool,
    staged: u32,
}

impl Member<'_> {
    fn step(&self) -> Step {
        let at = self.operation.location.clone();
        match self.operation.change {
            Change::Write { mode, .. } => Step::Place {
                at,
                staged: self.staged,
                mode,
            },
            Change::SetMode(mode) => Step::SetMode { at, mode },
            Change::Remove => Step::Remove { at },
        }
    }

    fn changes_contents(&self) -> bool {
        !matches!(self.operation.change, Change::SetMode(_))
    }
}

fn group(members: &[Member<'_>]) -> Vec<Step> {
    let several = members
        .iter()
        .filter(|member| member.changes_contents())
        .count()
        > 1;
    match members {
        [first, rest @ ..] if several && matches!(first.operation.change, Change::Write { .. }) => {
            let vacate = first.exists.then(|| Step::Vacate {
                at: first.operation.location.clone(),
                staged: first.staged,
            });
            vacate
                .into_iter()
                .chain(rest.iter().map(Member::step))
                .chain([first.step()])
                .collect()
        }
        _ => members.iter().map(Member::step).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Operation, Step, program};
    use crate::converge::store::{FileMode, Location};

    fn operation(path: &str, change: Change, group: usize) -> Operation {
        Operation {
            location: Location::tree(path).expect("a path"),
            change,
            group,
        }
    }

    fn write() -> Change {
        Change::Write {
            contents: Vec::new().into(),
            mode: FileMode::PUBLIC,
        }
    }

    fn words(steps: &[Step]) -> Vec<String> {
        steps
            .iter()
            .map(|step| {
                let word = match step {
                    Step::Vacate { .. } => "vacate",
                    Step::Place { .. } => "place",
                    Step::SetMode { .. } => "mode",
                    Step::Remove { .. } => "remove",
                };
                format!("{word} {}", step.location().path)
            })
            .collect()
    }

    #[test]
    fn a_replaced_pair_is_incomplete_rather_than_mismatched() {
        let operations = [operation("crt", write(), 1), operation("key", write(), 1)];
        let steps = program(&operations, &[true, true]);
        assert_eq!(words(&steps), ["vacate crt", "place key", "place crt"]);
    }

    #[test]
    fn a_fresh_pair_needs_nothing_taken_away() {
        let operations = [operation("crt", write(), 1), operation("key", write(), 1)];
        let steps = program(&operations, &[false, true]);
        assert_eq!(words(&steps), ["place key", "place crt"]);
    }

    #[test]
    fn one_changed_file_of_a_pair_is_one_rename() {
        let operations = [
            operation("crt", write(), 1),
            operation("key", Change::SetMode(FileMode::PRIVATE_KEY), 1),
        ];
        let steps = program(&operations, &[true, true]);
        assert_eq!(words(&steps), ["place crt", "mode key"]);
    }

    #[test]
    fn a_pair_goes_certificate_first() {
        let operations = [
            operation("crt", Change::Remove, 1),
            operation("key", Change::Remove, 1),
            operation("gone", Change::Remove, 2),
        ];
        let steps = program(&operations, &[true, true, false]);
        assert_eq!(words(&steps), ["remove crt", "remove key"]);
    }

    #[test]
    fn a_certificate_outlives_no_key_that_leaves() {
        let operations = [
            operation("crt", write(), 1),
            operation("key", Change::Remove, 1),
        ];
        let steps = program(&operations, &[true, true]);
        assert_eq!(words(&steps), ["vacate crt", "remove key", "place crt"]);
    }
}
