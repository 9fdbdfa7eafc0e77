//! Finding the programs that a node is made of: where they are, which version, what is in them, whether they fit together.

mod cache;
mod elf;
mod probe;
mod problem;
mod search;
mod skew;
pub(crate) mod version;
mod wish;

use std::env;
use std::path::{Path, PathBuf};
use std::thread;

use cache::Cache;

use super::each::each;
use crate::desired::Programs;

pub use problem::ProgramProblem;
pub use skew::check as check_skew;
pub use wish::{DISTRIBUTION, ProgramWish, wanted};

/// Finds every one of `wanted`: in `bin_dirs`, beside this program, then in the usual places. What was found out is kept
/// in the file `cache` for the next time; a file that is damaged or cannot be written costs only time.
///
/// # Errors
/// Every problem with every program, not only the first; all programs that are missing are one problem.
pub fn find(
    wanted: &[ProgramWish],
    bin_dirs: &[PathBuf],
    cache: &Path,
) -> Result<Programs, Vec<ProgramProblem>> {
    let found = look(wanted, bin_dirs, cache);
    found.remember(cache);
    found.programs
}

/// What came of looking for programs. Nothing of it is kept for the next time yet.
pub struct Found {
    /// All of them, or every problem with every one.
    pub programs: Result<Programs, Vec<ProgramProblem>>,
    seen: Cache,
    is_news: bool,
}

impl Found {
    /// Keeps what was found out in the file `cache`. One that cannot be written costs only time.
    pub fn remember(&self, cache: &Path) {
        if self.is_news {
            self.seen.write(cache);
        }
    }
}

/// The same as [`find`], but that nothing is written.
pub fn look(wanted: &[ProgramWish], bin_dirs: &[PathBuf], cache: &Path) -> Found {
    let own = env::current_exe().ok();
    let own = own.as_deref().and_then(Path::parent);
    let known = Cache::read(cache);
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let probed = each(wanted, processors, |wish| {
        let candidates = search::candidates(wish, bin_dirs, own);
        probe::first(wish, &candidates, &known)
            .map_err(|problem| problem.unwrap_or_else(|| search::missing(wish, bin_dirs, own)))
    });

    let mut programs = Programs::default();
    let mut problems = Vec::new();
    let mut seen = Cache::default();
    for (wish, probed) in wanted.iter().zip(probed) {
        match probed {
            Ok(entry) => {
                programs.0.insert(wish.name.clone(), entry.program.clone());
                seen.add(entry);
            }
            Err(problem) => problems.push(problem),
        }
    }
    let is_news = seen != known;
    let mut problems = ProgramProblem::missing_as_one(problems);
    problems.extend(check_skew(&programs));
    Found {
        programs: if problems.is_empty() {
            Ok(programs)
        } else {
            Err(problems)
        },
        seen,
        is_news,
    }
}
