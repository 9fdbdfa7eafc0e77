//! `kinstall graph`.

use installer::graph::{self, Light};
use installer::status::HealthStatus;

use super::{machine, status};
use crate::cli::arguments::Graph;
use crate::cli::output::{Failure, Outcome};

/// Draws the node.
pub fn run(arguments: &Graph) -> Result<Outcome, Failure> {
    let spec = machine::node()?;
    let now = status::read(&spec)?;
    let known = |name: &str| {
        let Some(one) = now.components.iter().find(|one| one.name == name) else {
            return (String::new(), Light::Unknown);
        };
        let light = match one.health {
            HealthStatus::Up => Light::Up,
            HealthStatus::Down => Light::Down,
            HealthStatus::Unknown => Light::Unknown,
        };
        let version = one.version.as_ref().map(|version| format!("v{version}"));
        let detail = match (&one.reason, version) {
            (Some(reason), _) => reason.clone(),
            (None, version) => version.unwrap_or_default(),
        };
        (detail, light)
    };
    let picture = graph::svg(&graph::Graph::of(&spec, &known));
    let Some(path) = &arguments.output else {
        return Ok(Outcome::fine(picture));
    };
    std::fs::write(path, picture)
        .map_err(|error| Failure::bare(format_args!("{}: {error}", path.display())))?;
    Ok(Outcome::fine(format!("{}\n", path.display())))
}
