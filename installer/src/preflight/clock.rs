//! The time.

use pki_core::converge::inventory::Found;
use time::{Date, Month};

use super::{Check, Context, Finding};

/// kinstall's own year: no clock that is right says an earlier one.
const MADE: Date = match Date::from_calendar_date(2026, Month::January, 1) {
    Ok(date) => date,
    Err(_) => panic!("a date"),
};

pub(super) const CLOCK: Check = Check {
    name: "clock",
    reason: "certificates and tokens are valid from one moment to another: with a wrong clock nobody believes anybody",
    run: clock,
};

const FIX: &str = "set the clock and keep it right, with chrony or systemd-timesyncd";

fn clock(context: &Context<'_>) -> Vec<Finding> {
    let now = context.now;
    if now.date() < MADE {
        return vec![Finding::error(
            format!("the clock says {}", now.date()),
            FIX,
        )];
    }
    // All certificates that are here were issued already.
    let certificates = context.inventory.files();
    let latest = certificates
        .filter_map(|(_, file)| match &file.content {
            Found::Certificates(chain) => chain.first(),
            _ => None,
        })
        .map(|certificate| certificate.validity.not_before)
        .max();
    match latest {
        Some(latest) if latest > now => vec![Finding::error(
            format!("the clock says {now}, and certificates that are here begin at {latest}"),
            FIX,
        )],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn behind() {
        let mut fixture = Fixture::ipv4().with_pki();
        fixture.fine(CLOCK);
        fixture.now -= Duration::days(1);
        assert!(
            fixture
                .error(CLOCK)
                .contains("certificates that are here begin at")
        );
        fixture.now = time::OffsetDateTime::UNIX_EPOCH;
        assert_eq!(fixture.error(CLOCK), "the clock says 1970-01-01");
    }
}
