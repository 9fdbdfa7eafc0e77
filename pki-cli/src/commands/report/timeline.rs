//! When certificates end: a row for each kind, time to the right, nearer days wider than far ones.

use std::collections::BTreeMap;

use pki_core::converge::graph::{Expiry, Graph, State};
use time::{Duration, OffsetDateTime};

use crate::output::words::count;
use crate::picture::{Canvas, label};

const LABEL: i32 = 310;
const SCALE: i32 = 640;
const WIDTH: i32 = LABEL + SCALE + 90;
const HEAD: i32 = 46;
const ROW: i32 = 24;

/// The marks of the scale, in days from now.
const MARKS: [(f64, &str); 8] = [
    (-30.0, "30 days ago"),
    (0.0, "now"),
    (1.0, "1 day"),
    (7.0, "7 days"),
    (30.0, "30 days"),
    (90.0, "90 days"),
    (365.0, "1 year"),
    (3650.0, "10 years"),
];

/// The timeline as an SVG; its style is the page's.
pub fn timeline(graph: &Graph) -> String {
    let rows = rows(graph);
    let bottom = HEAD + ROW * i32::try_from(rows.len()).unwrap_or(i32::MAX);
    let mut canvas = Canvas::default();
    for (days, name) in MARKS {
        let x = place(days);
        let class = if days == 0.0 { "now" } else { "axis" };
        canvas.line(class, &format!("M{x} {}V{bottom}", HEAD - 12));
        canvas.text("weak mark", (x, HEAD - 20), 11, 80, name);
    }
    for (index, (name, ends)) in rows.iter().enumerate() {
        let y = HEAD + ROW * i32::try_from(index).unwrap_or(i32::MAX) + 6;
        canvas.text("plain", (8, y + 9), 12, LABEL - 40, name);
        let mut next = ends.keys().map(|(x, _)| *x).skip(1);
        for ((x, state), (many, when)) in ends {
            let title = format!(
                "{name}: {} until {when}, {}",
                count(*many, "certificate"),
                state.meaning()
            );
            canvas.sign(*state, (*x - 5, y), &title);
            // The number of them, where there is room for it.
            let room = next.next().is_none_or(|next| next - x > 45);
            if *many > 1 && room {
                canvas.text("weak", (*x + 9, y + 9), 11, 40, &format!("×{many}"));
            }
        }
    }
    let height = bottom + 12;
    format!(
        "<svg class=\"kpki\" role=\"img\" aria-labelledby=\"timeline-title\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\">\n<title id=\"timeline-title\">When certificates end</title>\n{}</svg>\n",
        canvas.out
    )
}

/// The signs of a row: where and how, and for how many until when.
type Ends = BTreeMap<(i32, State), (usize, String)>;

fn rows(graph: &Graph) -> Vec<(String, Ends)> {
    let authorities = graph.authorities.iter().map(|one| {
        (
            format!("{} (authority)", one.id),
            ends(graph, [&one.expiry]),
        )
    });
    let cards = graph.cards.iter().map(|card| {
        let name = format!("{}, {}", card.name, label(&graph.columns[card.column]));
        let members = card.members.iter().map(|member| &member.expiry);
        (name, ends(graph, members))
    });
    authorities.chain(cards).collect()
}

fn ends<'a>(graph: &Graph, expiries: impl IntoIterator<Item = &'a Expiry>) -> Ends {
    let mut ends = Ends::new();
    for expiry in expiries {
        let Some(end) = expiry.not_after() else {
            continue;
        };
        let x = place(days(graph.now, end));
        let entry = ends
            .entry((x, expiry.state))
            .or_insert_with(|| (0, end.date().to_string()));
        entry.0 += 1;
    }
    ends
}

fn days(now: OffsetDateTime, end: OffsetDateTime) -> f64 {
    (end - now) / Duration::DAY
}

/// Where a moment is on the scale: by the logarithm of its distance from now, so that tomorrow and ten years both have room.
fn place(days: f64) -> i32 {
    let stretched = |days: f64| days.signum() * days.abs().ln_1p();
    let (first, last) = (MARKS[0].0, MARKS[MARKS.len() - 1].0);
    let (low, high) = (stretched(first), stretched(last));
    let share = (stretched(days.clamp(first, last)) - low) / (high - low);
    // Within the scale, whatever the days.
    #[expect(clippy::cast_possible_truncation, reason = "share is 0 to 1")]
    let offset = (share * f64::from(SCALE)) as i32;
    LABEL + offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_days_have_room_and_far_ones_are_on_it() {
        let places: Vec<_> = MARKS.iter().map(|(days, _)| place(*days)).collect();
        assert!(
            places.windows(2).all(|pair| pair[1] - pair[0] >= 30),
            "{places:?}"
        );
        assert_eq!(place(-1e9), LABEL);
        assert_eq!(place(1e9), LABEL + SCALE);
    }
}
