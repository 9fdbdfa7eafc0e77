//! Why a gate did not open.

use std::fmt;
use std::time::Duration;

use super::cause::{Cause, likely_cause};
use super::gate::Gate;

/// Why a gate did not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateError {
    /// Which.
    pub gate: Gate,
    /// How long it was waited for.
    pub waited: Duration,
    /// How often its component ended meanwhile.
    pub ended: u32,
    /// What was said when it was asked last.
    pub reason: String,
    /// The last lines of its component's log.
    pub last_words: Vec<String>,
    /// What they probably mean.
    pub cause: Option<Cause>,
}

impl GateError {
    pub(super) fn new(
        gate: Gate,
        waited: Duration,
        ended: u32,
        reason: String,
        last_words: Vec<String>,
    ) -> Self {
        // What kinstall itself was told is about the way there, unless it is a certificate.
        let told = || likely_cause(std::slice::from_ref(&reason)).filter(|cause| cause.is_final);
        Self {
            cause: likely_cause(&last_words).or_else(told),
            gate,
            waited,
            ended,
            reason,
            last_words,
        }
    }

    /// What would mend it.
    pub fn hint(&self) -> Option<String> {
        let component = self.gate.component();
        Some(match &self.cause {
            Some(cause) => cause.hint.to_owned(),
            None if self.gate == Gate::Endpoint => {
                "install a control-plane node first, and let this machine reach it (curl --insecure there answers 401); \
                 then run this again"
                    .into()
            }
            None => {
                format!("kinstall logs {component} tells more; run this again when it is mended")
            }
        })
    }
}

impl fmt::Display for GateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, component) = (self.gate.name(), self.gate.component());
        let seconds = self.waited.as_secs_f64();
        write!(f, "{name}: not after {seconds:.0} s: {}", self.reason)?;
        if let Some(cause) = &self.cause {
            write!(f, "; likely cause: {}", cause.fact)?;
        }
        match self.ended {
            0 => {}
            1 => write!(f, "; {component} ended once")?,
            times => write!(f, "; {component} ended {times} times")?,
        }
        if !self.last_words.is_empty() {
            write!(f, "; the last words of {component}:")?;
        }
        self.last_words
            .iter()
            .try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl std::error::Error for GateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_reach_the_control_plane_is_told_where_to_look() {
        let reason = "https://192.0.2.1:6443: connection refused".into();
        let waited = Duration::from_secs(120);
        let error = GateError::new(Gate::Endpoint, waited, 0, reason, Vec::new());
        insta::assert_snapshot!(error, @"control plane reachable: not after 120 s: https://192.0.2.1:6443: connection refused");
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("control-plane node first"))
        );
    }

    #[test]
    fn the_error_names_the_gate_the_cause_and_the_log() {
        let words = vec![
            "I1124 starting".into(),
            "Error: unknown flag: --no-such-flag".into(),
        ];
        let reason = "https://192.0.2.1:6443: connection refused".into();
        let waited = Duration::from_millis(2400);
        let error = GateError::new(Gate::ApiServer, waited, 2, reason, words);
        insta::assert_snapshot!(error, @r"
        API server ready: not after 2 s: https://192.0.2.1:6443: connection refused; likely cause: it was started with a flag that it does not know; kube-apiserver ended 2 times; the last words of kube-apiserver:
          I1124 starting
          Error: unknown flag: --no-such-flag
        ");
        assert!(error.hint().is_some_and(|hint| hint.contains("version")));
    }
}
