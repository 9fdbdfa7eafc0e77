use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
use pki_core::converge::inventory::Inventory;
use regex::Regex;
use time::macros::datetime;

use super::*;

/// One to three nodes for the control plane, the others workers; nothing is there yet.
fn graph(nodes: usize, profile: &str) -> Graph {
    let mut builder = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .endpoint("api.example")
        .user_flag("alice:dev");
    for number in 1..=nodes {
        let roles = match (nodes, number) {
            (1, _) => &["control-plane", "etcd", "worker"][..],
            (_, 1..=3) if nodes > 3 || number == 1 => &["control-plane", "etcd"],
            _ => &["worker"],
        };
        let node = NodeDocument::new(format!("a-node-with-a-rather-long-name-{number}"));
        let address = format!("192.0.2.{number}");
        builder = builder.node(node.addresses([address]).roles(roles.iter().copied()));
    }
    let spec = builder.build().unwrap();
    let blueprint = Blueprint::new(&spec, &Profile::shipped(profile).unwrap()).unwrap();
    let now = datetime!(2026-11-27 12:00 UTC);
    Graph::new(&spec, &blueprint, &Inventory::empty(), now)
}

fn number(text: &str) -> i32 {
    text.parse().unwrap()
}

/// Left, top, right, bottom.
type Box4 = (i32, i32, i32, i32);

fn boxes(svg: &str, classes: &str) -> Vec<Box4> {
    let pattern = format!(
        r#"<rect class="(?:{classes})[^"]*" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)""#
    );
    let found = Regex::new(&pattern).unwrap();
    found
        .captures_iter(svg)
        .map(|one| {
            let [x, y, width, height] = [1, 2, 3, 4].map(|group| number(&one[group]));
            (x, y, x + width, y + height)
        })
        .collect()
}

#[test]
fn nothing_overlaps_and_all_is_inside() {
    let size = Regex::new(r#"viewBox="0 0 (\d+) (\d+)""#).unwrap();
    for profile in ["kubeadm", "hardened", "external-etcd", "makecerts"] {
        for nodes in [1, 3, 50] {
            let picture = standalone(&graph(nodes, profile));
            let size = size.captures(&picture).unwrap();
            let (width, height) = (number(&size[1]), number(&size[2]));
            let all = boxes(&picture, "card|client|authority");
            assert!(all.len() > 5, "{profile}, {nodes}: {}", all.len());
            for (index, one) in all.iter().enumerate() {
                assert!(
                    one.2 <= width && one.3 <= height,
                    "{profile}, {nodes}: {one:?}"
                );
                for other in &all[index + 1..] {
                    let apart = one.2 <= other.0
                        || other.2 <= one.0
                        || one.3 <= other.1
                        || other.3 <= one.1;
                    assert!(apart, "{profile}, {nodes}: {one:?} and {other:?}");
                }
            }
        }
    }
}

/// Fifty nodes are no larger a picture than four, but for their signs.
#[test]
fn many_nodes_are_grouped() {
    let of = |nodes| standalone(&graph(nodes, "kubeadm"));
    let cards = |nodes| boxes(&of(nodes), "card").len();
    assert_eq!(cards(50), cards(4));
    // Three kinds of certificate for each worker.
    let signs = |nodes| of(nodes).matches("class=\"sign").count();
    assert_eq!(signs(50) - signs(10), 40 * 3);
}

#[test]
fn a_state_is_a_shape_a_colour_and_a_word() {
    let picture = standalone(&graph(1, "kubeadm"));
    assert!(picture.contains("class=\"sign missing\""));
    assert!(picture.contains("<title>missing</title>"));
    assert!(picture.contains(".sign.missing path{"));
}

#[test]
fn nothing_is_fetched() {
    let picture = standalone(&graph(1, "kubeadm"));
    assert_eq!(picture.matches("http").count(), 1, "the name space alone");
    assert!(!picture.contains("href") && !picture.contains("@import"));
}

#[test]
fn dot_and_mermaid_have_every_certificate_and_connection() {
    let graph = graph(3, "hardened");
    let (dot, mermaid) = (dot(&graph), mermaid(&graph));
    for card in &graph.cards {
        assert!(dot.contains(&format!("\"{}\\n", card.name)), "{dot}");
        assert!(
            mermaid.contains(&format!("[\"{}<br>", card.name)),
            "{mermaid}"
        );
    }
    for one in &graph.connections {
        assert!(
            dot.contains(&one.name) && mermaid.contains(&one.name),
            "{}",
            one.name
        );
    }
    assert!(dot.starts_with("// made by kpki"));
}

/// Red, green, blue of each name, for light, dark and print.
fn palettes() -> Vec<std::collections::HashMap<String, [u8; 3]>> {
    let colour = Regex::new("--([a-z]+):#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})").unwrap();
    let part = |text: &str| u8::from_str_radix(text, 16).unwrap();
    PALETTE
        .split(":root")
        .skip(1)
        .map(|palette| {
            let found = colour.captures_iter(palette);
            found
                .map(|one| {
                    (
                        one[1].to_owned(),
                        [part(&one[2]), part(&one[3]), part(&one[4])],
                    )
                })
                .collect()
        })
        .collect()
}

/// WCAG 2.2, "contrast ratio" and "relative luminance".
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let luminance = |colour: [u8; 3]| {
        let [red, green, blue] = colour.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn colours_have_contrast_in_light_in_dark_and_on_paper() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.01);
    let palettes = palettes();
    assert_eq!(palettes.len(), 3);
    let grounds = ["ground", "panel", "deep", "wash", "washdue", "washlate"];
    for palette in &palettes {
        for ground in grounds {
            for text in ["ink", "soft"] {
                let ratio = contrast(palette[text], palette[ground]);
                assert!(ratio >= 4.5, "{text} on {ground}: {ratio:.2}");
            }
        }
        // They are also the colours of words, in the report.
        for (sign, behind) in [
            ("fine", "wash"),
            ("due", "washdue"),
            ("late", "washlate"),
            ("gone", "washlate"),
        ] {
            for ground in ["ground", "panel", behind] {
                let ratio = contrast(palette[sign], palette[ground]);
                let least = if ground == behind { 3.0 } else { 4.5 };
                assert!(ratio >= least, "{sign} on {ground}: {ratio:.2}");
            }
        }
        for ground in ["ground", "panel", "deep"] {
            assert!(
                contrast(palette["edge"], palette[ground]) >= 3.0,
                "edge on {ground}"
            );
        }
    }
}
