//! Apply: making what a plan asks for, and handing it to the one writer.

mod changes;
mod error;
mod execute;
mod render;

pub use changes::{Applied, Changes, Done};
pub use error::ApplyError;
pub(super) use render::{Key, State, render};

use ring::rand::SecureRandom;

use super::plan::Plan;
use super::store::Store;

impl Plan<'_> {
    /// Carries the plan out: every key and certificate is made in memory first, then all files are
    /// written in one transaction.
    ///
    /// # Errors
    /// [`ApplyError`]; then nothing was changed, or, with
    /// [`StoreError::Unfinished`](super::store::StoreError::Unfinished), the next opening finishes it.
    pub fn apply(
        &self,
        store: &mut Store,
        rng: &(dyn SecureRandom + Sync),
    ) -> Result<Applied, ApplyError> {
        Ok(self.execute(rng)?.commit(store)?)
    }
}
