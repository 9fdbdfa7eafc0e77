//! Numbers and moments in words.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `2027-11-23, 365 days`.
pub fn until(not_after: OffsetDateTime, now: OffsetDateTime) -> String {
    // The last second is included, and what was issued in this one is fresh.
    let now = now.replace_nanosecond(0).unwrap_or(now);
    let left = not_after - now + time::Duration::SECOND;
    let left = if left.is_negative() {
        "expired".into()
    } else if left.whole_days() == 0 {
        count(usize::try_from(left.whole_hours()).unwrap_or(0), "hour")
    } else {
        count(usize::try_from(left.whole_days()).unwrap_or(0), "day")
    };
    format!("{} ({left})", not_after.date())
}

/// `2027-11-23T10:00:00Z`, as JSON has moments.
pub fn moment(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_default()
}

/// A list in one line.
pub fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
    values.join(", ")
}

/// An argument as a shell would take it.
pub fn shell(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

/// How wide the terminal is, if standard output is one.
pub fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}
