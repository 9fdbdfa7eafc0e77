//! One document on standard output, names in kebab-case.

use serde::Serialize;

/// The document, with a line feed at its end.
pub fn document(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("only texts, numbers and lists of them are ever shown");
    text.push('\n');
    text
}
