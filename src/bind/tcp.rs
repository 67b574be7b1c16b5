//! TCP: every combination of options is asked for.

use super::answer::{Found, Site, found, others};
use super::args::Args;
use super::probe::{Extra, Trials, try_all};
use super::remedies::{self, Situation};
use super::report::OptionAnswer;
use super::surroundings::Surroundings;
use super::target::InternetTarget;
use crate::catalogue::errnos;
use crate::kernel::KernelError;
use crate::model::{Endpoint, Protocol};

/// What was found out about a bind of `target`.
pub(super) fn tcp_found(
    args: &Args,
    target: &InternetTarget,
    site: Site<'_>,
) -> Result<Found, KernelError> {
    let place = Surroundings::new(target, site)?;
    let options = args.options();
    let trials = try_all(place.address, options)?;
    let bound = trials.of(options.reuse_addr, options.reuse_port);
    let judged = trials.listened.unwrap_or(bound);
    let asked = place.asked(Protocol::Tcp, options, judged);
    let plain = trials.of(false, false);
    let survey =
        place.survey(&asked, if judged.is_accepted() { plain.code } else { judged.code })?;
    let mut found = found("tcp", judged, survey, |it| others(&asked, judged, it, Some(&trials)));
    found.listened = trials.listened.is_some();
    (found.meaning, found.remedies) = match judged.code {
        0 => (None, Vec::new()),
        errnos::EADDRINUSE => {
            let now = situation(&place, &found, (Some(&trials), trials.extra));
            (None, remedies::in_use(&now))
        }
        code => place.refusal(code, trials.extra.freebind, found.holders()),
    };
    if judged.is_accepted() && trials.dual_stack_code == Some(errnos::EADDRINUSE) {
        found.warnings.push(format!(
            "[::]:{} is in use: a server that binds all of IPv6 fails there; netkit bind '[::]:{0}'",
            place.address.port()
        ));
    }
    found.options = trials.options.map(OptionAnswer::from).into();
    found.is_ephemeral = place.is_ephemeral();
    Ok(found)
}

pub(super) fn situation<'a>(
    place: &'a Surroundings<'a>,
    found: &'a Found,
    (trials, extra): (Option<&'a Trials>, Extra),
) -> Situation<'a> {
    Situation {
        port: place.address.port(),
        is_ipv4: Endpoint::new(place.address.ip(), 0).address.is_ipv4(),
        blockers: &found.blockers,
        hidden_processes: found.hidden_processes,
        prefix: place.prefix,
        outlook: found.outlook,
        trials,
        extra,
        ephemeral: &place.ephemeral,
    }
}
