//! Builders: PyPy's end the process with an item that is null, write wherever an index leads to, and keep what was built for ever.
//!
//! A builder here is the address of what is known of PyPy's.

use std::ffi::CStr;

use hpy_abi::{HPy, HPyContext, HPyListBuilder, HPyTupleBuilder};

use super::{host, raise};

/// A builder of PyPy's, and which items are in it.
struct Builder {
    /// The builder of the host.
    host: isize,
    /// Which items were set; None where there is no memory for so many.
    set: Option<Vec<bool>>,
    /// An index was outside.
    outside: bool,
}

impl Builder {
    /// What stands for a new builder. `make` makes that of the host.
    fn start(size: isize, make: impl FnOnce(isize) -> isize) -> isize {
        let set = flags(size);
        let host = if set.is_some() { make(size) } else { 0 };
        Box::into_raw(Box::new(Self { host, set, outside: false })) as isize
    }

    /// # Safety
    /// What `start` returned, not built or cancelled yet.
    unsafe fn at<'a>(address: isize) -> &'a mut Self {
        // SAFETY: the caller's promise.
        unsafe { &mut *(address as *mut Self) }
    }

    /// # Safety
    /// The same; it is not used afterwards.
    unsafe fn take(address: isize) -> Self {
        // SAFETY: the caller's promise.
        *unsafe { Box::from_raw(address as *mut Self) }
    }

    /// Whether the host's builder may be given the item.
    fn takes(&mut self, index: isize, item: HPy) -> bool {
        let Some(set) = &mut self.set else { return false };
        let Some(flag) = usize::try_from(index).ok().and_then(|index| set.get_mut(index)) else {
            self.outside = true;
            return false;
        };
        *flag = !item.is_null();
        *flag
    }

    /// Whether nothing is wrong; else an exception is set, unless there is one.
    ///
    /// # Safety
    /// As for every function of the context.
    unsafe fn check(&self, ctx: *mut HPyContext, outside: &CStr, missing: &CStr) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            if (host().ctx_Err_Occurred)(ctx) != 0 {
                return false;
            }
            match &self.set {
                None => (host().ctx_Err_NoMemory)(ctx),
                Some(_) if self.outside => raise(ctx, host().h_SystemError, outside),
                Some(set) if set.contains(&false) => raise(ctx, host().h_SystemError, missing),
                Some(_) => return true,
            }
            false
        }
    }
}

/// As many flags as there are items; None without memory.
fn flags(size: isize) -> Option<Vec<bool>> {
    let size = usize::try_from(size).ok()?;
    let mut flags = Vec::new();
    // A list of so many items would not fit either.
    let fits =
        size.checked_mul(size_of::<HPy>()).is_some_and(|bytes| bytes < isize::MAX.unsigned_abs());
    (fits && flags.try_reserve_exact(size).is_ok()).then(|| {
        flags.resize(size, false);
        flags
    })
}

/// The four functions of one kind of builder.
macro_rules! builder {
    (
        $type:ident { $word:ident }: $new:ident = $ctx_new:ident, $set:ident = $ctx_set:ident,
        $build:ident = $ctx_build:ident, $cancel:ident = $ctx_cancel:ident; $outside:literal, $missing:literal
    ) => {
        pub(super) unsafe extern "C" fn $new(ctx: *mut HPyContext, size: isize) -> $type {
            // SAFETY: as every function of the context.
            let make = |size| unsafe { (host().$ctx_new)(ctx, size) }.$word;
            $type { $word: Builder::start(size, make) }
        }

        pub(super) unsafe extern "C" fn $set(
            ctx: *mut HPyContext,
            builder: $type,
            index: isize,
            item: HPy,
        ) {
            // SAFETY: as above; a builder.
            unsafe {
                let builder = Builder::at(builder.$word);
                if builder.takes(index, item) {
                    (host().$ctx_set)(ctx, $type { $word: builder.host }, index, item);
                }
            }
        }

        pub(super) unsafe extern "C" fn $build(ctx: *mut HPyContext, builder: $type) -> HPy {
            // SAFETY: as above; the builder ends.
            unsafe {
                let builder = Builder::take(builder.$word);
                let theirs = $type { $word: builder.host };
                if builder.check(ctx, $outside, $missing) {
                    let made = (host().$ctx_build)(ctx, theirs);
                    // PyPy's builder is a handle, which its function for the end leaves open, so that what was built never goes.
                    (host().ctx_Close)(ctx, HPy { _i: builder.host });
                    return made;
                }
                if builder.set.is_some() {
                    (host().$ctx_cancel)(ctx, theirs);
                }
                HPy::NULL
            }
        }

        pub(super) unsafe extern "C" fn $cancel(ctx: *mut HPyContext, builder: $type) {
            // SAFETY: as above; the builder ends.
            unsafe {
                let builder = Builder::take(builder.$word);
                if builder.set.is_some() {
                    (host().$ctx_cancel)(ctx, $type { $word: builder.host });
                }
            }
        }
    };
}

builder! {
    HPyListBuilder { _lst }: new_list = ctx_ListBuilder_New, set_list = ctx_ListBuilder_Set,
    build_list = ctx_ListBuilder_Build, cancel_list = ctx_ListBuilder_Cancel;
    c"HPyListBuilder_Set: the index is outside of the list",
    c"HPyListBuilder_Build: an item was not set"
}

builder! {
    HPyTupleBuilder { _tup }: new_tuple = ctx_TupleBuilder_New, set_tuple = ctx_TupleBuilder_Set,
    build_tuple = ctx_TupleBuilder_Build, cancel_tuple = ctx_TupleBuilder_Cancel;
    c"HPyTupleBuilder_Set: the index is outside of the tuple",
    c"HPyTupleBuilder_Build: an item was not set"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_noted() {
        let item = HPy { _i: 1 };
        let address = Builder::start(2, |size| size * 10);
        // SAFETY: it was made just now, and ends below.
        let builder = unsafe { Builder::at(address) };
        assert_eq!(builder.host, 20);
        assert!(builder.takes(1, item) && !builder.takes(0, HPy::NULL) && !builder.outside);
        assert_eq!(builder.set.as_deref(), Some(&[false, true][..]));
        assert!(!builder.takes(2, item) && builder.outside);
        // SAFETY: as above.
        drop(unsafe { Builder::take(address) });
    }

    #[test]
    fn no_memory_has_so_many() {
        assert!(flags(isize::MAX / 16).is_none() && flags(isize::MAX).is_none());
        assert!(flags(-1).is_none());
    }
}
