//! YAML, written and read: the only module here that knows which library does it.

use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

/// A text that is no YAML, or whose documents are no objects. The library's own message can quote the text, which
/// may be a secret, so only the place is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not YAML{}", .line.map(|line| format!(" (line {line})")).unwrap_or_default())]
pub struct YamlError {
    /// The line, counted from 1, where it is known.
    pub line: Option<u64>,
}

/// One document.
pub fn document(value: &impl Serialize) -> Zeroizing<String> {
    // Texts of several lines are blocks; one long line stays one line, as grep and sed expect.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let text = serde_saphyr::to_string_with_options(value, options);
    Zeroizing::new(text.expect("plain structures of texts always have a YAML form"))
}

/// Every document of a text, without the empty ones.
///
/// # Errors
/// [`YamlError`] at the first that is none.
pub fn read(text: &str) -> Result<Vec<Value>, YamlError> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| YamlError {
        line: error.location().map(|location| location.line()),
    })?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let value = serde_json::json!({
            "a": "line one\nline two\n", "yes": "no", "n": "017", "list": [{"x": 1}, "*", "a: b"],
            "long": "word ".repeat(60), "empty": {}, "tail": "a\n\n",
        });
        let text = document(&value);
        assert_eq!(read(&text), Ok(vec![value]), "{}", *text);
        let long = text.lines().find(|line| line.starts_with("long:"));
        assert!(long.is_some_and(|line| line.len() > 300), "{}", *text);
    }

    #[test]
    fn several_documents_and_empty_ones() {
        let read = read("---\na: 1\n---\n# nothing\n---\nb: 2\n").unwrap();
        assert_eq!(read.len(), 2, "{read:?}");
        assert_eq!(super::read("# nothing\n"), Ok(vec![]));
        assert_eq!(super::read(""), Ok(vec![]));
    }

    #[test]
    fn mistakes_are_told_with_their_line_and_nothing_else() {
        let error = read("a: 1\nb: [secret\n").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
