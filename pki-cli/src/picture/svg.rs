//! The whole picture as one SVG without anything from elsewhere.

use std::fmt::Write as _;

use pki_core::converge::graph::{Graph, State};
use pki_core::converge::markup::escape;

use super::canvas::Canvas;
use super::{MARK, connections, issued, title};

const TOP: i32 = 104;

/// The colours, for light and for dark. Those of text have a contrast of 4.5 or more on what is behind them (WCAG 2.2, 1.4.3), those
/// of signs and lines of 3 or more (1.4.11).
pub const PALETTE: &str = "\
:root{--ground:#ffffff;--panel:#f8fafc;--deep:#eef2f7;--ink:#0f172a;--soft:#475569;--edge:#64748b;--focus:#1d4ed8;\
--fine:#15803d;--due:#b45309;--late:#dc2626;--gone:#991b1b;--wash:#dcfce7;--washdue:#fef3c7;--washlate:#fee2e2}
@media (prefers-color-scheme:dark){:root{--ground:#0b1220;--panel:#111a2c;--deep:#1a2540;--ink:#e2e8f0;--soft:#a3b1c6;\
--edge:#7c8ba1;--focus:#93c5fd;--fine:#4ade80;--due:#fbbf24;--late:#f87171;--gone:#fca5a5;--wash:#10291c;--washdue:#33270a;--washlate:#3a1519}}
@media print{:root{--ground:#ffffff;--panel:#ffffff;--deep:#ffffff;--ink:#000000;--soft:#333333;--edge:#555555;\
--fine:#166534;--due:#92400e;--late:#b91c1c;--gone:#7f1d1d;--wash:#ffffff;--washdue:#ffffff;--washlate:#ffffff}}
";

/// How shapes and texts use them.
pub const STYLE: &str = "\
.kpki{font-family:ui-sans-serif,system-ui,sans-serif}
.kpki text{fill:var(--ink)}.kpki .weak{fill:var(--soft)}
.kpki .strong,.kpki .heading{font-weight:600}
.kpki .band{fill:var(--panel);stroke:var(--edge);stroke-opacity:.5}
.kpki .authority{fill:var(--deep);stroke:var(--edge)}
.kpki .client{fill:var(--panel);stroke:var(--edge)}
.kpki .card{fill:var(--wash);stroke:var(--fine)}
.kpki .card.due{fill:var(--washdue);stroke:var(--due)}
.kpki .card.late,.kpki .card.expired,.kpki .card.not-yet-valid{fill:var(--washlate);stroke:var(--late);stroke-width:1.5}
.kpki .card.missing{fill:var(--panel);stroke:var(--late);stroke-dasharray:5 4}
.kpki .line,.kpki .arrow{fill:none;stroke:var(--edge);stroke-width:1.2}
.kpki .arrow{marker-end:url(#kpki-arrow)}
.kpki marker path{fill:var(--edge)}
.kpki .sign path{fill:var(--fine)}
.kpki .sign.due path{fill:var(--due)}.kpki .sign.late path{fill:var(--late)}
.kpki .sign.not-yet-valid path{fill:none;stroke:var(--late);stroke-width:2}
.kpki .sign.expired path{fill:none;stroke:var(--gone);stroke-width:2.5}
.kpki .sign.missing path{fill:none;stroke:var(--late);stroke-width:1.5;stroke-dasharray:2 1.5}
";

/// A file of its own.
pub fn standalone(graph: &Graph) -> String {
    svg(graph, &format!("<style>\n{PALETTE}{STYLE}</style>\n"))
}

/// The picture, with `style` in it; in a page that has the style already it is empty.
pub fn svg(graph: &Graph, style: &str) -> String {
    let width = issued::width(graph).max(connections::WIDTH);
    let mut canvas = Canvas::default();
    let middle = issued::draw(&mut canvas, graph, TOP);
    let height = connections::draw(&mut canvas, graph, middle + 12, width) + 8;
    let mut head = Canvas::default();
    head.text("heading", (24, 40), 22, width - 48, &title(graph));
    let when = graph.now.date();
    head.text(
        "weak",
        (24, 62),
        13,
        width - 48,
        &format!("Who issues, who presents, who trusts. Each sign is a certificate, as of {when}."),
    );
    let mut x = 24;
    for state in State::ALL {
        let many = graph
            .expiries()
            .filter(|expiry| expiry.state == state)
            .count();
        if many > 0 {
            let text = format!("{many} {}", state.meaning());
            head.sign(state, (x, 78), "");
            head.text("weak", (x + 16, 87), 12, 200, &text);
            x += 44 + 7 * i32::try_from(text.len()).unwrap_or(i32::MAX);
        }
    }
    let mut out = String::new();
    let _ = write!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="kpki" role="img" aria-labelledby="kpki-title" width="{width}" height="{height}" viewBox="0 0 {width} {height}">
<title id="kpki-title">{}</title>
<desc>{MARK}</desc>
{style}<defs><marker id="kpki-arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L10 5L0 10z"/></marker></defs>
"#,
        escape(&title(graph))
    );
    if !style.is_empty() {
        let _ = writeln!(
            out,
            r#"<rect width="{width}" height="{height}" fill="var(--ground)"/>"#
        );
    }
    out.push_str(&head.out);
    out.push_str(&canvas.out);
    out.push_str("</svg>\n");
    out
}
