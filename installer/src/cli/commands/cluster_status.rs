//! `kinstall status --cluster`.

use std::fmt::Write as _;

use installer::etcd::{MemberLine, Quorum};
use installer::status::cluster::{ClusterNode, ClusterStatus, NodeState, look};
use installer::status::span;
use time::OffsetDateTime;

use super::machine;
use crate::cli::arguments;
use crate::cli::output::{self, ERROR, Failure, GOOD, HINT, Outcome, STRONG, WARNING, WEAK};

/// Tells how the whole cluster is.
pub fn run(arguments: &arguments::Status) -> Result<Outcome, Failure> {
    let vantage = machine::vantage(&arguments.directory)?;
    let now = OffsetDateTime::now_utc();
    let seen = machine::runtime()?.block_on(look(&vantage, now))?;
    let now = now.unix_timestamp();
    let status = ClusterStatus::of(seen, now);
    let text = if arguments.json {
        output::json(&status)
    } else {
        words(&status, now)
    };
    Ok(Outcome::with_attention(text, !status.healthy))
}

fn words(status: &ClusterStatus, now: i64) -> String {
    let mut text = format!(
        "{STRONG}cluster {}{STRONG:#}\n\n",
        output::printable(&status.cluster)
    );
    table(&mut text, &status.nodes, now);
    text.push('\n');
    if let Some(reason) = &status.nodes_unknown {
        let _ = writeln!(
            text,
            "{WARNING}Nodes{WARNING:#}: {}",
            output::printable(reason)
        );
    }
    if let Some(report) = &status.etcd {
        text.push_str(&quorum(&report.quorum, &report.members));
    }
    if let Some(reason) = &status.etcd_unknown {
        let _ = writeln!(text, "{ERROR}etcd{ERROR:#}: {}", output::printable(reason));
    }
    if let Some(first) = status.certificates.first() {
        let _ = writeln!(
            text,
            "{} certificates, the first ends in {} days ({})",
            status.certificates.len(),
            first.days_left,
            output::printable(&first.name)
        );
    }
    for problem in &status.problems {
        let _ = writeln!(
            text,
            "\n{ERROR}problem:{ERROR:#} {}\n{HINT}hint:{HINT:#} {}",
            output::printable(&problem.fact),
            output::printable(&problem.hint)
        );
    }
    if status.healthy {
        let _ = writeln!(text, "{GOOD}healthy{GOOD:#}");
    } else {
        let count = status.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        let _ = writeln!(text, "\n{ERROR}attention needed{ERROR:#}: {count} {noun}");
    }
    text
}

fn quorum(quorum: &Quorum, members: &[MemberLine]) -> String {
    let Quorum {
        voters,
        healthy,
        needed,
        held,
    } = quorum;
    let (style, word) = if *held {
        (GOOD, "quorum held")
    } else {
        (ERROR, "quorum lost")
    };
    let behind = members.iter().filter_map(|one| one.behind).max();
    let behind = behind.map_or_else(String::new, |most| {
        format!("; at most {most} changes behind")
    });
    format!(
        "{style}{word}{style:#}: {healthy} of {voters} members of etcd healthy, {needed} needed{behind}\n"
    )
}

/// A word and how it looks.
struct Cell(String, anstyle::Style);

impl Cell {
    fn plain(text: impl ToString) -> Self {
        Self(text.to_string(), anstyle::Style::new())
    }

    fn or_dash<T: ToString>(value: Option<T>) -> Self {
        Self::plain(value.map_or_else(|| "-".into(), |value| value.to_string()))
    }
}

const HEADS: [&str; 9] = [
    "NODE",
    "STATE",
    "API",
    "ETCD",
    "KUBELET",
    "CERTIFICATES",
    "AGE",
    "ROLES",
    "ADDRESSES",
];

fn table(text: &mut String, nodes: &[ClusterNode], now: i64) {
    let heads = HEADS.map(|head| Cell(head.to_owned(), WEAK));
    let rows: Vec<_> = std::iter::once(heads)
        .chain(nodes.iter().map(|node| row(node, now)))
        .collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].0.chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: [usize; HEADS.len()] = std::array::from_fn(width);
    for row in &rows {
        let mut line = String::new();
        for (Cell(word, style), width) in row.iter().zip(widths) {
            let space = " ".repeat(width - word.chars().count() + 2);
            let _ = write!(line, "{style}{word}{style:#}{space}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn row(node: &ClusterNode, now: i64) -> [Cell; HEADS.len()] {
    let (style, state) = match node.state {
        NodeState::Ready => (GOOD, "ready"),
        NodeState::NotReady => (ERROR, "not ready"),
        NodeState::Absent => (WARNING, "not joined"),
        NodeState::Unknown => (WARNING, "unknown"),
    };
    let cordoned = if node.cordoned { ", cordoned" } else { "" };
    let api = match node.api_server {
        Some(true) => Cell("ready".into(), GOOD),
        Some(false) => Cell("down".into(), ERROR),
        None => Cell::plain("-"),
    };
    let member = match node.member {
        Some(word @ ("down" | "absent")) => Cell(word.into(), ERROR),
        word => Cell::or_dash(word),
    };
    let addresses: Vec<_> = node.addresses.iter().map(ToString::to_string).collect();
    let roles = if node.expected {
        node.roles.join(",")
    } else {
        "not in cluster.toml".into()
    };
    [
        Cell::plain(output::printable(&node.name)),
        Cell(format!("{state}{cordoned}"), style),
        api,
        member,
        Cell::or_dash(node.version.as_deref().map(output::printable)),
        Cell::or_dash(node.days_left.map(|days| format!("{days} d"))),
        Cell::or_dash(node.created.map(|created| span(now - created))),
        Cell::plain(roles),
        Cell::plain(addresses.join(",")),
    ]
}

#[cfg(test)]
mod tests {
    use installer::status::cluster::ClusterProblem;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn node(name: &str, state: NodeState) -> ClusterNode {
        ClusterNode {
            name: name.into(),
            state,
            reason: None,
            since: None,
            cordoned: false,
            roles: vec!["worker".into()],
            expected: true,
            version: Some("1.37.2".into()),
            addresses: vec!["192.0.2.21".parse().expect("an address")],
            created: Some(NOW - 86_400 * 3),
            api_server: None,
            member: None,
            days_left: Some(364),
        }
    }

    #[test]
    fn one_line_a_node_and_then_what_is_the_matter() {
        let mut first = node("control-plane-1", NodeState::Ready);
        first.roles = vec!["control-plane".into(), "etcd".into()];
        first.api_server = Some(true);
        first.member = Some("leader");
        first
            .addresses
            .push("fd00::11".parse().expect("an address"));
        let mut second = node("w1", NodeState::Ready);
        second.cordoned = true;
        let mut third = node("w2", NodeState::NotReady);
        third.days_left = Some(12);
        let mut fourth = node("w3", NodeState::Absent);
        (fourth.version, fourth.created, fourth.days_left) = (None, None, None);
        let mut fifth = node("old", NodeState::Ready);
        fifth.expected = false;
        let status = ClusterStatus {
            cluster: "prod".into(),
            healthy: false,
            nodes: vec![first, second, third, fourth, fifth],
            nodes_unknown: None,
            api_servers: vec![],
            etcd: None,
            etcd_unknown: None,
            certificates: vec![],
            problems: vec![ClusterProblem {
                node: Some("w3".into()),
                fact: "w3 is in cluster.toml, and has not joined".into(),
                hint: "run kinstall node on it".into(),
            }],
        };
        let text = anstream::adapter::strip_str(&words(&status, NOW)).to_string();
        insta::assert_snapshot!(text, @"
        cluster prod

        NODE             STATE            API    ETCD    KUBELET  CERTIFICATES  AGE  ROLES                ADDRESSES
        control-plane-1  ready            ready  leader  1.37.2   364 d         3 d  control-plane,etcd   192.0.2.21,fd00::11
        w1               ready, cordoned  -      -       1.37.2   364 d         3 d  worker               192.0.2.21
        w2               not ready        -      -       1.37.2   12 d          3 d  worker               192.0.2.21
        w3               not joined       -      -       -        -             -    worker               192.0.2.21
        old              ready            -      -       1.37.2   364 d         3 d  not in cluster.toml  192.0.2.21


        problem: w3 is in cluster.toml, and has not joined
        hint: run kinstall node on it

        attention needed: 1 problem
        ");
    }

    #[test]
    fn votes_and_who_is_behind() {
        let mut quorum = Quorum {
            voters: 3,
            healthy: 3,
            needed: 2,
            held: true,
        };
        let plain = |text: String| anstream::adapter::strip_str(&text).to_string();
        assert_eq!(
            plain(self::quorum(&quorum, &[])),
            "quorum held: 3 of 3 members of etcd healthy, 2 needed\n"
        );
        (quorum.healthy, quorum.held) = (1, false);
        assert_eq!(
            plain(self::quorum(&quorum, &[])),
            "quorum lost: 1 of 3 members of etcd healthy, 2 needed\n"
        );
    }
}
