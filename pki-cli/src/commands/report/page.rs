//! The page: one file with everything in it, that asks for nothing from anywhere.

use std::fmt::Write as _;

use base64ct::{Base64, Encoding};
use pki_core::converge::graph::{Graph, State};
use pki_core::converge::markup::escape;
use pki_core::x509::lint::Severity;

use super::findings::Findings;
use super::{table, timeline};
use crate::output::words::{moment, until};
use crate::picture::{self, MARK, PALETTE, STYLE};

const PAGE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The whole document.
pub fn page(graph: &Graph, findings: &Findings) -> String {
    let style = format!("{PALETTE}{STYLE}{PAGE}");
    let title = format!("PKI of {}", graph.cluster);
    let now = moment(graph.now.replace_nanosecond(0).unwrap_or(graph.now));
    let mut out = String::new();
    // Only this style and this script, by their digests; nothing is loaded, sent or framed (CSP level 3).
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<!-- {MARK} -->\n\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'\">\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
<meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>{style}</style>\n</head>\n<body>\n",
        digest(&style),
        digest(SCRIPT),
        escape(&title),
    );
    let _ = write!(
        out,
        "<a class=\"skip\" href=\"#certificates-heading\">Skip to the table</a>\n<header>\n<h1>{}</h1>\n\
<p class=\"weak\">As of <time datetime=\"{now}\">{now}</time></p>\n{}\
<nav aria-label=\"Parts of the report\"><ul><li><a href=\"#findings-heading\">Findings</a></li><li><a href=\"#timeline-heading\">Timeline</a></li>\
<li><a href=\"#certificates-heading\">Table</a></li><li><a href=\"#picture-heading\">Picture</a></li></ul></nav>\n</header>\n<main>\n",
        escape(&title),
        facts(graph, findings),
    );
    let _ = write!(
        out,
        "<section aria-labelledby=\"findings-heading\">\n<h2 id=\"findings-heading\">Findings</h2>\n{}</section>\n",
        findings.html()
    );
    let _ = write!(
        out,
        "<section aria-labelledby=\"timeline-heading\">\n<h2 id=\"timeline-heading\">Timeline</h2>\n\
<p class=\"weak\">When certificates end. The next days are drawn wider than far years; each sign is what a kind of certificate ends with.</p>\n\
<div class=\"wide\" role=\"region\" aria-label=\"Timeline\" tabindex=\"0\">\n{}</div>\n</section>\n",
        timeline::timeline(graph)
    );
    let _ = write!(
        out,
        "<section aria-labelledby=\"certificates-heading\">\n<h2 id=\"certificates-heading\" tabindex=\"-1\">Certificates</h2>\n\
<div class=\"controls\"><label>Show those with <input id=\"filter\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label>\
<span id=\"said\" class=\"weak\" role=\"status\"></span></div>\n\
<div class=\"wide\" role=\"region\" aria-label=\"Certificates\" tabindex=\"0\">\n{}</div>\n</section>\n",
        table::table(graph)
    );
    let _ = write!(
        out,
        "<section aria-labelledby=\"picture-heading\">\n<h2 id=\"picture-heading\">Picture</h2>\n\
<div class=\"wide\" role=\"region\" aria-label=\"Picture of the cluster\" tabindex=\"0\">\n{}</div>\n</section>\n</main>\n\
<footer>{MARK} {}; anybody who has this page learns names and addresses of the cluster, but no key.</footer>\n\
<script>{SCRIPT}</script>\n</body>\n</html>\n",
        picture::svg(graph, ""),
        env!("CARGO_PKG_VERSION"),
    );
    out
}

/// What one wants to know first.
fn facts(graph: &Graph, findings: &Findings) -> String {
    let worst = graph.expiries().map(|expiry| expiry.state).max();
    let bad = graph.expiries().filter(|expiry| expiry.state > State::Due);
    let due = graph.expiries().filter(|expiry| expiry.state == State::Due);
    let next = graph
        .expiries()
        .filter(|expiry| expiry.state < State::NotYetValid)
        .filter_map(|expiry| expiry.not_after())
        .min();
    let class = |bad: bool| if bad { "bad" } else { "fine" };
    let findings_class = match findings.worst() {
        Some(Severity::Error) => "bad",
        Some(Severity::Warning) => "due",
        None => "fine",
    };
    let (bad, due) = (bad.count(), due.count());
    let due_class = if due > 0 { "due" } else { "fine" };
    format!(
        "<ul class=\"facts\"><li class=\"plain\"><b>{}</b> nodes</li><li class=\"plain\"><b>{}</b> certificates</li>\
<li class=\"{}\"><b>{bad}</b> late, expired or missing</li><li class=\"{due_class}\"><b>{due}</b> due for renewal</li>\
<li class=\"{findings_class}\"><b>{}</b> findings</li><li class=\"{}\"><b>{}</b> the next end</li></ul>\n",
        graph.nodes,
        graph.expiries().count(),
        class(bad > 0),
        findings.count(),
        class(worst > Some(State::Due)),
        next.map_or("none".into(), |end| until(end, graph.now)),
    )
}

/// As a policy names what may run: the digest of exactly these bytes.
fn digest(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    format!("sha256-{}", Base64::encode_string(digest.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the policy does not know by its digest, a browser passes over.
    #[test]
    fn nothing_ends_its_element_or_is_fetched() {
        for text in [SCRIPT, PAGE, PALETTE, STYLE] {
            assert!(!text.contains("</"), "it would end its element");
            assert!(!text.contains("url(h") && !text.contains("@import"));
        }
        assert_eq!(
            digest(""),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }
}
