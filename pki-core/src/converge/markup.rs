//! Text inside XML and HTML, for the pictures of both programs.

/// A text as it stands between tags and in attributes. Control characters, which XML has no place for, go.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(
            super::escape("a<b> \"c\" & 'd'\u{1b}[31m\n"),
            "a&lt;b&gt; &quot;c&quot; &amp; &#39;d&#39;[31m"
        );
    }
}
