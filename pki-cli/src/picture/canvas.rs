//! Shapes and texts of an SVG. Colours are names of the palette, so that light and dark are a matter of style.

use std::fmt::Write as _;

use pki_core::converge::graph::State;
use pki_core::converge::markup::escape;

/// What was drawn so far.
#[derive(Default)]
pub struct Canvas {
    pub out: String,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

/// How wide a letter is at most, in thousandths of the size of its font: wide enough for sans-serif fonts in use.
const LETTER: i32 = 600;

impl Canvas {
    /// A frame with round corners.
    pub fn frame(&mut self, class: &str, area: Area) {
        let Area {
            x,
            y,
            width,
            height,
        } = area;
        let _ = writeln!(
            self.out,
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>"#
        );
    }

    /// A line of text that is no wider than `room`: what does not fit is cut, and whole in its title.
    pub fn text(&mut self, class: &str, (x, y): (i32, i32), size: i32, room: i32, text: &str) {
        let shown = clipped(text, letters(room, size));
        let title = if shown == text {
            String::new()
        } else {
            format!("<title>{}</title>", escape(text))
        };
        let _ = writeln!(
            self.out,
            r#"<text class="{class}" x="{x}" y="{y}" font-size="{size}">{title}{}</text>"#,
            escape(&shown)
        );
    }

    /// A line or several, in one path.
    pub fn line(&mut self, class: &str, path: &str) {
        let _ = writeln!(self.out, r#"<path class="{class}" d="{path}"/>"#);
    }

    /// The sign of a state: each has a shape of its own, so that colour is not all there is. Ten wide, ten high.
    pub fn sign(&mut self, state: State, (x, y): (i32, i32), title: &str) {
        let path = outline(state);
        let title = if title.is_empty() {
            String::new()
        } else {
            format!("<title>{}</title>", escape(title))
        };
        let _ = writeln!(
            self.out,
            r#"<g class="sign {state}" transform="translate({x} {y})">{title}<path d="{path}"/></g>"#
        );
    }

    /// What is drawn until `end` belongs together and has a name.
    pub fn begin(&mut self, name: &str) {
        let _ = writeln!(self.out, "<g><title>{}</title>", escape(name));
    }

    pub fn end(&mut self) {
        self.out.push_str("</g>\n");
    }
}

const fn outline(state: State) -> &'static str {
    match state {
        State::Fine => "M5 0A5 5 0 1 1 5 10A5 5 0 1 1 5 0z",
        State::Due => "M5 0L10 9.5H0z",
        State::Late => "M5 0L10 5L5 10L0 5z",
        State::NotYetValid => "M5 1A4 4 0 1 1 5 9A4 4 0 1 1 5 1z",
        State::Expired => "M1 1L9 9M9 1L1 9",
        State::Missing => "M1 1H9V9H1z",
    }
}

/// A sign in a line of text, beside the word for it.
pub fn sign(state: State) -> String {
    format!(
        r#"<svg class="kpki" aria-hidden="true" width="10" height="10" viewBox="0 0 10 10"><g class="sign {state}"><path d="{}"/></g></svg>"#,
        outline(state)
    )
}

/// How many letters fit.
pub fn letters(room: i32, size: i32) -> usize {
    usize::try_from(room * 1000 / (size * LETTER)).unwrap_or(0)
}

fn clipped(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept = text.chars().take(longest.saturating_sub(1));
    kept.chain(['…']).collect()
}
