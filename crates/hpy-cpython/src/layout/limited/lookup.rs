//! Functions that not every interpreter has for which the runtime is compiled.

use core::ffi::CStr;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::host;

/// A function that is looked for when it is first asked for.
pub(super) struct Lookup {
    name: &'static CStr,
    /// The address; [`UNKNOWN`] or [`ABSENT`].
    address: AtomicUsize,
}

const UNKNOWN: usize = 0;
const ABSENT: usize = 1;

impl Lookup {
    /// The function called `name`.
    pub(super) const fn new(name: &'static CStr) -> Self {
        Self { name, address: AtomicUsize::new(UNKNOWN) }
    }

    /// Its address, if the interpreter has it.
    #[inline]
    pub(super) fn address(&self) -> Option<usize> {
        match self.address.load(Ordering::Relaxed) {
            UNKNOWN => self.find(),
            ABSENT => None,
            address => Some(address),
        }
    }

    #[cold]
    fn find(&self) -> Option<usize> {
        let found = symbol(&host::exported(self.name));
        self.address.store(found.unwrap_or(ABSENT), Ordering::Relaxed);
        found
    }
}

/// The address of what the process exports under a name.
#[cfg(unix)]
fn symbol(name: &CStr) -> Option<usize> {
    let process = libloading::os::unix::Library::this();
    // SAFETY: the address is not used here. The interpreter is never unloaded.
    let symbol = unsafe { process.get::<*const ()>(name.to_bytes_with_nul()) };
    symbol.ok().map(|symbol| symbol.into_raw() as usize)
}

/// On other systems, functions are looked for in a library that must be named; so only the ways without them are used.
#[cfg(not(unix))]
fn symbol(_name: &CStr) -> Option<usize> {
    None
}

/// Functions of the C API: each gives a function pointer if the interpreter has it.
macro_rules! lookups {
    ($($getter:ident: $symbol:literal = fn($($arg:ty),*) $(-> $result:ty)?;)*) => {$(
        #[doc = concat!("`", $symbol, "`")]
        pub(super) fn $getter() -> Option<unsafe extern "C" fn($($arg),*) $(-> $result)?> {
            static FUNCTION: crate::layout::limited::lookup::Lookup =
                crate::layout::limited::lookup::Lookup::new(
                    match core::ffi::CStr::from_bytes_with_nul(concat!($symbol, "\0").as_bytes()) {
                        Ok(name) => name,
                        Err(_) => panic!("a name has no null"),
                    },
                );
            // SAFETY: what has that name has that prototype.
            FUNCTION.address().map(|address| unsafe { core::mem::transmute(address) })
        }
    )*};
}
pub(super) use lookups;

#[cfg(test)]
mod tests {
    use super::Lookup;

    #[test]
    fn what_is_there_is_found() {
        assert!(Lookup::new(c"PyLong_FromLong").address().is_some());
        let absent = Lookup::new(c"hpy_has_no_such_function");
        assert!(absent.address().is_none() && absent.address().is_none());
    }
}
