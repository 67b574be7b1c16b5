//! Names of network interfaces by their index.

use std::collections::HashMap;

use nix::net::if_::{Interface, if_nameindex};

/// The names by index in the calling thread's network namespace. An answer that fails is an empty
/// one: indexes are then shown as numbers.
pub fn names() -> HashMap<u32, String> {
    let Ok(list) = if_nameindex() else {
        return HashMap::new();
    };
    let name = |interface: &Interface| {
        (interface.index(), interface.name().to_string_lossy().into_owned())
    };
    list.iter().map(name).collect()
}
