//! Lines of `field: value` for people.

use std::fmt;

/// Lines whose values stand one below the other.
#[derive(Default)]
pub(super) struct Lines(Vec<(&'static str, String)>);

impl Lines {
    pub(super) fn add(&mut self, field: &'static str, value: impl fmt::Display) {
        self.0.push((field, printable(&value.to_string())));
    }

    /// Nothing where there is nothing to say.
    pub(super) fn maybe(&mut self, field: &'static str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.add(field, value);
        }
    }

    /// Several values in one line; nothing where there are none.
    pub(super) fn list(&mut self, field: &'static str, values: &[impl AsRef<str>]) {
        let values: Vec<_> = values.iter().map(AsRef::as_ref).collect();
        if !values.is_empty() {
            self.add(field, values.join(", "));
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(field, _)| field.len()).max();
        let width = width.unwrap_or(0) + 1;
        for (field, value) in &self.0 {
            writeln!(f, "{:width$} {value}", format!("{field}:"))?;
        }
        Ok(())
    }
}

/// Names in certificates are whatever somebody wrote: control characters could repaint a terminal, and
/// marks of writing direction could show one name as another (Unicode TR 36 section 2.5).
fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                safe.extend(character.escape_unicode());
            }
            c if c.is_control() => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_aligned_and_cannot_repaint_a_terminal() {
        let mut lines = Lines::default();
        lines.add("a", "x\u{1b}[2J\ny");
        lines.add("long", "Zürich \u{202e}gpj");
        lines.list("none", &[] as &[&str]);
        lines.maybe("none", None::<&str>);
        assert_eq!(
            lines.to_string(),
            "a:    x\\u{1b}[2J\\ny\nlong: Zürich \\u{202e}gpj\n"
        );
    }
}
