//! UDP: asked without options alone, for a socket that shares a port takes datagrams.

use super::answer::{Found, Site, found, others, plain_option};
use super::args::Args;
use super::probe::{Extra, next_port};
use super::remedies;
use super::sharing::{Asked, refuses};
use super::surroundings::Surroundings;
use super::survey::Survey;
use super::target::InternetTarget;
use super::tcp::situation;
use crate::catalogue::errnos;
use crate::kernel::KernelError;
use crate::kernel::binding::try_udp;
use crate::model::Protocol;

/// UDP is asked without options alone; what `SO_REUSEADDR` and `SO_REUSEPORT` would do follows from
/// those of the sockets that are there, where they could be read.
pub(super) fn udp_found(
    args: &Args,
    target: &InternetTarget,
    site: Site<'_>,
) -> Result<Found, KernelError> {
    let place = Surroundings::new(target, site)?;
    let options = args.options();
    let plain = try_udp(place.address, options.v6only)?;
    let asked = place.asked(Protocol::Udp, options, plain);
    let survey = place.survey(&asked, plain.code)?;
    let mut judged = plain;
    if let Some(survey) = &survey
        && (options.reuse_addr || options.reuse_port)
        && plain.code == errnos::EADDRINUSE
    {
        match shared_by_rule(&asked, survey) {
            Some(true) => judged.code = 0,
            Some(false) => {}
            None => {
                return Err(KernelError::CannotTell {
                    what: "whether a UDP socket with SO_REUSEADDR or SO_REUSEPORT may share this \
                           port depends on options of the socket that has it, which this user may \
                           not read or which is not seen",
                    instead: "run netkit as root; it is never tried, for such a socket takes \
                              datagrams from the moment it is bound",
                });
            }
        }
    }
    let mut found = found("udp", judged, survey, |it| others(&asked, judged, it, None));
    (found.meaning, found.remedies) = match judged.code {
        0 => (None, Vec::new()),
        errnos::EADDRINUSE => {
            let is_free = |other| Ok(try_udp(other, options.v6only)?.is_accepted());
            let another_port = next_port(place.address, is_free)?;
            let extra = Extra { another_port, ..Extra::default() };
            (None, remedies::in_use(&situation(&place, &found, (None, extra))))
        }
        code => place.refusal(code, None, found.holders()),
    };
    found.options = vec![plain_option(plain).into()];
    Ok(found)
}

/// Whether every socket there may be shared with, as far as their options are known.
fn shared_by_rule(asked: &Asked, survey: &Survey) -> Option<bool> {
    let answers = || survey.holdings.iter().map(|it| refuses(asked, &it.socket, it.sharing));
    if answers().any(|refuses| refuses == Some(true)) {
        return Some(false);
    }
    let is_known = !survey.holdings.is_empty() && answers().all(|refuses| refuses.is_some());
    is_known.then_some(true)
}
