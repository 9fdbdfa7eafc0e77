//! Bringing the machines up: all get what they lack, all are checked, and then one after the other becomes a node.

use std::time::{Duration, Instant};

use pki_core::cluster::spec::{ClusterSpec, Role};
use pki_core::converge::problem::Problem;
use serde::Deserialize;

use super::order::{self, HoldsUp};
use super::{Load, Machine, MachinePlan, NodeOptions, Places, Watcher, bring, script, told};
use crate::machine::each::each;
use crate::remote::{Input, Said};

/// What is brought up, and how. The lists have the same machines in the same order.
pub struct Course<'a> {
    /// The cluster.
    pub spec: &'a ClusterSpec,
    /// Its machines, or some of them.
    pub machines: &'a [Machine<'a>],
    /// What each has to have.
    pub loads: &'a [Load],
    /// What is to be done on each.
    pub plans: &'a [MachinePlan],
    /// Where things are there.
    pub places: &'a Places,
    /// What each kinstall is told.
    pub options: &'a NodeOptions,
    /// How many machines are worked on at once.
    pub at_once: usize,
}

/// What became of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// What became of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is a node, and healthy.
    Done {
        /// Whether it had been before.
        nothing_to_do: bool,
    },
    /// It is none, or not healthy.
    Failed(Vec<Problem>),
    /// Nothing was installed on it, because of another.
    NotTried {
        /// The node that failed.
        because: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    nothing_to_do: bool,
}

impl Course<'_> {
    /// Runs it to its end, and tells what became of each machine, in their order.
    pub fn run(&self, watcher: &dyn Watcher) -> Vec<Ended> {
        let indexes: Vec<usize> = (0..self.machines.len()).collect();
        let ready = each(&indexes, self.at_once, |index| {
            self.bring(*index, watcher)?;
            self.check(*index, watcher)
        });
        let mut ended: Vec<Option<Ended>> = ready
            .into_iter()
            .map(|ready| ready.err().map(|problems| failed(problems, Duration::ZERO)))
            .collect();
        // Before anything is installed anywhere, the whole control plane has to be able to.
        let mut stopped: Option<(HoldsUp, String)> = self
            .machines
            .iter()
            .zip(&ended)
            .find(|(machine, ended)| ended.is_some() && rules(machine))
            .map(|(machine, _)| (HoldsUp::Everything, machine.name().to_owned()));
        let nodes: Vec<_> = self.machines.iter().map(|machine| &machine.node).collect();
        for wave in order::up(self.spec, &nodes) {
            let open = wave.machines.into_iter();
            let open: Vec<_> = open.filter(|index| ended[*index].is_none()).collect();
            if let Some((holds_up, because)) = &stopped
                && (*holds_up == HoldsUp::Everything || wave.holds_up != HoldsUp::Nothing)
            {
                for index in open {
                    ended[index] = Some(Ended {
                        outcome: Outcome::NotTried {
                            because: because.clone(),
                        },
                        took: Duration::ZERO,
                    });
                }
                continue;
            }
            let results = each(&open, self.at_once, |index| self.install(*index, watcher));
            for (index, result) in open.into_iter().zip(results) {
                if matches!(result.outcome, Outcome::Failed(_))
                    && wave.holds_up != HoldsUp::Nothing
                    && stopped.is_none()
                {
                    stopped = Some((wave.holds_up, self.machines[index].name().to_owned()));
                }
                ended[index] = Some(result);
            }
        }
        let ended = ended.into_iter();
        ended.map(|one| one.expect("each is in a wave")).collect()
    }

    fn bring(&self, index: usize, watcher: &dyn Watcher) -> Result<(), Vec<Problem>> {
        let (machine, load) = (&self.machines[index], &self.loads[index]);
        bring(
            machine,
            self.places,
            load,
            &self.plans[index].errand,
            watcher,
        )
    }

    /// Whether its preflight lets it be a node.
    fn check(&self, index: usize, watcher: &dyn Watcher) -> Result<(), Vec<Problem>> {
        let machine = &self.machines[index];
        watcher.now(machine.name(), "checks the machine");
        let said = self.node(index, &["--check-only"])?;
        obstacles(machine.name(), &said)
    }

    fn install(&self, index: usize, watcher: &dyn Watcher) -> Ended {
        let machine = &self.machines[index];
        let began = Instant::now();
        watcher.now(machine.name(), "kinstall node");
        let result = self.node(index, &[]).and_then(|said| match said.code {
            0 => Ok(said),
            _ => Err(told(machine.name(), &said)),
        });
        let took = began.elapsed();
        match result {
            Ok(said) => {
                let document: Option<Document> = serde_json::from_str(&said.stdout).ok();
                let nothing_to_do = document.is_some_and(|document| document.nothing_to_do);
                let what = match nothing_to_do {
                    true => "is as it is wanted, and healthy",
                    false => "is a node",
                };
                watcher.done(machine.name(), what, took);
                Ended {
                    outcome: Outcome::Done { nothing_to_do },
                    took,
                }
            }
            Err(problems) => {
                watcher.done(machine.name(), "failed", took);
                failed(problems, took)
            }
        }
    }

    fn node(&self, index: usize, more: &[&str]) -> Result<Said, Vec<Problem>> {
        let (machine, errand) = (&self.machines[index], &self.plans[index].errand);
        let script = script::node(self.places, errand, self.options, machine.name(), more);
        let said = machine.remote.run(&script, Input::Held);
        said.map_err(|error| vec![error.into()])
    }
}

fn failed(problems: Vec<Problem>, took: Duration) -> Ended {
    Ended {
        outcome: Outcome::Failed(problems),
        took,
    }
}

/// Whether others depend on it.
fn rules(machine: &Machine<'_>) -> bool {
    machine.node.has(Role::Etcd) || machine.node.has(Role::ControlPlane)
}

#[derive(Deserialize)]
struct Findings {
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    severity: String,
    fact: String,
    fix: String,
    mendable: bool,
    ignored: bool,
}

/// What keeps a machine from being a node, of what its preflight found: `kinstall node` mends the rest.
fn obstacles(name: &str, said: &Said) -> Result<(), Vec<Problem>> {
    let Ok(Findings { findings }) = serde_json::from_str(&said.stdout) else {
        return Err(told(name, said));
    };
    let findings = findings.into_iter();
    let findings = findings.filter(|one| one.severity == "error" && !one.mendable && !one.ignored);
    let problems: Vec<_> = findings
        .map(|one| Problem::new(format!("{name}: {}", one.fact), one.fix))
        .collect();
    match problems.as_slice() {
        [] => Ok(()),
        _ => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::fleet::fakes::{Nobody, Scripted};
    use crate::fleet::{Errand, Survey};

    const CLUSTER: &str = "service-cidr = '10.3.0.0/24'
        [[node]]
        name = 'cp1'
        addresses = '192.0.2.11'
        roles = ['control-plane', 'etcd']
        [[node]]
        name = 'cp2'
        addresses = '192.0.2.12'
        roles = ['control-plane', 'etcd']
        [[node]]
        name = 'cp3'
        addresses = '192.0.2.13'
        roles = ['control-plane', 'etcd']
        [[node]]
        name = 'w1'
        addresses = '192.0.2.21'
        [[node]]
        name = 'w2'
        addresses = '192.0.2.22'";

    fn said(code: i32, stdout: &str, stderr: &str) -> Said {
        Said {
            code,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        }
    }

    /// What becomes of the machines when these fail at these points, and what was called on which.
    fn run(fails: &[(&str, &str)]) -> (String, Vec<String>) {
        let spec = ClusterSpec::from_toml(CLUSTER).unwrap();
        let heard = Mutex::new(Vec::new());
        let mut machines = Vec::new();
        for node in spec.nodes() {
            let name: &'static str = Box::leak(node.name().to_string().into_boxed_str());
            let fine = [
                ("--check-only", said(0, "{\"findings\":[]}", "")),
                // After the other in the order of the map, so that it is only heard without it.
                ("kinstall", said(0, "{\"nothing-to-do\":false}", "")),
            ];
            let mut answers = BTreeMap::from(fine);
            for (_, part) in fails.iter().filter(|(node, _)| *node == name) {
                let part = *answers.keys().find(|key| *key == part).unwrap();
                answers.insert(part, said(1, "", "error: no\nhint: so\n"));
            }
            machines.push(Machine {
                node: node.clone(),
                remote: Box::new(Scripted {
                    node: name,
                    answers,
                    heard: &heard,
                }),
            });
        }
        let plan = || MachinePlan {
            survey: Survey::default(),
            errand: Errand::default(),
            changes: None,
            problems: Vec::new(),
        };
        let load = || Load {
            programs: Vec::new(),
            files: BTreeMap::new(),
        };
        let loads: Vec<_> = machines.iter().map(|_| load()).collect();
        let plans: Vec<_> = machines.iter().map(|_| plan()).collect();
        let course = Course {
            spec: &spec,
            machines: &machines,
            loads: &loads,
            plans: &plans,
            places: &Places::system(),
            options: &NodeOptions::default(),
            at_once: 2,
        };
        let ended = course.run(&Nobody);
        let word = |(machine, ended): (&Machine<'_>, &Ended)| match &ended.outcome {
            Outcome::Done { .. } => format!("{} done", machine.name()),
            Outcome::Failed(problems) => problems[0].fact.clone(),
            Outcome::NotTried { because } => format!("{} not ({because})", machine.name()),
        };
        let words: Vec<_> = machines.iter().zip(&ended).map(word).collect();
        drop(machines);
        let heard = heard.into_inner().unwrap().into_iter();
        let installs = heard.filter_map(|line| line.strip_suffix(" kinstall").map(str::to_owned));
        (words.join(", "), installs.collect())
    }

    #[test]
    fn the_control_plane_one_by_one_and_then_the_workers() {
        let (words, mut installs) = run(&[]);
        assert_eq!(words, "cp1 done, cp2 done, cp3 done, w1 done, w2 done");
        assert_eq!(installs[..3], ["cp1", "cp2", "cp3"]);
        installs[3..].sort();
        assert_eq!(installs[3..], ["w1", "w2"]);
    }

    #[test]
    fn what_fails_holds_up_what_depends_on_it_and_nothing_else() {
        let (words, installs) = run(&[("cp1", "kinstall")]);
        assert_eq!(
            words,
            "cp1: no, cp2 not (cp1), cp3 not (cp1), w1 not (cp1), w2 not (cp1)"
        );
        assert_eq!(installs, ["cp1"]);
        let (words, _) = run(&[("cp2", "kinstall")]);
        assert_eq!(words, "cp1 done, cp2: no, cp3 not (cp2), w1 done, w2 done");
        let (words, _) = run(&[("w1", "kinstall")]);
        assert_eq!(words, "cp1 done, cp2 done, cp3 done, w1: no, w2 done");
    }

    #[test]
    fn nothing_is_installed_before_the_control_plane_could_be() {
        let (words, installs) = run(&[("cp3", "--check-only")]);
        assert_eq!(
            words,
            "cp1 not (cp3), cp2 not (cp3), cp3: no, w1 not (cp3), w2 not (cp3)"
        );
        assert!(installs.is_empty());
        // A worker that cannot be one keeps nobody.
        let (words, _) = run(&[("w2", "--check-only")]);
        assert_eq!(words, "cp1 done, cp2 done, cp3 done, w1 done, w2: no");
    }

    #[test]
    fn only_what_nobody_mends_or_accepts_is_an_obstacle() {
        let finding = |severity: &str, mendable: bool, ignored: bool| {
            format!(
                "{{\"findings\":[{{\"severity\":\"{severity}\",\"fact\":\"f\",\"fix\":\"x\",\"mendable\":{mendable},\
                 \"ignored\":{ignored},\"check\":\"swap\"}}]}}"
            )
        };
        let of = |text: String| obstacles("w1", &said(1, &text, ""));
        let problem = of(finding("error", false, false)).unwrap_err();
        assert_eq!(problem, [Problem::new("w1: f", "x")]);
        for text in [
            finding("error", true, false),
            finding("error", false, true),
            finding("warning", false, false),
        ] {
            assert_eq!(of(text), Ok(()));
        }
        let problem = obstacles("w1", &said(1, "", "error: broken\n")).unwrap_err();
        assert_eq!(problem[0].fact, "w1: broken");
    }
}
