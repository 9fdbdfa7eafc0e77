//! Figures for Prometheus, in its text format (prometheus.io, "Exposition formats").

use std::collections::BTreeMap;
use std::fmt::Write;

use pki_core::converge::check::{EndpointCheck, FilePart, FoundAt, Level, OnDisk};

use crate::commands::check::Checked;

/// By which a file of ours is known.
pub const MARK: &str = "# HELP kpki_";

/// The figures of a check.
pub fn of_check(checked: &Checked) -> String {
    let mut text = Metrics::default();
    let certificates = || {
        let all = checked.files.certificates.iter();
        all.flat_map(|one| one.places.iter().map(move |at| (one, at)))
    };
    text.gauge(
        "kpki_certificate_not_after_timestamp_seconds",
        "The last second of a certificate on disk.",
        certificates().map(|(one, at)| {
            let end = one.certificate.validity.not_after.unix_timestamp();
            (labels(at, &one.name()), end)
        }),
    );
    text.gauge(
        "kpki_certificate_level",
        "How grave what is wrong with a certificate on disk is: 0 nothing, 1 a warning, 2 critical.",
        certificates().map(|(one, at)| (labels(at, &one.name()), number(one.level()))),
    );
    let endpoints = checked.endpoints.iter();
    let label = |one: &EndpointCheck| label(&[("server", &one.target.address.to_string())]);
    text.gauge(
        "kpki_server_up",
        "Whether a server answered by TLS.",
        endpoints
            .clone()
            .map(|one| (label(one), i64::from(one.served.is_ok()))),
    );
    text.gauge(
        "kpki_server_not_after_timestamp_seconds",
        "The last second of the certificate that a server serves.",
        endpoints.clone().filter_map(|one| {
            let served = one.served.as_ref().ok()?;
            let end = served.certificate().validity.not_after;
            Some((label(one), end.unix_timestamp()))
        }),
    );
    text.gauge(
        "kpki_server_serves_file",
        "Whether a server serves the certificate that is in its file.",
        endpoints.clone().filter_map(|one| match one.on_disk {
            OnDisk::Same(_) => Some((label(one), 1)),
            OnDisk::Other(_) => Some((label(one), 0)),
            OnDisk::Nothing => None,
        }),
    );
    text.gauge(
        "kpki_server_level",
        "How grave what is wrong with what a server serves is: 0 nothing, 1 a warning, 2 critical.",
        endpoints
            .clone()
            .map(|one| (label(one), number(one.level()))),
    );
    let unknown = i64::try_from(checked.unknown().count()).unwrap_or(i64::MAX);
    text.single("kpki_check_unknown", "How much could not be told.", unknown);
    text.single(
        "kpki_check_timestamp_seconds",
        "When this was looked at.",
        checked.now.unix_timestamp(),
    );
    text.0
}

/// Lines of the text format.
#[derive(Default)]
pub struct Metrics(pub String);

impl Metrics {
    /// A metric of several series. Of two with the same labels, which the format forbids, the lesser value stays:
    /// the earlier end.
    pub fn gauge(&mut self, name: &str, help: &str, series: impl Iterator<Item = (String, i64)>) {
        let mut all: BTreeMap<String, i64> = BTreeMap::new();
        for (labels, value) in series {
            let known = all.entry(labels).or_insert(value);
            *known = value.min(*known);
        }
        if !all.is_empty() {
            self.head(name, help, "gauge");
        }
        for (labels, value) in all {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }

    /// A metric of one value.
    pub fn single(&mut self, name: &str, help: &str, value: i64) {
        self.head(name, help, "gauge");
        let _ = writeln!(self.0, "{name} {value}");
    }

    /// A metric that only grows.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
}

fn labels(at: &FoundAt, name: &str) -> String {
    let part = match &at.part {
        FilePart::Position(position) | FilePart::Further(position) => {
            format!("certificate {position}")
        }
        FilePart::Client(user) => format!("user {user}"),
        FilePart::Authority(cluster) => format!("cluster {cluster}"),
    };
    let path = at.path.to_string_lossy();
    label(&[("path", &path), ("part", &part), ("name", name)])
}

/// `{path="...",name="..."}`; backslash, quote and line feed are escaped.
fn label(labels: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    };
    let all: Vec<_> = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
        .collect();
    format!("{{{}}}", all.join(","))
}

fn number(level: Level) -> i64 {
    match level {
        Level::Fine => 0,
        Level::Warning => 1,
        Level::Critical => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_break_no_line() {
        let escaped = label(&[("path", "a\\b\"c\nd")]);
        assert_eq!(escaped, r#"{path="a\\b\"c\nd"}"#);
    }

    #[test]
    fn no_series_stands_twice() {
        let mut metrics = Metrics::default();
        let series = [("{a=\"1\"}", 7), ("{a=\"1\"}", 5), ("{a=\"2\"}", 9)];
        let series = series
            .into_iter()
            .map(|(label, value)| (label.to_owned(), value));
        metrics.gauge("kpki_x", "What.", series);
        assert_eq!(
            metrics.0,
            "# HELP kpki_x What.\n# TYPE kpki_x gauge\nkpki_x{a=\"1\"} 5\nkpki_x{a=\"2\"} 9\n"
        );
    }
}
