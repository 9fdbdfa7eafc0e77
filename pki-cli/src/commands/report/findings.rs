//! What the report found: what plan, verify and lint would tell, and what servers serve where they were asked.

use std::fmt::Write as _;

use pki_core::converge::markup::escape;
use pki_core::converge::plan::Plan;
use pki_core::converge::verify::Verification;
use pki_core::x509::lint::Severity;

use crate::cluster::Cluster;
use crate::commands::lint;
use crate::commands::verify::who;
use crate::output::errors::Failure;
use crate::output::words::count;

/// More findings than these are a list to be opened.
const MOST_OPEN: usize = 30;

/// Groups of findings, the empty ones too.
pub struct Findings {
    groups: Vec<Group>,
}

/// Findings of one kind.
pub struct Group {
    pub title: &'static str,
    /// What is said where there is none.
    pub fine: &'static str,
    pub entries: Vec<Entry>,
}

/// One finding.
pub struct Entry {
    pub severity: Severity,
    pub place: String,
    pub facts: Vec<String>,
}

impl Findings {
    pub fn new(
        cluster: &Cluster,
        plan: &Plan<'_>,
        verification: &Verification,
        live: Option<Group>,
    ) -> Result<Self, Failure> {
        let warnings = cluster.spec.warnings();
        let spec = warnings.iter().map(|warning| Entry {
            severity: Severity::Warning,
            place: "cluster.toml".into(),
            facts: vec![warning.to_string()],
        });
        let drift = plan.steps().iter().map(|step| {
            let mut facts: Vec<String> = step.reasons.iter().map(ToString::to_string).collect();
            facts.extend(
                step.obstacle
                    .as_ref()
                    .map(|what| format!("in the way: {what}")),
            );
            Entry {
                severity: match step.obstacle {
                    Some(_) => Severity::Error,
                    None => Severity::Warning,
                },
                place: format!("{}: {}", step.artifact, step.action),
                facts,
            }
        });
        let failed = verification.failures().map(|check| Entry {
            severity: Severity::Error,
            place: check.edge.name.clone(),
            facts: vec![match &check.result {
                Err(fault) => format!("{}: {fault}", who(check)),
                Ok(_) => who(check),
            }],
        });
        let broken = lint::own_findings(cluster)?;
        let broken = broken.into_iter().map(|finding| Entry {
            severity: finding.severity,
            place: finding.file,
            facts: vec![format!(
                "{} ({}; {})",
                finding.fact, finding.rule, finding.cites
            )],
        });
        let mut groups = vec![
            Group {
                title: "Differences from cluster.toml (kpki plan)",
                fine: "everything is as cluster.toml wants it",
                entries: drift.collect(),
            },
            Group {
                title: "Handshakes that fail (kpki verify)",
                fine: "every connection of the cluster works",
                entries: failed.collect(),
            },
            Group {
                title: "Rules that are broken (kpki lint)",
                fine: "every certificate keeps to RFC 5280 and to what Kubernetes expects",
                entries: broken.collect(),
            },
            Group {
                title: "Worth a word in cluster.toml",
                fine: "nothing",
                entries: spec.collect(),
            },
        ];
        groups.extend(live);
        Ok(Self { groups })
    }

    pub fn count(&self) -> usize {
        self.groups.iter().map(|group| group.entries.len()).sum()
    }

    pub fn worst(&self) -> Option<Severity> {
        let entries = self.groups.iter().flat_map(|group| &group.entries);
        entries.map(|entry| entry.severity).max()
    }

    /// One `details` a group; open where there is something in it, and not too much to see the next.
    pub fn html(&self) -> String {
        let mut out = String::new();
        for group in &self.groups {
            let open = match group.entries.len() {
                1..=MOST_OPEN => " open",
                _ => "",
            };
            let _ = writeln!(
                out,
                "<details{open}><summary>{}: {}</summary>\n<ul>",
                group.title,
                match group.entries.len() {
                    0 => "none".into(),
                    some => count(some, "finding"),
                }
            );
            if group.entries.is_empty() {
                let _ = writeln!(out, "<li class=\"weak\">{}</li>", group.fine);
            }
            for entry in &group.entries {
                let word = match entry.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                let facts: Vec<_> = entry.facts.iter().map(|fact| escape(fact)).collect();
                let _ = writeln!(
                    out,
                    "<li><span class=\"{word}\">{word}</span> <code>{}</code> {}</li>",
                    escape(&entry.place),
                    facts.join("<br>")
                );
            }
            out.push_str("</ul></details>\n");
        }
        out
    }
}
