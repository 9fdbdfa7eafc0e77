//! `kinstall status`.

use std::fmt::Write as _;

use installer::desired::NodeSpec;
use installer::health;
use installer::status::{ComponentStatus, HealthStatus, Keeper, Status, span};
use time::OffsetDateTime;

use super::machine;
use crate::cli::arguments;
use crate::cli::output::{self, ERROR, Failure, GOOD, Outcome, STRONG, WARNING, WEAK};

/// Certificates that end sooner are shown as a matter of attention: kpki renews in the last third of a life, and
/// 30 days is less than that of a year.
const SOON_DAYS: i64 = 30;

/// Tells what runs and how it is.
pub fn run(arguments: &arguments::Status) -> Result<Outcome, Failure> {
    if arguments.cluster {
        return super::cluster_status::run(arguments);
    }
    let spec = machine::node()?;
    let status = read(&spec)?;
    let text = if arguments.json {
        output::json(&status)
    } else {
        words(&status, OffsetDateTime::now_utc().unix_timestamp())
    };
    Ok(Outcome::with_attention(text, !status.healthy))
}

/// The node, now.
pub fn read(spec: &NodeSpec) -> Result<Status, Failure> {
    let services = machine::services(spec.facts.init)?;
    let runtime = machine::runtime()?;
    let health = runtime.block_on(health::snapshot(spec));
    let status = Status::read(
        spec,
        &services,
        &|name| health.get(name).cloned(),
        OffsetDateTime::now_utc(),
    )?;
    Ok(status)
}

fn words(status: &Status, now: i64) -> String {
    let mut text = format!(
        "{STRONG}{}{STRONG:#} in cluster {}\n\n",
        status.node, status.cluster
    );
    let _ = writeln!(
        text,
        "{WEAK}{:24} {:10} {:9} {:9} {:>8} {:>9}{WEAK:#}",
        "COMPONENT", "KEPT BY", "VERSION", "HEALTH", "SINCE", "MEMORY"
    );
    for one in &status.components {
        line(&mut text, one, now);
    }
    text.push('\n');
    for certificate in &status.certificates {
        let (style, word) = match certificate.days_left {
            days if days < 0 => (ERROR, "has ended"),
            days if days < SOON_DAYS => (WARNING, "ends soon"),
            _ => continue,
        };
        let _ = writeln!(
            text,
            "{style}{word}{style:#} {}: {} days left",
            certificate.file, certificate.days_left
        );
    }
    if let Some(first) = status.certificates.first() {
        let _ = writeln!(
            text,
            "{} certificates, the first ends in {} days ({})",
            status.certificates.len(),
            first.days_left,
            first.file
        );
    }
    let _ = if status.healthy {
        writeln!(text, "{GOOD}healthy{GOOD:#}")
    } else {
        writeln!(
            text,
            "{ERROR}attention needed{ERROR:#}: kinstall logs COMPONENT tells more"
        )
    };
    text
}

fn line(text: &mut String, one: &ComponentStatus, now: i64) {
    let (style, health) = match one.health {
        HealthStatus::Up => (GOOD, "up"),
        HealthStatus::Down => (ERROR, "down"),
        HealthStatus::Unknown => (WARNING, "unknown"),
    };
    let keeper = match one.keeper {
        Keeper::Service => "service",
        Keeper::StaticPod => "kubelet",
        Keeper::Addon => "cluster",
    };
    let dash = || "-".to_owned();
    let version = one.version.clone().unwrap_or_else(dash);
    // Without what a distribution adds: 2.6.12-1+deb12u4.
    let version = version.split(['-', '+']).next().unwrap_or_default();
    let version = if version.is_empty() { "-" } else { version };
    let since = one.since.map_or_else(dash, |since| span(now - since));
    let memory = one
        .resident_bytes
        .map_or_else(dash, |bytes| format!("{} MiB", bytes >> 20));
    let _ = writeln!(
        text,
        "{:24} {keeper:10} {version:9} {style}{health:9}{style:#} {since:>8} {memory:>9}",
        one.name
    );
    if let Some(reason) = &one.reason {
        let _ = writeln!(text, "    {}", output::printable(reason));
    }
}
