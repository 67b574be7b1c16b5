//! `netkit echo server`: sends back what comes.
//!
//! [`Server`] is the server itself, for whoever needs one in a process of its own making; [`run`] is the
//! command.

mod accept;
mod announce;
mod args;
mod attend;
mod bucket;
mod caps;
mod clash;
mod connection;
mod faults;
mod guard;
mod hands;
mod idle;
mod limits;
mod listener;
mod log;
mod options;
mod refused;
mod reply;
mod report;
mod request;
mod running;
mod scribe;
mod session;
mod shaper;
mod shared;
mod status;
mod tally;
mod text;
mod udp;

pub use args::Args;
pub use listener::{Refused, Server};
pub use options::Options;
pub use running::Running;

use crate::exit::Exit;
use crate::kernel::Place;
use crate::output::{Aside, Outcome, Screen};

/// Answers `args` for `place` on `screen`, and tells `aside` what is not the answer.
pub fn run(
    args: &Args,
    place: &Place,
    screen: &mut Screen<'_>,
    aside: &mut Aside<'_>,
) -> anyhow::Result<Outcome> {
    let announcement = args.announcement();
    let asked = args.addresses().and_then(|addresses| Ok((addresses, args.options()?)));
    let asked = asked.and_then(|asked| announcement.check().map(|()| asked));
    let (addresses, options) = match asked {
        Ok(asked) => asked,
        Err(problem) => return Ok(Outcome { exit: Exit::Usage, messages: vec![problem] }),
    };
    let path = addresses.iter().find(|it| it.is_path());
    if let Some(problem) = path.and_then(|path| place.lacks_path(path, "echo server")) {
        return Ok(Outcome { exit: Exit::Usage, messages: vec![problem] });
    }
    match place.inside(|proc_root| Server::bind(&addresses, options, proc_root))? {
        Ok(server) => session::run(server, &announcement, screen, aside),
        Err(refused) if announcement.has_answer(screen.format) => refused.explained(place, screen),
        Err(refused) => {
            let format = screen.format;
            let style = aside.style;
            refused.explained(place, &mut Screen { out: &mut *aside.out, format, style })
        }
    }
}
