//! The picture itself: groups as columns, links as numbered arrows, a table of the numbers below.

use std::fmt::Write as _;

use pki_core::converge::markup::escape as escaped;

use super::{Graph, Group, Light, Link, Member};

const MARGIN: i32 = 24;
const COLUMN: i32 = 330;
const GAP: i32 = 120;
const BOX: (i32, i32) = (270, 58);
const BOX_GAP: i32 = 34;
const HEAD: i32 = 74;
const TOP: i32 = 96;
const ROW: i32 = 22;

/// A rectangle.
#[derive(Clone, Copy)]
struct Area {
    x: i32,
    y: i32,
    width: i32,
    height: i32,
}

/// The graph as one SVG document without anything from elsewhere.
pub fn svg(graph: &Graph) -> String {
    let columns = i32::try_from(graph.groups.len()).unwrap_or(i32::MAX);
    let tallest = graph.groups.iter().map(|group| group.members.len()).max();
    let tallest = i32::try_from(tallest.unwrap_or(0)).unwrap_or(i32::MAX);
    let width = 2 * MARGIN + columns * COLUMN + (columns - 1).max(0) * GAP;
    let body = HEAD + tallest * (BOX.1 + BOX_GAP);
    let legend = TOP + body + 40;
    let links = i32::try_from(graph.links.len()).unwrap_or(i32::MAX);
    let height = legend + (links + 1) * ROW + MARGIN;

    let mut out = String::new();
    let _ = writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="13">
<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="#475569"/></marker></defs>
<rect width="{width}" height="{height}" fill="#ffffff"/>
<text x="{MARGIN}" y="42" font-size="22" font-weight="600" fill="#0f172a">{}</text>
<text x="{MARGIN}" y="68" fill="#475569">{}</text>"##,
        escaped(&graph.title),
        escaped(&graph.subtitle),
    );
    for (column, group) in graph.groups.iter().enumerate() {
        frame(&mut out, group, column_area(column, body));
    }
    for (index, link) in graph.links.iter().enumerate() {
        arrow(&mut out, graph, link, index);
    }
    for (column, group) in graph.groups.iter().enumerate() {
        for (row, member) in group.members.iter().enumerate() {
            member_box(&mut out, member, member_area(column, row));
        }
    }
    table(&mut out, &graph.links, legend);
    out.push_str("</svg>\n");
    out
}

fn column_area(column: usize, height: i32) -> Area {
    let column = i32::try_from(column).unwrap_or(i32::MAX);
    Area {
        x: MARGIN + column * (COLUMN + GAP),
        y: TOP,
        width: COLUMN,
        height,
    }
}

fn member_area(column: usize, row: usize) -> Area {
    let frame = column_area(column, 0);
    let row = i32::try_from(row).unwrap_or(i32::MAX);
    Area {
        x: frame.x + (COLUMN - BOX.0) / 2,
        y: TOP + HEAD + row * (BOX.1 + BOX_GAP),
        width: BOX.0,
        height: BOX.1,
    }
}

fn frame(out: &mut String, group: &Group, area: Area) {
    let Area {
        x,
        y,
        width,
        height,
    } = area;
    let dashes = if group.dashed {
        r#" stroke-dasharray="8 6""#
    } else {
        ""
    };
    let _ = writeln!(
        out,
        r##"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="12" fill="#f8fafc" stroke="#94a3b8" stroke-width="1.5"{dashes}/>
<text x="{}" y="{}" font-weight="600" fill="#0f172a">{}</text>
<text x="{}" y="{}" font-size="11" fill="#64748b">{}</text>"##,
        x + 16,
        y + 28,
        escaped(&group.title),
        x + 16,
        y + 46,
        escaped(&group.source),
    );
}

fn member_box(out: &mut String, member: &Member, area: Area) {
    let Area {
        x,
        y,
        width,
        height,
    } = area;
    let (fill, stroke, word) = match member.light {
        Light::Up => ("#dcfce7", "#16a34a", "up"),
        Light::Down => ("#fee2e2", "#dc2626", "down"),
        Light::Unknown => ("#f1f5f9", "#94a3b8", "unknown"),
    };
    let _ = writeln!(
        out,
        r##"<g><title>{name}: {word}</title><rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>
<circle cx="{}" cy="{}" r="5" fill="{stroke}"/>
<text x="{}" y="{}" font-weight="600" fill="#0f172a">{name}</text>
<text x="{}" y="{}" font-size="11" fill="#475569">{}</text></g>"##,
        x + 16,
        y + 22,
        x + 30,
        y + 26,
        x + 30,
        y + 44,
        escaped(&clipped(&member.detail)),
        name = escaped(&member.name),
    );
}

/// An arrow from the client's box to the server's, with its number on it.
fn arrow(out: &mut String, graph: &Graph, link: &Link, index: usize) {
    let (Some(from), Some(to)) = (place(graph, &link.from), place(graph, &link.to)) else {
        return;
    };
    let number = i32::try_from(index).unwrap_or(i32::MAX) + 1;
    // Arrows that end at the same box end at different heights.
    let spread = |area: Area| area.y + 12 + (number * 13) % (area.height - 24);
    let (from_area, to_area) = (member_area(from.0, from.1), member_area(to.0, to.1));
    let (x1, x2, bend) = if from.0 < to.0 {
        (from_area.x + from_area.width, to_area.x, 60)
    } else if from.0 > to.0 {
        (from_area.x, to_area.x + to_area.width, -60)
    } else {
        // Within a column around its left side, so that the arrows between columns stay apart.
        (from_area.x, to_area.x, -46)
    };
    let (y1, y2) = (spread(from_area), spread(to_area));
    let back = if from.0 == to.0 { bend } else { -bend };
    // The middle of the cubic curve with these two control points.
    let middle_x = (x1 + 3 * (x1 + bend) + 3 * (x2 + back) + x2) / 8;
    let middle_y = y1.midpoint(y2);
    let _ = writeln!(
        out,
        r##"<path d="M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}" fill="none" stroke="#475569" stroke-width="1.3" marker-end="url(#arrow)"/>
<circle cx="{middle_x}" cy="{middle_y}" r="9" fill="#ffffff" stroke="#475569"/>
<text x="{middle_x}" y="{}" text-anchor="middle" font-size="11" fill="#0f172a">{number}</text>"##,
        x1 + bend,
        x2 + back,
        middle_y + 4,
    );
}

fn place(graph: &Graph, name: &str) -> Option<(usize, usize)> {
    graph.groups.iter().enumerate().find_map(|(column, group)| {
        let row = group
            .members
            .iter()
            .position(|member| member.name == name)?;
        Some((column, row))
    })
}

fn table(out: &mut String, links: &[Link], top: i32) {
    for (index, link) in links.iter().enumerate() {
        let y = top + ROW * (i32::try_from(index).unwrap_or(i32::MAX) + 1);
        let _ = writeln!(
            out,
            r##"<text x="{}" y="{y}" fill="#64748b" text-anchor="end">{}</text><text x="{}" y="{y}" fill="#0f172a">{} → {}</text><text x="{}" y="{y}" fill="#0f172a">{}</text><text x="{}" y="{y}" fill="#475569">{}</text>"##,
            MARGIN + 22,
            index + 1,
            MARGIN + 36,
            escaped(&link.from),
            escaped(&link.to),
            MARGIN + 380,
            escaped(&link.port),
            MARGIN + 680,
            escaped(&link.credentials),
        );
    }
}

/// What fits into a box.
fn clipped(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(light: Light) -> Graph {
        let member = |name: &str| Member {
            name: name.into(),
            detail: "v1 <&>".into(),
            light,
        };
        Graph {
            title: "cp1 in cluster \"a\" & b".into(),
            subtitle: String::new(),
            groups: vec![
                Group {
                    title: "keeper".into(),
                    source: "/etc".into(),
                    dashed: false,
                    members: vec![member("kubelet")],
                },
                Group {
                    title: "pods".into(),
                    source: "/manifests".into(),
                    dashed: true,
                    members: vec![member("etcd"), member("kube-apiserver")],
                },
            ],
            links: vec![Link {
                from: "kube-apiserver".into(),
                to: "etcd".into(),
                port: "2379/tcp".into(),
                credentials: "a → b".into(),
            }],
        }
    }

    #[test]
    fn health_is_a_colour_and_a_word() {
        for (light, word, colour) in [
            (Light::Up, "etcd: up", "#16a34a"),
            (Light::Down, "etcd: down", "#dc2626"),
            (Light::Unknown, "etcd: unknown", "#94a3b8"),
        ] {
            let text = svg(&graph(light));
            assert!(text.contains(word) && text.contains(colour), "{text}");
        }
    }

    #[test]
    fn only_the_static_pods_have_a_dashed_frame() {
        let text = svg(&graph(Light::Up));
        assert_eq!(text.matches("stroke-dasharray").count(), 1);
        let dashed = text
            .lines()
            .position(|line| line.contains("stroke-dasharray"));
        let title = text.lines().position(|line| line.contains(">pods<"));
        assert_eq!(dashed.map(|line| line + 1), title);
    }

    #[test]
    fn what_is_written_in_it_cannot_break_it() {
        let text = svg(&graph(Light::Up));
        assert!(text.contains("cp1 in cluster &quot;a&quot; &amp; b"));
        assert!(text.contains("v1 &lt;&amp;&gt;"));
    }

    #[test]
    fn a_link_is_an_arrow_and_a_line_of_the_table() {
        let text = svg(&graph(Light::Up));
        assert_eq!(text.matches("marker-end").count(), 1);
        assert!(text.contains("kube-apiserver → etcd") && text.contains("2379/tcp"));
    }
}
