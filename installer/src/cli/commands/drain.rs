//! `kinstall drain` and `kinstall uncordon`.

use std::fmt::Write as _;
use std::time::Duration;

use installer::api_servers;
use installer::drain::{self, Choice, DrainOptions, Drained, Leave};
use installer::install::Watcher as _;
use installer::machine::Problem;
use kube::Client;
use serde::Serialize;

use super::machine;
use crate::cli::arguments::{Drain, Draining, Uncordon};
use crate::cli::output::{self, Failure, GOOD, Outcome, WARNING, WEAK};
use crate::cli::progress::Progress;

/// Moves a node's pods elsewhere.
pub fn run(arguments: &Drain) -> Result<Outcome, Failure> {
    let vantage = machine::vantage(&arguments.directory)?;
    let node = arguments.node.as_str();
    let options = arguments.draining.options();
    machine::runtime()?.block_on(async {
        let client = api_servers::ready(&vantage, None).await?;
        drain::find_or_name(&client, node).await?;
        let choice = choice(&client, node, &options).await?;
        if arguments.dry_run {
            return Ok(shown(node, &choice, arguments.json));
        }
        refuse(node, &choice)?;
        let mut progress = Progress::begin();
        let (choice, drained) = go(&client, node, &options, &mut progress).await?;
        drop(progress);
        Ok(told(node, &choice, &drained, arguments.json))
    })
}

/// Lets pods come again.
pub fn undo(arguments: &Uncordon) -> Result<Outcome, Failure> {
    let vantage = machine::vantage(&arguments.directory)?;
    machine::runtime()?.block_on(async {
        let client = api_servers::ready(&vantage, None).await?;
        drain::uncordon(&client, &arguments.node).await?;
        let node = output::printable(&arguments.node);
        Ok(Outcome::fine(format!(
            "{GOOD}pods may come to {node}{GOOD:#}\n"
        )))
    })
}

impl Draining {
    /// For the library.
    pub fn options(&self) -> DrainOptions {
        DrainOptions {
            force: self.force,
            delete_emptydir_data: self.delete_emptydir_data,
            grace_period: self.grace_period,
            timeout: Duration::from_secs(self.timeout.into()),
        }
    }
}

/// What becomes of a node's pods.
pub async fn choice(
    client: &Client,
    node: &str,
    options: &DrainOptions,
) -> Result<Choice, Problem> {
    let pods = drain::pods(client, node).await?;
    Ok(drain::choose(&pods, options))
}

/// Drains a node whose pods may go.
pub async fn go(
    client: &Client,
    node: &str,
    options: &DrainOptions,
    progress: &mut Progress,
) -> Result<(Choice, Drained), Failure> {
    drain::cordon(client, node).await?;
    // One more may have come before that.
    let choice = choice(client, node, options).await?;
    refuse(node, &choice)?;
    progress.now(&format!("evicting {} pods of {node}", choice.go.len()));
    let mut tell = |what: &str| progress.now(what);
    let drained = drain::evict(client, &choice.go, options, &mut tell).await;
    Ok((choice, drained))
}

/// One problem for each pod that may not go as things are.
pub fn refuse(node: &str, choice: &Choice) -> Result<(), Failure> {
    if choice.refused.is_empty() {
        return Ok(());
    }
    let problem = |leave: Leave| {
        let pods = choice.refused.iter().filter(move |one| one.wants == leave);
        let pods: Vec<_> = pods.map(|one| one.pod.to_string()).collect();
        (!pods.is_empty()).then(|| {
            Problem::new(
                format!("{node} is not drained: {}: {leave}", pods.join(", ")),
                format!("say {} if it may", leave.flag()),
            )
        })
    };
    let problems = [Leave::Force, Leave::DeleteEmptydirData];
    let problems: Vec<_> = problems.into_iter().filter_map(problem).collect();
    Err(problems.into())
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Plan<'a> {
    node: &'a str,
    #[serde(flatten)]
    choice: &'a Choice,
}

fn shown(node: &str, choice: &Choice, as_json: bool) -> Outcome {
    let attention = !choice.go.is_empty() || !choice.refused.is_empty();
    let text = if as_json {
        output::json(&Plan { node, choice })
    } else {
        let mut text = words(choice);
        let (go, stay) = (choice.go.len(), choice.stay.len());
        let _ = writeln!(
            text,
            "\n{go} pods would be evicted from {node}, {stay} stay"
        );
        text
    };
    Outcome::with_attention(text, attention)
}

/// A line for each pod.
pub fn words(choice: &Choice) -> String {
    let mut text = String::new();
    for pod in &choice.go {
        let _ = writeln!(text, "evict   {pod}");
    }
    for one in &choice.stay {
        let _ = writeln!(text, "{WEAK}leave   {}: {}{WEAK:#}", one.pod, one.why);
    }
    for one in &choice.refused {
        let (pod, wants) = (&one.pod, one.wants);
        let flag = wants.flag();
        let _ = writeln!(
            text,
            "{WARNING}refuse{WARNING:#}  {pod}: {wants}; {flag} lets it go"
        );
    }
    text
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    node: &'a str,
    #[serde(flatten)]
    drained: &'a Drained,
    stay: &'a [drain::Left],
}

fn told(node: &str, choice: &Choice, drained: &Drained, as_json: bool) -> Outcome {
    let attention = !drained.not_gone.is_empty();
    if attention {
        not_gone(node, drained).print();
    }
    let text = if as_json {
        output::json(&Document {
            node,
            drained,
            stay: &choice.stay,
        })
    } else {
        let mut text = String::new();
        for pod in &drained.gone {
            let _ = writeln!(text, "evicted {pod}");
        }
        if !attention {
            let count = drained.gone.len();
            let _ = writeln!(
                text,
                "{GOOD}{node} is drained{GOOD:#}: {count} pods evicted; kinstall uncordon {node} lets pods come again"
            );
        }
        text
    };
    Outcome::with_attention(text, attention)
}

/// What keeps pods.
pub fn not_gone(node: &str, drained: &Drained) -> Failure {
    let problems = drained.not_gone.iter().map(|one| {
        Problem::new(
            format!("{} has not gone from {node}: {}", one.pod, one.why),
            "mend what keeps it, such as a PodDisruptionBudget that allows nothing, and run this again: it goes on; no new pods come meanwhile",
        )
    });
    problems.collect::<Vec<_>>().into()
}
