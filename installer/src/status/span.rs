//! A span of time for people.

/// A span of time in its largest unit: `119 s`, `2 min`, `2 h`, `2 d`.
pub fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s if s < 120 => format!("{s} s"),
        s if s < 7200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        assert_eq!(span(-1), "0 s");
        assert_eq!(span(119), "119 s");
        assert_eq!(span(120), "2 min");
        assert_eq!(span(7200), "2 h");
        assert_eq!(span(172_800), "2 d");
    }
}
