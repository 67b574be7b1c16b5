//! Error codes of getaddrinfo(3): why a name has no address.
//!
//! Source: `netdb.h` of the GNU C library, and getaddrinfo(3). They are no error numbers; that they
//! are negative keeps them apart from those.

/// A code, its name, and what it says about the name that was asked for.
pub type EaiEntry = (i32, &'static str, &'static str);

/// There is no such name, or no address to it.
pub const EAI_NONAME: i32 = -2;
/// The resolver could not be asked now.
pub const EAI_AGAIN: i32 = -3;
/// A system call of the lookup failed.
pub const EAI_SYSTEM: i32 = -11;

/// Every code that a lookup can end with.
pub const EAI: [EaiEntry; 12] = [
    (-1, "EAI_BADFLAGS", "the lookup was asked for with flags that the C library does not know"),
    (EAI_NONAME, "EAI_NONAME", "no such name is known, or it has no address"),
    (EAI_AGAIN, "EAI_AGAIN", "no name server answered: this says nothing about the name"),
    (-4, "EAI_FAIL", "the name server answered that it cannot help"),
    (-5, "EAI_NODATA", "the name is known and has no address"),
    (-6, "EAI_FAMILY", "the C library does not know this address family"),
    (-7, "EAI_SOCKTYPE", "the C library does not know this type of socket"),
    (-8, "EAI_SERVICE", "the service is not known for this type of socket"),
    (-9, "EAI_ADDRFAMILY", "the name has no address of this family"),
    (-10, "EAI_MEMORY", "out of memory"),
    (EAI_SYSTEM, "EAI_SYSTEM", "a system call of the lookup failed"),
    (-12, "EAI_OVERFLOW", "the answer was too long"),
];

/// What glibc says of them (gai_strerror(3)), as programs show it.
pub const TEXTS: [(i32, &str); 11] = [
    (-1, "Bad value for ai_flags"),
    (-2, "Name or service not known"),
    (-3, "Temporary failure in name resolution"),
    (-4, "Non-recoverable failure in name resolution"),
    (-5, "No address associated with hostname"),
    (-6, "ai_family not supported"),
    (-7, "ai_socktype not supported"),
    (-8, "Servname not supported for ai_socktype"),
    (-9, "Address family for hostname not supported"),
    (-10, "Memory allocation failure"),
    (-11, "System error"),
];

/// The C name of `code`; the number itself for one without a name.
pub fn name(code: i32) -> String {
    entry(code).map_or_else(|| code.to_string(), |(_, name, _)| (*name).to_owned())
}

/// What `code` says about the name.
pub fn meaning(code: i32) -> &'static str {
    entry(code).map_or("the lookup failed", |(_, _, meaning)| meaning)
}

fn entry(code: i32) -> Option<&'static EaiEntry> {
    EAI.iter().find(|(number, _, _)| *number == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_fall_and_one_without_a_name_survives() {
        assert!(EAI.is_sorted_by(|one, next| one.0 > next.0));
        assert_eq!((name(-2), name(-77)), ("EAI_NONAME".to_owned(), "-77".to_owned()));
    }
}
