//! `kinstall preflight`, and what `kinstall node` begins with.

use std::path::Path;

use installer::desired::layout;
use installer::health;
use installer::machine::ledger::Made;
use installer::machine::node_source::Mode;
use installer::machine::readings::Readings;
use installer::machine::{HostError, Ledger, Problem, Root};
use installer::preflight::{self, Context, Ours, Report, Severity};
use time::OffsetDateTime;

use super::machine;
use super::wanted::{self, Wanted};
use crate::cli::arguments::Preflight;
use crate::cli::output::{self, Failure, Outcome};

/// Tells whether this machine can be a node.
pub fn run(arguments: Preflight) -> Result<Outcome, Failure> {
    let asked = wanted::asked(arguments.tree, arguments.make, arguments.options, None)?;
    let wanted = Wanted::of(asked, Mode::Preview)?;
    Ok(tell(&report(&wanted)?, arguments.json))
}

/// All checks.
pub fn report(wanted: &Wanted) -> Result<Report, Failure> {
    let spec = &wanted.spec;
    let ledger = Ledger::read(&Root::machine()).map_err(HostError::from)?;
    let manifests = Path::new(layout::MANIFESTS);
    let names = ledger
        .entries()
        .iter()
        .filter_map(|entry| match &entry.made {
            Made::File { path, .. } if path.parent() == Some(manifests) => {
                Some(path.file_name()?.to_string_lossy().into_owned())
            }
            _ => None,
        });
    let ours = Ours {
        installed: !ledger.is_empty(),
        manifests: names.collect(),
    };
    let programs: Vec<_> = wanted
        .program_problems
        .iter()
        .map(|problem| {
            (
                problem.fact.clone(),
                problem.hint.clone().unwrap_or_default(),
            )
        })
        .collect();
    let mut readings = Readings::read(&spec.facts);
    readings.api_servers = machine::runtime()?.block_on(health::api_servers(spec));
    let context = Context {
        facts: &spec.facts,
        readings: &readings,
        spec: &spec.cluster,
        node: &spec.node,
        network: spec.options.network,
        blueprint: &wanted.source.blueprint,
        inventory: &wanted.source.inventory,
        programs: &programs,
        found: &spec.programs,
        ours: &ours,
        now: OffsetDateTime::now_utc(),
    };
    preflight::run(&context, &spec.options.ignore_preflight)
        .map_err(|error| Failure::new(&error, error.hint()))
}

/// The report as the whole answer.
pub fn tell(report: &Report, as_json: bool) -> Outcome {
    let text = if as_json {
        report.json()
    } else {
        report.text()
    };
    Outcome::with_attention(text, report.needs_attention())
}

/// Stops an installation that could not succeed; tells the rest.
pub fn refuse(report: &Report) -> Result<(), Failure> {
    let problems: Vec<_> = report
        .obstacles()
        .map(|told| {
            Problem::new(
                format!("{}: {}", told.check, told.finding.fact),
                format!("{} (because: {})", told.finding.fix, told.reason),
            )
        })
        .collect();
    if !problems.is_empty() {
        return Err(problems.into());
    }
    for told in &report.findings {
        if told.finding.severity == Severity::Warning && !told.ignored {
            output::warn(format_args!("{}: {}", told.check, told.finding.fact));
        }
    }
    Ok(())
}
