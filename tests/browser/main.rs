//! `kpki report` and `kpki graph` in a real browser: light and dark, by keyboard, without a network, at 1, 3 and 50 nodes.
#![allow(missing_docs)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use tests::browser::Browser;
use tests::command::succeed;
use tests::kpki;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const SPACE: &str = " ";

/// A cluster of that many nodes, with a user whose time is short.
struct Cluster(TempDir);

impl Cluster {
    fn new(nodes: usize) -> Self {
        let cluster = Self(tempfile::tempdir().expect("a directory"));
        let mut arguments: Vec<String> = [
            "init",
            "--service-cidr",
            "10.3.0.0/24",
            "--endpoint",
            "api.corp.example",
        ]
        .map(str::to_owned)
        .to_vec();
        for number in 1..=nodes {
            let roles = match (nodes, number) {
                (1, _) => "control-plane,etcd,worker",
                (_, 1) => "control-plane,etcd",
                (4.., 2 | 3) => "control-plane,etcd",
                _ => "worker",
            };
            arguments.push("--node".into());
            arguments.push(format!("node-{number}=192.0.2.{number}:{roles}"));
        }
        arguments.extend(["--user".into(), "alice:developers".into()]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        cluster.run(&arguments);
        cluster
    }

    fn run(&self, arguments: &[&str]) {
        succeed(kpki::command(arguments).current_dir(self.0.path()));
    }

    fn file(&self, verb: &str, name: &str) -> PathBuf {
        self.run(&[verb, "--output", name]);
        self.0.path().join(name)
    }

    /// A key that others may read, a kubeconfig that is gone: findings.
    fn damage(&self) {
        let tree = self.0.path().join("kubernetes/nodes/node-1");
        std::fs::remove_file(tree.join("admin.conf")).expect("it was made");
    }
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

/// Texts of a picture that overlap another, leave their frame, or leave the picture.
const STRAY: &str = r"
const stray = [];
for (const svg of document.querySelectorAll('svg[role=img]')) {
  const size = svg.viewBox.baseVal;
  const texts = [...svg.querySelectorAll('text')].map((text) => ({ text, box: text.getBBox() }));
  for (const { text, box } of texts) {
    if (box.x < 0 || box.y < 0 || box.x + box.width > size.width || box.y + box.height > size.height)
      stray.push('outside: ' + text.textContent);
    const frame = text.parentElement.querySelector(':scope > rect');
    if (frame && text.parentElement.localName === 'g') {
      const around = frame.getBBox();
      const begins = box.x >= around.x && box.x < around.x + around.width;
      if (begins && box.x + box.width > around.x + around.width) stray.push('wider than its frame: ' + text.textContent);
    }
  }
  for (let i = 0; i < texts.length; i++) for (let j = i + 1; j < texts.length; j++) {
    const [one, other] = [texts[i].box, texts[j].box];
    const apart = one.x + one.width <= other.x || other.x + other.width <= one.x
      || one.y + one.height <= other.y || other.y + other.height <= one.y;
    if (!apart) stray.push(texts[i].text.textContent + ' / ' + texts[j].text.textContent);
  }
}
return stray;";

/// Texts whose colour is too near that of what is behind them (WCAG 2.2, 1.4.3).
const PALE: &str = r"
const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const parse = (text) => text.match(/[\d.]+/g).map(Number);
const behind = (element) => { for (let e = element; e; e = e.parentElement) {
  const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
const pale = [];
let looked = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || element.closest('svg, script, .skip') || !element.checkVisibility()) continue;
  looked += 1;
  const [one, other] = [light(parse(getComputedStyle(element).color).slice(0, 3)), light(behind(element))];
  const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (ratio < 4.5) pale.push(ratio.toFixed(2) + ': ' + walker.currentNode.textContent.trim());
}
if (looked < 50) pale.push('only ' + looked + ' texts were found');
return pale;";

fn none(value: &Value, what: &str) {
    let list = value.as_array().expect("a list");
    assert!(list.is_empty(), "{what}: {list:#?}");
}

#[test]
fn a_report_of_any_size_can_be_read_in_light_and_dark() {
    let browser = Browser::start();
    for nodes in [1, 3, 50] {
        let cluster = Cluster::new(nodes);
        if nodes == 3 {
            cluster.damage();
        }
        let page = cluster.file("report", "report.html");
        let mut pictures = Vec::new();
        for scheme in ["light", "dark"] {
            browser.media(scheme, "screen");
            browser.resize(1280, 900);
            browser.open(&page);
            pictures.push(browser.screenshot());
            none(
                &browser.value(PALE),
                &format!("{nodes} nodes, {scheme}: too little contrast"),
            );
            none(
                &browser.value(STRAY),
                &format!("{nodes} nodes, {scheme}: texts overlap"),
            );
            for width in [1280, 800, 360] {
                browser.resize(width, 900);
                let over = browser.value("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
                assert!(
                    number(&over) <= 0.0,
                    "{nodes} nodes: {over} pixels too wide for {width}"
                );
            }
        }
        assert_ne!(pictures[0], pictures[1], "dark is as light");
        let rows =
            browser.value("return document.querySelectorAll('#certificates tbody tr').length");
        assert!(
            number(&rows) > 3.0 * nodes as f64,
            "{nodes} nodes, {rows} rows"
        );
        assert_eq!(
            browser.console(),
            Vec::<String>::new(),
            "the console is quiet"
        );
    }
}

#[test]
fn a_picture_of_its_own_can_be_read_at_any_size() {
    let browser = Browser::start();
    for nodes in [1, 3, 50] {
        let cluster = Cluster::new(nodes);
        let file = cluster.file("graph", "graph.svg");
        let mut pictures = Vec::new();
        for scheme in ["light", "dark"] {
            browser.media(scheme, "screen");
            browser.resize(1300, 1000);
            browser.open(&file);
            none(
                &browser.value(STRAY),
                &format!("{nodes} nodes: texts overlap"),
            );
            pictures.push(browser.screenshot());
        }
        assert_ne!(pictures[0], pictures[1], "dark is as light");
    }
}

#[test]
fn nothing_is_asked_of_anybody() {
    let browser = Browser::start();
    let cluster = Cluster::new(1);
    for file in [
        cluster.file("report", "report.html"),
        cluster.file("graph", "graph.svg"),
    ] {
        browser.open(Path::new(&file));
        let requests = browser.requests();
        let own = format!("file://{}", file.display());
        assert!(
            requests.contains(&own),
            "its own file is not among {requests:?}"
        );
        let others: Vec<_> = requests
            .iter()
            .filter(|url| **url != own && !url.starts_with("data:"))
            .collect();
        assert!(others.is_empty(), "{others:?}");
        // Were something in it that wants to be fetched, the policy would refuse it.
        if file.extension().is_some_and(|ending| ending == "html") {
            let refused = browser.value(
                "return new Promise((told) => { document.addEventListener('securitypolicyviolation', (e) => told(e.violatedDirective)); \
                 const image = new Image(); image.src = 'http://127.0.0.1:9/x.png'; document.body.append(image); })",
            );
            assert_eq!(refused, "img-src");
            // The log has it all the same.
            browser.requests();
        }
    }
}

/// Graphviz is the judge of DOT: every card and authority is a node for it, and the pods.
#[test]
fn graphviz_draws_the_same_certificates() {
    let cluster = Cluster::new(50);
    let dot = cluster
        .file("graph", "graph.svg")
        .with_file_name("graph.dot");
    cluster.run(&["graph", "--format", "dot", "--output", "graph.dot"]);
    let drawn = succeed(std::process::Command::new("dot").arg("-Tsvg").arg(&dot));
    let text = std::fs::read_to_string(&dot).expect("it was made");
    let nodes = text
        .lines()
        .filter(|line| line.contains("fillcolor="))
        .count();
    assert_eq!(drawn.matches("class=\"node\"").count(), nodes + 1);
    let edges = text.lines().filter(|line| line.contains(" -> ")).count();
    assert_eq!(drawn.matches("class=\"edge\"").count(), edges);
}

/// What has the focus, and whether that can be seen.
const FOCUS: &str = "const e = document.activeElement; const s = getComputedStyle(e); \
    return [e.localName, (e.textContent || e.id).trim().slice(0, 20), s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2];";

#[test]
fn everything_can_be_done_by_keyboard() {
    let browser = Browser::start();
    let cluster = Cluster::new(3);
    cluster.damage();
    browser.resize(1280, 900);
    browser.open(&cluster.file("report", "report.html"));
    let mut walk = Vec::new();
    let mut until = |name: &str, text: &str| {
        for _ in 0..60 {
            browser.press(TAB);
            let focus = browser.value(FOCUS);
            assert_eq!(focus[2], true, "the focus on {focus} cannot be seen");
            walk.push(focus[0].as_str().unwrap_or_default().to_owned());
            if focus[0] == name && focus[1].as_str().is_some_and(|is| is.starts_with(text)) {
                return;
            }
        }
        panic!("no way to {name} {text:?}: {walk:?}");
    };
    until("a", "Skip to the table");
    until("a", "Findings");
    // Groups with findings are open; space closes and opens them.
    until("summary", "Differences");
    let open = || browser.value("return document.activeElement.parentElement.open");
    assert_eq!(open(), true);
    browser.press(SPACE);
    assert_eq!(open(), false);
    browser.press(ENTER);
    assert_eq!(open(), true);
    // The timeline, the filter, then each heading of the table.
    until("div", "");
    until("input", "filter");
    for letter in ["e", "t", "c", "d"] {
        browser.press(letter);
    }
    let shown = browser.value("return [...document.querySelectorAll('#certificates tbody tr')].filter((row) => !row.hidden).map((row) => row.textContent)");
    let shown = shown.as_array().expect("rows");
    assert!(!shown.is_empty() && shown.len() < 10, "{shown:?}");
    assert!(
        shown
            .iter()
            .all(|row| row.as_str().is_some_and(|text| text.contains("etcd")))
    );
    let said = browser.value("return document.getElementById('said').textContent");
    assert!(
        said.as_str().is_some_and(|said| said.ends_with("shown")),
        "{said}"
    );
    until("button", "Certificate");
    let names = || {
        let names = browser.value("return [...document.querySelectorAll('#certificates tbody th')].map((cell) => cell.textContent)");
        let names = names.as_array().expect("names").iter();
        names
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let sort =
        || browser.value("return document.activeElement.parentElement.getAttribute('aria-sort')");
    browser.press(ENTER);
    assert_eq!(sort(), "ascending");
    let up = names();
    browser.press(SPACE);
    assert_eq!(sort(), "descending");
    let mut down = names();
    down.reverse();
    assert_eq!(up, down);
    assert_eq!(up[0], "ca");
    until("button", "Days left");
    browser.press(ENTER);
    let days = browser.value("return [...document.querySelectorAll('#certificates tbody tr')].map((row) => parseInt(row.cells[3].textContent)).filter((days) => !isNaN(days))");
    let days: Vec<f64> = days.as_array().expect("days").iter().map(number).collect();
    assert!(days.is_sorted(), "{days:?}");
    until("div", "");
    assert_eq!(browser.console(), Vec::<String>::new());
}

/// What a screen reader has to go by, and what paper needs.
#[test]
fn the_page_has_a_structure_and_a_form_for_paper() {
    let browser = Browser::start();
    let cluster = Cluster::new(1);
    browser.open(&cluster.file("report", "report.html"));
    let facts = [
        (
            "the language",
            "return document.documentElement.lang === 'en'",
        ),
        (
            "one title",
            "return document.querySelectorAll('h1').length === 1 && document.title.length > 3",
        ),
        (
            "landmarks",
            "return ['header', 'nav', 'main', 'footer'].every((name) => document.querySelector(name))",
        ),
        (
            "headings in order",
            "let last = 1; return [...document.querySelectorAll('h1,h2,h3')].every((h) => { const level = +h.localName[1]; const fine = level <= last + 1; last = level; return fine; })",
        ),
        (
            "every section is named",
            "return [...document.querySelectorAll('section')].every((s) => document.getElementById(s.getAttribute('aria-labelledby')))",
        ),
        (
            "headings of columns and rows",
            "return document.querySelectorAll('#certificates thead th[scope=col]').length === 9 && [...document.querySelectorAll('#certificates tbody tr')].every((row) => row.querySelector('th[scope=row]'))",
        ),
        (
            "a caption",
            "return !!document.querySelector('#certificates caption')",
        ),
        (
            "every picture is named or hidden",
            "return [...document.querySelectorAll('svg')].every((svg) => svg.getAttribute('aria-hidden') || document.getElementById(svg.getAttribute('aria-labelledby')))",
        ),
        (
            "the filter has a label",
            "return document.getElementById('filter').labels.length === 1",
        ),
        (
            "no id twice",
            "const ids = [...document.querySelectorAll('[id]')].map((e) => e.id); return new Set(ids).size === ids.length",
        ),
        (
            "every link leads somewhere",
            "return [...document.querySelectorAll('a')].every((a) => document.querySelector(a.getAttribute('href')))",
        ),
    ];
    for (what, check) in facts {
        assert_eq!(browser.value(check), true, "{what}");
    }
    browser.media("dark", "print");
    let ground = browser.value("return getComputedStyle(document.documentElement).backgroundColor");
    assert_eq!(ground, "rgb(255, 255, 255)", "paper is white");
    let gone = browser.value("return [...document.querySelectorAll('nav, .controls')].every((e) => getComputedStyle(e).display === 'none')");
    assert_eq!(gone, true, "nothing on paper can be pressed");
}
