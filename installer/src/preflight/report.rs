//! What came of all checks, as text or JSON.

use std::fmt::Write;

use serde::Serialize;

use super::{CHECKS, Finding, Severity};

/// What came of all checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// How many checks there were.
    pub checks: usize,
    /// What they found, in their order.
    pub findings: Vec<Told>,
}

/// A finding with its check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Told {
    /// The check's name.
    pub check: &'static str,
    /// Why it has to be so.
    pub reason: &'static str,
    /// Whether the owner accepts it: `--ignore-preflight`.
    pub ignored: bool,
    /// What is not so.
    #[serde(flatten)]
    pub finding: Finding,
}

/// Names that no check has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--ignore-preflight: there is no check named {}", names.join(", "))]
pub struct UnknownChecks {
    /// Those names.
    pub names: Vec<String>,
}

impl Report {
    /// What keeps `kinstall node` from going on: errors that it does not mend and the owner does not accept.
    pub fn obstacles(&self) -> impl Iterator<Item = &Told> {
        self.errors().filter(|told| !told.finding.mendable)
    }

    /// Whether somebody has to do something, or `kinstall node` has: `kinstall preflight`'s exit code.
    pub fn needs_attention(&self) -> bool {
        self.errors().next().is_some()
    }

    fn errors(&self) -> impl Iterator<Item = &Told> {
        let findings = self.findings.iter();
        findings.filter(|told| told.finding.severity == Severity::Error && !told.ignored)
    }

    /// For people: every finding with its reason and its fix, and a last line that sums up.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for told in &self.findings {
            // Writing to a String cannot fail.
            let _ = told.write(&mut text);
        }
        if !text.is_empty() {
            text.push('\n');
        }
        let (errors, obstacles) = (self.errors().count(), self.obstacles().count());
        let _ = if errors == 0 {
            writeln!(
                text,
                "fine: {} checks, nothing keeps this machine from being a node",
                self.checks
            )
        } else if obstacles == 0 {
            writeln!(
                text,
                "attention needed: kinstall node mends the errors above by itself"
            )
        } else {
            writeln!(
                text,
                "attention needed: {obstacles} of the errors above have to be mended first; --ignore-preflight NAME \
                 accepts one"
            )
        };
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "kebab-case")]
        struct Document<'a> {
            fine: bool,
            #[serde(flatten)]
            report: &'a Report,
        }
        let document = Document {
            fine: !self.needs_attention(),
            report: self,
        };
        let mut text = serde_json::to_string_pretty(&document).expect("plain texts and numbers");
        text.push('\n');
        text
    }
}

impl Told {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        let severity = match (self.ignored, self.finding.severity) {
            (true, _) => "ignored",
            (false, Severity::Error) => "error",
            (false, Severity::Warning) => "warning",
        };
        writeln!(text, "{severity:8} {}: {}", self.check, self.finding.fact)?;
        if self.ignored {
            return Ok(());
        }
        writeln!(text, "{:8}   why: {}", "", self.reason)?;
        let by_itself = if self.finding.mendable {
            "kinstall node does it; by hand: "
        } else {
            ""
        };
        writeln!(text, "{:8}   fix: {by_itself}{}", "", self.finding.fix)
    }
}

impl UnknownChecks {
    /// What to do about it.
    pub fn hint(&self) -> String {
        let names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
        format!("the checks are {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::run;
    use super::super::testing::Fixture;

    #[test]
    fn text_and_json_say_the_same() {
        let mut fixture = Fixture::dual().with_pki();
        fixture.set("net/ipv4/ip_forward", "0");
        fixture.readings.swaps = vec!["/dev/sda2".into()];
        fixture.readings.user = 1000;
        let report = run(&fixture.context(), &["root".into()]).unwrap();
        assert!(report.needs_attention());
        assert_eq!(report.obstacles().count(), 0);
        insta::assert_snapshot!("text", report.text());
        insta::assert_snapshot!("json", report.json());
        let report = run(&fixture.context(), &[]).unwrap();
        assert_eq!(report.obstacles().count(), 1);
        assert!(report.text().contains("--ignore-preflight NAME"));
    }
}
