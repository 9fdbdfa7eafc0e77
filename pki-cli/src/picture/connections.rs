//! The lower half of the picture: who dials whom. A box for each server; an arrow from each kind of client, with what the
//! client presents and whom it trusts.

use pki_core::converge::graph::{Column, Connection, End, Graph, State};

use super::canvas::{Area, Canvas, letters};
use super::{ids, label};
use crate::output::table::wrap;
use crate::output::words::{count, list};

const MARGIN: i32 = 24;
const CLIENT: i32 = 210;
/// At least so long, with what is written along it.
const ARROW: i32 = 430;
const SERVER: i32 = 300;
const HEAD: i32 = 40;
const ROW: i32 = 54;
const GAP: i32 = 16;
const LINE: i32 = 18;

/// How wide it is at least.
pub const WIDTH: i32 = 2 * MARGIN + CLIENT + ARROW + SERVER;

/// Draws from `top` on, over that `width`; returns where it ends.
pub fn draw(canvas: &mut Canvas, graph: &Graph, top: i32, width: i32) -> i32 {
    let room = width - 2 * MARGIN;
    canvas.text("heading", (MARGIN, top + 20), 16, room, "Who dials whom");
    let arrow = room - CLIENT - SERVER;
    let mut y = top + HEAD;
    for group in servers(&graph.connections) {
        y = server(canvas, graph, &group, y, arrow) + GAP;
    }
    y
}

/// The connections by what the server is and presents, in order.
fn servers(all: &[Connection]) -> Vec<Vec<&Connection>> {
    let mut groups: Vec<Vec<&Connection>> = Vec::new();
    for one in all {
        let same = |group: &&mut Vec<&Connection>| {
            let server = &group[0].server;
            (&server.program, &server.presents) == (&one.server.program, &one.server.presents)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

fn server(canvas: &mut Canvas, graph: &Graph, group: &[&Connection], top: i32, arrow: i32) -> i32 {
    let end = &group[0].server;
    let room = SERVER - 32;
    let mut asked: Vec<String> = Vec::new();
    for id in group.iter().flat_map(|one| &one.server_trusts) {
        if !asked.contains(&id.to_string()) {
            asked.push(id.to_string());
        }
    }
    let trusts = match &asked[..] {
        [] => "asks for no certificate".into(),
        some => format!("trusts clients of {}", list(some)),
    };
    let trusts = wrap(&trusts, letters(room, 12));
    let lines = LINE * i32::try_from(trusts.len()).unwrap_or(i32::MAX);
    let rows = ROW * i32::try_from(group.len()).unwrap_or(i32::MAX);
    let height = rows.max(74 + lines);
    let x = MARGIN + CLIENT + arrow;
    canvas.begin(&format!("server {}", end.program));
    canvas.frame(
        &format!("card {}", end.state),
        Area {
            x,
            y: top,
            width: SERVER,
            height,
        },
    );
    let x = x + 16;
    canvas.text("strong", (x, top + 24), 15, room, &end.program);
    let place = place(graph, group.iter().map(|one| &one.server));
    canvas.text("weak", (x, top + 42), 12, room, &place);
    presents(canvas, end, (x, top + 60), room, "presents ");
    let mut y = top + 60 + LINE;
    for line in &trusts {
        canvas.text("weak", (x, y), 12, room, line);
        y += LINE;
    }
    canvas.end();
    for (index, one) in group.iter().enumerate() {
        let row = top + ROW * i32::try_from(index).unwrap_or(i32::MAX);
        client(canvas, graph, one, row, arrow);
    }
    top + height
}

fn client(canvas: &mut Canvas, graph: &Graph, one: &Connection, top: i32, arrow: i32) {
    let (height, middle) = (ROW - 8, top + ROW / 2);
    canvas.begin(&one.name);
    canvas.frame(
        "client",
        Area {
            x: MARGIN,
            y: top + 4,
            width: CLIENT,
            height,
        },
    );
    let (x, room) = (MARGIN + 12, CLIENT - 24);
    canvas.text("strong", (x, middle - 4), 13, room, &one.client.program);
    canvas.text(
        "weak",
        (x, middle + 14),
        12,
        room,
        &place(graph, [&one.client].into_iter()),
    );
    let (from, to) = (MARGIN + CLIENT, MARGIN + CLIENT + arrow);
    canvas.line("arrow", &format!("M{from} {middle}H{}", to - 2));
    let (x, room) = (from + 14, arrow - 40);
    presents(canvas, &one.client, (x, middle - 7), room, "");
    let trusts = match &one.client_trusts[..] {
        [] => String::new(),
        some => format!(" · trusts {}", ids(some)),
    };
    let text = format!("{}{trusts}", one.name);
    canvas.text("weak", (x, middle + 17), 12, room, &text);
    canvas.end();
}

/// What an end presents, with its state before it.
fn presents(canvas: &mut Canvas, end: &End, (x, y): (i32, i32), room: i32, word: &str) {
    let text = match (&end.presents, &end.issuer) {
        (Some(name), Some(issuer)) => format!("{word}{name} (from {issuer})"),
        (Some(name), None) => format!("{word}{name}"),
        (None, _) => "no certificate".into(),
    };
    let indent = if end.presents.is_some() {
        canvas.sign(end.state, (x, y - 10), State::meaning(end.state));
        16
    } else {
        0
    };
    canvas.text("plain", (x + indent, y), 12, room - indent, &text);
}

/// Where ends run.
fn place<'a>(graph: &Graph, ends: impl Iterator<Item = &'a End>) -> String {
    let mut columns: Vec<usize> = ends.flat_map(|end| end.columns.clone()).collect();
    columns.sort_unstable();
    columns.dedup();
    let everywhere = (0..graph.columns.len())
        .filter(|column| matches!(graph.columns[*column], Column::Nodes { .. }));
    match &columns[..] {
        [] => "anywhere".into(),
        several if several.len() > 1 && everywhere.eq(several.iter().copied()) => {
            format!("all {}", count(graph.nodes, "node"))
        }
        some => list(some.iter().map(|column| label(&graph.columns[*column]))),
    }
}
