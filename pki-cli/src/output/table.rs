//! Tables: columns that are as wide as they need to be, and one that wraps.

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::errors::printable;
use super::style::{STRONG, WEAK};
use super::words::terminal_width;

const GAP: &str = "  ";
/// Where no terminal says how wide it is.
const DEFAULT_WIDTH: usize = 120;
/// The wrapping column is never narrower, however narrow the terminal.
const NARROWEST: usize = 24;

/// Rows under headings, in columns that line up over all of them.
pub struct Table {
    headings: Vec<&'static str>,
    wrapping: usize,
    lines: Vec<Line>,
}

enum Line {
    Section(String),
    Row(Vec<Cell>),
    Note(String),
}

/// A piece of text and its style.
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub fn plain(text: impl Into<String>) -> Self {
        Self::styled(text, Style::new())
    }

    pub fn strong(text: impl Into<String>) -> Self {
        Self::styled(text, STRONG)
    }

    pub fn weak(text: impl Into<String>) -> Self {
        Self::styled(text, WEAK)
    }

    pub fn styled(text: impl Into<String>, style: Style) -> Self {
        let text = printable(&text.into());
        Self { text, style }
    }
}

impl Table {
    /// A table in which the column number `wrapping` takes what is left of the line and breaks at blanks.
    pub fn new(headings: impl Into<Vec<&'static str>>, wrapping: usize) -> Self {
        Self {
            headings: headings.into(),
            wrapping,
            lines: Vec::new(),
        }
    }

    /// A heading over the rows that follow.
    pub fn section(&mut self, title: impl Into<String>) {
        self.lines.push(Line::Section(printable(&title.into())));
    }

    pub fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.lines.push(Line::Row(cells.into()));
    }

    /// More about the last row, over the whole width.
    pub fn note(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Note(printable(&text.into())));
    }

    /// The table for this terminal.
    pub fn render(&self) -> String {
        self.render_for(terminal_width().unwrap_or(DEFAULT_WIDTH))
    }

    fn render_for(&self, width: usize) -> String {
        let widths = self.widths(width);
        let mut out = String::new();
        let headings: Vec<_> = self.headings.iter().map(|text| Cell::weak(*text)).collect();
        self.render_row(&headings, &widths, &mut out);
        for line in &self.lines {
            match line {
                Line::Section(title) => {
                    out.push_str(&format!("{STRONG}{title}{STRONG:#}\n"));
                }
                Line::Row(cells) => self.render_row(cells, &widths, &mut out),
                Line::Note(text) => {
                    let indent = GAP.repeat(3);
                    for line in wrap(text, width.saturating_sub(indent.len()).max(NARROWEST)) {
                        out.push_str(&format!("{indent}{line}\n"));
                    }
                }
            }
        }
        out
    }

    fn widths(&self, line: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self.headings.iter().map(|text| text.width()).collect();
        for line in &self.lines {
            if let Line::Row(cells) = line {
                for (width, cell) in widths.iter_mut().zip(cells) {
                    *width = (*width).max(cell.text.width());
                }
            }
        }
        let others: usize = widths
            .iter()
            .enumerate()
            .filter(|(column, _)| *column != self.wrapping)
            .map(|(_, width)| width + GAP.len())
            .sum();
        let longest = |cells: &Vec<Cell>| longest_word(&cells[self.wrapping].text);
        let words = self.lines.iter().filter_map(|line| match line {
            Line::Row(cells) => Some(longest(cells)),
            _ => None,
        });
        let least = words.max().unwrap_or(0).max(NARROWEST);
        let rest = line.saturating_sub(others + GAP.len()).max(least);
        widths[self.wrapping] = widths[self.wrapping].min(rest);
        widths
    }

    fn render_row(&self, cells: &[Cell], widths: &[usize], out: &mut String) {
        let wrapped: Vec<Vec<String>> = cells
            .iter()
            .enumerate()
            .map(|(column, cell)| {
                if column == self.wrapping {
                    wrap(&cell.text, widths[column])
                } else {
                    vec![cell.text.clone()]
                }
            })
            .collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let mut row = String::from(GAP);
            let mut blanks = 0;
            for ((pieces, cell), width) in wrapped.iter().zip(cells).zip(widths) {
                let piece = pieces.get(line).map_or("", String::as_str);
                if !piece.is_empty() {
                    let style = cell.style;
                    row.push_str(&" ".repeat(blanks));
                    row.push_str(&format!("{style}{piece}{style:#}"));
                    blanks = 0;
                }
                blanks += width.saturating_sub(piece.width()) + GAP.len();
            }
            out.push_str(&row);
            out.push('\n');
        }
    }
}

/// Lines no wider than `width`, broken at blanks; a single word may be wider.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn longest_word(text: &str) -> usize {
    text.split(' ')
        .map(UnicodeWidthStr::width)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_one_wraps() {
        let mut table = Table::new(["A", "NAMES", "FILE"], 1);
        table.section("node n1");
        table.row([
            Cell::plain("apiserver"),
            Cell::plain("10.3.0.1, kubernetes, kubernetes.default"),
            Cell::plain("pki/apiserver.crt"),
        ]);
        table.row([Cell::plain("x"), Cell::plain(""), Cell::plain("y")]);
        table.note("more about x");
        let text = anstream::adapter::strip_str(&table.render_for(60)).to_string();
        assert_eq!(
            text,
            "  A          NAMES                         FILE\n\
             node n1\n  \
             apiserver  10.3.0.1, kubernetes,         pki/apiserver.crt\n             \
             kubernetes.default\n  \
             x                                        y\n      \
             more about x\n"
        );
    }
}
