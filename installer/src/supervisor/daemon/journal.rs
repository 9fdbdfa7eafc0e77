//! The supervisor's own log.

use std::cell::RefCell;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::rotate::{LIMIT, RotatingLog};
use crate::supervisor::definition;

/// The supervisor's own log.
pub struct Journal(RefCell<Option<RotatingLog>>);

impl Journal {
    /// The log at `path`. Where it cannot be written, there is nobody to tell.
    pub fn open(path: &Path) -> Self {
        let dir = path.parent().expect("a file in a directory");
        let log = definition::make_private_dir(dir).and_then(|()| RotatingLog::open(path, LIMIT));
        Self(RefCell::new(log.ok()))
    }

    /// One line, with the time.
    pub fn say(&self, fact: &str) {
        if let Some(log) = &mut *self.0.borrow_mut() {
            let now = OffsetDateTime::now_utc();
            let now = now.replace_nanosecond(now.millisecond() as u32 * 1_000_000);
            let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
            let now = now.format(&Rfc3339).unwrap_or_default();
            let _ = log.write(format!("{now} {fact}\n").as_bytes());
        }
    }
}
