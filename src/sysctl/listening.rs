//! Who listens: a port of theirs must not be one that connect(2) picks.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::kernel::ProcRoot;
use crate::kernel::sockets::{Wanted, scan};
use crate::model::{Protocol, StateSet, TcpState};

/// The ports on which TCP listens; a table that cannot be read is a warning.
pub fn listening(proc_root: &ProcRoot) -> (Vec<u16>, Vec<String>) {
    let wanted = Wanted::all(vec![Protocol::Tcp], StateSet::only(TcpState::LISTEN));
    let mut ports = BTreeSet::new();
    let read = scan(None, proc_root, &wanted, &mut |socket| {
        if socket.state == TcpState::LISTEN {
            ports.insert(socket.local.port);
        }
        ControlFlow::Continue(())
    });
    let warnings = match read {
        Ok(reading) => reading.warnings,
        Err(error) => vec![format!("listeners are not known: {error}")],
    };
    (ports.into_iter().collect(), warnings)
}
