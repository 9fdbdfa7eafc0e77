//! The supervisor's own log.

use std::cell::RefCell;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::rotate::{LIMIT, RotatingLog};
use crate::supervisor::definition;

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

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
            let now = OffsetDateTime::now_utc().format(TIME).unwrap_or_default();
            let _ = log.write(format!("{now} {fact}\n").as_bytes());
        }
    }
}
