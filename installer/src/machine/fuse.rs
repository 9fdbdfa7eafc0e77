//! Ends a run after so many effects, as a SIGKILL would: in tests only.

use std::io;

#[cfg(test)]
use std::{cell::Cell, rc::Rc};

/// Burns with each effect; nothing outside of tests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fuse {
    #[cfg(test)]
    left: Option<Rc<Cell<u32>>>,
}

impl Fuse {
    /// Before each effect on files.
    pub(crate) fn burn(&self) -> io::Result<()> {
        #[cfg(test)]
        if let Some(left) = &self.left {
            match left.get() {
                0 => return Err(io::Error::other("the fuse is burnt")),
                more => left.set(more - 1),
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn after(effects: u32) -> Self {
        Self {
            left: Some(Rc::new(Cell::new(effects))),
        }
    }
}
