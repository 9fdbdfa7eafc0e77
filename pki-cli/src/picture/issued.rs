//! The upper half of the picture: a band for each authority, and in it what it issued, in a column for each kind of node.

use pki_core::converge::graph::{Authority, Card, Graph};

use super::canvas::{Area, Canvas, letters};
use super::{ends, label, roles};
use crate::output::table::wrap;
use crate::output::words::{count, list, until};

const MARGIN: i32 = 24;
const AUTHORITY: i32 = 250;
const LANE: i32 = 268;
/// Left of each lane, where the lines run.
const GUTTER: i32 = 26;
const HEAD: i32 = 52;
const PAD: i32 = 16;
/// Above the cards, where the lines come from the authority.
const BUS: i32 = 12;
const CARD: i32 = 46;
const CARD_GAP: i32 = 10;
const BAND_GAP: i32 = 14;
const SIGN: i32 = 12;
const LINE: i32 = 16;

/// How wide it is.
pub fn width(graph: &Graph) -> i32 {
    let lanes = i32::try_from(graph.columns.len()).unwrap_or(i32::MAX);
    2 * MARGIN + AUTHORITY + lanes * (GUTTER + LANE) + PAD
}

/// Draws from `top` on; returns where it ends.
pub fn draw(canvas: &mut Canvas, graph: &Graph, top: i32) -> i32 {
    for (index, column) in graph.columns.iter().enumerate() {
        let x = lane(index);
        canvas.text("strong", (x, top + 18), 14, LANE, &label(column));
        canvas.text("weak", (x, top + 36), 12, LANE, &roles(column));
    }
    let mut y = top + HEAD;
    for authority in &graph.authorities {
        y = band(canvas, graph, authority, y) + BAND_GAP;
    }
    if !graph.secrets.is_empty() {
        y = secrets(canvas, graph, y) + BAND_GAP;
    }
    y
}

fn lane(index: usize) -> i32 {
    let index = i32::try_from(index).unwrap_or(i32::MAX);
    MARGIN + AUTHORITY + index * (GUTTER + LANE) + GUTTER
}

fn per_row() -> usize {
    usize::try_from((LANE - 2 * 12) / SIGN).unwrap_or(1)
}

fn card_height(card: &Card) -> i32 {
    match card.members.len() {
        1 => CARD,
        several => {
            let rows = several.div_ceil(per_row());
            CARD + 4 + SIGN * i32::try_from(rows).unwrap_or(i32::MAX)
        }
    }
}

/// An authority and what it issued; returns where the band ends.
fn band(canvas: &mut Canvas, graph: &Graph, authority: &Authority, top: i32) -> i32 {
    let facts = facts(authority, graph);
    let own = 2 * PAD + 24 + LINE * i32::try_from(facts.len()).unwrap_or(i32::MAX);
    let heights = (0..graph.columns.len()).map(|column| {
        let cards = graph.cards_of(&authority.id, column);
        cards.map(|card| card_height(card) + CARD_GAP).sum::<i32>()
    });
    let cards = BUS + PAD + heights.max().unwrap_or(0) - CARD_GAP + PAD;
    let height = own.max(cards);
    canvas.frame(
        "band",
        Area {
            x: MARGIN,
            y: top,
            width: width(graph) - 2 * MARGIN,
            height,
        },
    );
    canvas.begin(&format!("authority {}", authority.id));
    canvas.frame(
        "authority",
        Area {
            x: MARGIN,
            y: top,
            width: AUTHORITY,
            height,
        },
    );
    let (x, room) = (MARGIN + PAD, AUTHORITY - 2 * PAD);
    let name = authority.id.to_string();
    canvas.text("strong", (x, top + PAD + 12), 15, room, &name);
    let mut y = top + PAD + 12 + LINE + 4;
    let state = authority.expiry.state;
    canvas.sign(state, (x, y - 10), state.meaning());
    for (index, fact) in facts.iter().enumerate() {
        let indent = if index == 0 { 16 } else { 0 };
        canvas.text("weak", (x + indent, y), 12, room - indent, fact);
        y += LINE;
    }
    canvas.end();
    lines(canvas, graph, authority, top);
    for column in 0..graph.columns.len() {
        let mut y = top + BUS + PAD;
        for card in graph.cards_of(&authority.id, column) {
            draw_card(canvas, graph, card, (lane(column), y));
            y += card_height(card) + CARD_GAP;
        }
    }
    top + height
}

/// From the authority along the top of its band, down the gutters, and to each card.
fn lines(canvas: &mut Canvas, graph: &Graph, authority: &Authority, top: i32) {
    let bus = top + BUS;
    let mut path = String::new();
    let mut last = None;
    for column in 0..graph.columns.len() {
        let gutter = lane(column) - GUTTER / 2;
        let mut y = top + BUS + PAD;
        let mut down = None;
        for card in graph.cards_of(&authority.id, column) {
            let middle = y + CARD / 2;
            path.push_str(&format!("M{gutter} {middle}H{}", lane(column)));
            down = Some(middle);
            y += card_height(card) + CARD_GAP;
        }
        if let Some(down) = down {
            path.push_str(&format!("M{gutter} {bus}V{down}"));
            last = Some(gutter);
        }
    }
    if let Some(last) = last {
        path.push_str(&format!("M{} {bus}H{last}", MARGIN + AUTHORITY));
        canvas.line("line", &path);
    }
}

/// What is said of an authority, a line each.
fn facts(authority: &Authority, graph: &Graph) -> Vec<String> {
    let end = authority.expiry.not_after();
    let mut facts = vec![end.map_or("missing".into(), |end| until(end, graph.now))];
    let fits = letters(AUTHORITY - 2 * PAD, 12);
    let mut tell = |text: String| facts.extend(wrap(&text, fits));
    tell(authority.subject.clone());
    if let Some(issuer) = &authority.issuer {
        tell(format!("issued by {issuer}"));
    }
    for successor in &authority.successors {
        let until = successor
            .expiry
            .not_after()
            .map(|end| until(end, graph.now));
        let until = until.unwrap_or_else(|| "missing".into());
        tell(format!("followed by {}, {until}", successor.subject));
    }
    if authority.imported {
        tell("imported: kpki never renews it".into());
    }
    let key = if authority.has_key {
        "key at hand"
    } else {
        "key is away"
    };
    tell(match authority.key_on.len() {
        0 => format!("{key}, on no node"),
        nodes => format!("{key}, on {}", count(nodes, "node")),
    });
    tell(format!(
        "certificate on {}",
        count(authority.certificate_on.len(), "node")
    ));
    if !authority.trusted_by.is_empty() {
        tell(format!("trusted by {}", list(&authority.trusted_by)));
    }
    facts
}

fn draw_card(canvas: &mut Canvas, graph: &Graph, card: &Card, (x, y): (i32, i32)) {
    let height = card_height(card);
    let worst = card.worst();
    canvas.begin(&format!(
        "{} {}: {}",
        card.kind,
        card.name,
        worst.state.meaning()
    ));
    canvas.frame(
        &format!("card {}", worst.state),
        Area {
            x,
            y,
            width: LANE,
            height,
        },
    );
    canvas.text("strong", (x + 12, y + 18), 13, LANE - 24, &card.name);
    let text = ends(card, graph);
    match &card.members[..] {
        [one] => {
            canvas.sign(
                one.expiry.state,
                (x + 12, y + 26),
                one.expiry.state.meaning(),
            );
            canvas.text("weak", (x + 28, y + 35), 12, LANE - 40, &text);
        }
        several => {
            canvas.text("weak", (x + 12, y + 35), 12, LANE - 24, &text);
            for (index, member) in several.iter().enumerate() {
                let place = |number: usize| SIGN * i32::try_from(number).unwrap_or(i32::MAX);
                let at = (
                    x + 12 + place(index % per_row()),
                    y + CARD - 2 + place(index / per_row()),
                );
                let state = member.expiry.state;
                let title = format!("{}: {}", member.artifact, state.meaning());
                canvas.sign(state, at, &title);
            }
        }
    }
    canvas.end();
}

/// What no authority issues.
fn secrets(canvas: &mut Canvas, graph: &Graph, top: i32) -> i32 {
    let rows = i32::try_from(graph.secrets.len()).unwrap_or(i32::MAX);
    let height = 2 * PAD + rows * LINE + (rows - 1) * 4;
    canvas.frame(
        "band",
        Area {
            x: MARGIN,
            y: top,
            width: width(graph) - 2 * MARGIN,
            height,
        },
    );
    let mut y = top + PAD + 12;
    canvas.text(
        "strong",
        (MARGIN + PAD, y),
        13,
        AUTHORITY - PAD,
        "secrets without an end",
    );
    for secret in &graph.secrets {
        let there = if secret.is_there { "" } else { "missing: " };
        let text = format!(
            "{there}{} ({}), on {}",
            secret.id,
            secret.kind,
            list(&secret.on)
        );
        let room = width(graph) - lane(0) - MARGIN - PAD;
        canvas.text("weak", (lane(0), y), 12, room, &text);
        y += LINE + 4;
    }
    top + height
}
