//! The graph in the language of Graphviz.

use std::fmt::Write as _;

use pki_core::converge::graph::{Graph, State};

use crate::output::words::until;

use super::{MARK, ends, ids, label, roles, title};

/// Authorities, cards in a cluster for each column, programs; full lines issue, dashed ones dial.
pub fn dot(graph: &Graph) -> String {
    let mut out = format!("// {MARK}\ndigraph kpki {{\n");
    let _ = writeln!(
        out,
        "  label={}; labelloc=t; rankdir=LR; node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\", fontsize=10];",
        quoted(&title(graph))
    );
    for (index, authority) in graph.authorities.iter().enumerate() {
        let end = authority.expiry.not_after();
        let until = end.map(|end| until(end, graph.now));
        let mut text = format!(
            "{}\n{}\n{}",
            authority.id,
            authority.subject,
            until.unwrap_or_else(|| "missing".into())
        );
        for successor in &authority.successors {
            let _ = write!(text, "\nfollowed by {}", successor.subject);
        }
        let _ = writeln!(
            out,
            "  a{index} [label={}, shape=box3d, fillcolor=\"{}\"];",
            quoted(&text),
            colour(authority.expiry.state)
        );
    }
    for (column, one) in graph.columns.iter().enumerate() {
        let text = format!("{}\n{}", label(one), roles(one));
        let _ = writeln!(
            out,
            "  subgraph cluster_{column} {{\n    label={};",
            quoted(&text)
        );
        for (index, card) in graph.cards.iter().enumerate() {
            if card.column == column {
                let text = format!("{}\n{}", card.name, ends(card, graph));
                let _ = writeln!(
                    out,
                    "    c{index} [label={}, fillcolor=\"{}\"];",
                    quoted(&text),
                    colour(card.worst().state)
                );
            }
        }
        out.push_str("  }\n");
    }
    for (index, card) in graph.cards.iter().enumerate() {
        let issuer = graph
            .authorities
            .iter()
            .position(|one| one.id == card.issuer);
        if let Some(issuer) = issuer {
            let _ = writeln!(out, "  a{issuer} -> c{index};");
        }
    }
    for (client, server, one) in super::dials(graph) {
        let client = match client {
            Some(client) => format!("c{client}"),
            None => "pods".into(),
        };
        let text = format!("{}\ntrusts {}", one.name, ids(&one.client_trusts));
        let _ = writeln!(
            out,
            "  {client} -> c{server} [style=dashed, label={}];",
            quoted(&text)
        );
    }
    out.push_str("}\n");
    out
}

fn colour(state: State) -> &'static str {
    match state {
        State::Fine => "#dcfce7",
        State::Due => "#fef3c7",
        State::Late => "#fee2e2",
        State::NotYetValid | State::Expired => "#fca5a5",
        State::Missing => "#e2e8f0",
    }
}

/// A string of DOT: only `"` and `\` mean something in it, and `\n` breaks a line.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', "\\n"))
}
