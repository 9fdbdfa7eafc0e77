//! The graph as a Mermaid flowchart, which GitHub and many wikis draw.

use std::fmt::Write as _;

use pki_core::converge::graph::{Graph, State};

use crate::output::words::until;

use super::{MARK, ends, label, roles, title};

/// As [`super::dot()`] has it.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = format!(
        "---\ntitle: {}\n---\n%% {MARK}\nflowchart LR\n",
        quoted(&title(graph))
    );
    for (index, authority) in graph.authorities.iter().enumerate() {
        let end = authority.expiry.not_after();
        let until = end.map(|end| until(end, graph.now));
        let mut lines = format!(
            "{}<br>{}",
            text(&authority.id.to_string()),
            until.unwrap_or_else(|| "missing".into())
        );
        for successor in &authority.successors {
            let _ = write!(lines, "<br>followed by {}", text(&successor.subject));
        }
        let _ = writeln!(
            out,
            "  a{index}[[\"{lines}\"]]:::{}",
            class(authority.expiry.state)
        );
    }
    for (column, one) in graph.columns.iter().enumerate() {
        let name = format!("{}: {}", label(one), roles(one));
        let _ = writeln!(out, "  subgraph g{column}[\"{}\"]", text(&name));
        for (index, card) in graph.cards.iter().enumerate() {
            if card.column == column {
                let _ = writeln!(
                    out,
                    "    c{index}[\"{}<br>{}\"]:::{}",
                    text(&card.name),
                    text(&ends(card, graph)),
                    class(card.worst().state)
                );
            }
        }
        out.push_str("  end\n");
    }
    for (index, card) in graph.cards.iter().enumerate() {
        let issuer = graph
            .authorities
            .iter()
            .position(|one| one.id == card.issuer);
        if let Some(issuer) = issuer {
            let _ = writeln!(out, "  a{issuer} --> c{index}");
        }
    }
    for (client, server, one) in super::dials(graph) {
        let client = match client {
            Some(client) => format!("c{client}"),
            None => "pods".into(),
        };
        let _ = writeln!(out, "  {client} -. \"{}\" .-> c{server}", text(&one.name));
    }
    for state in State::ALL {
        let (fill, stroke) = match state {
            State::Fine => ("#dcfce7", "#15803d"),
            State::Due => ("#fef3c7", "#b45309"),
            State::Late => ("#fee2e2", "#dc2626"),
            State::NotYetValid | State::Expired => ("#fca5a5", "#991b1b"),
            State::Missing => ("#e2e8f0", "#64748b"),
        };
        let class = class(state);
        let _ = writeln!(
            out,
            "  classDef {class} fill:{fill},stroke:{stroke},color:#0f172a"
        );
    }
    out
}

/// A class's name has no `-` that Mermaid could take for an arrow.
fn class(state: State) -> String {
    state.as_str().replace('-', "_")
}

/// A text in a label: Mermaid has entities for what would end it.
fn text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '#' => out.push_str("#35;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A string of YAML, which is also one of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
