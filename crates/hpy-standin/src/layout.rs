//! The layout of the host's context.
//!
//! PyPy 7.3.17 to 7.3.19 have `h_DictType` in front of `ctx_Capsule_New`, where the ABI has it behind `ctx_CallMethod`. So what
//! stands between them is one word late, and an extension that calls any of it ends the process. The words are moved where
//! they belong, once, in the host's own context: every extension gets that one.
//!
//! Nothing is touched unless each word is what it would be in one of these two layouts, and afterwards the functions that
//! moved are asked something whose answer is known.

use core::ffi::c_void;
use core::mem::offset_of;
use core::slice;

use hpy_abi::{HPy, HPyContext};

use crate::python::Python;

const WORD: usize = size_of::<usize>();
/// The member before which PyPy has the one that does not belong there.
const FIRST: usize = offset_of!(HPyContext, ctx_Capsule_New) / WORD;
/// Where the one that does not belong there would be.
const LAST: usize = offset_of!(HPyContext, h_DictType) / WORD;
/// The handles in front of the first.
const HANDLES: core::ops::Range<usize> = offset_of!(HPyContext, h_ComplexType) / WORD..FIRST;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// That of the ABI.
    Right,
    /// That of PyPy 7.3.19, which was put right.
    Repaired,
    /// That of PyPy 7.3.19, and it was not to be put right.
    Shifted,
    /// None that is known.
    Unknown,
}

impl Layout {
    /// Its name, for Python.
    pub fn name(self) -> &'static core::ffi::CStr {
        match self {
            Self::Right => c"right",
            Self::Repaired => c"repaired",
            Self::Shifted => c"shifted",
            Self::Unknown => c"unknown",
        }
    }
}

/// `layout(repair)`: the name of what the layout of the host's context is.
pub(crate) fn layout(py: Python, args: &[HPy]) -> HPy {
    let &[repair] = args else { return py.type_error(c"layout(repair)") };
    // SAFETY: the context is the host's own, as it is in every call of this module.
    py.c_str(unsafe { examine(py.context(), py.is_true(repair)) }.name())
}

/// Finds out which layout the context has, and puts it right if that is `wanted` and it is PyPy 7.3.19's.
///
/// # Safety
/// The context is the host's, and the interpreter is attached, so that nobody else uses the context meanwhile.
unsafe fn examine(ctx: *mut HPyContext, wanted: bool) -> Layout {
    // SAFETY: each layout has a word there; nothing behind it is looked at.
    let words = unsafe { slice::from_raw_parts_mut(ctx.cast::<usize>(), LAST + 1) };
    match recognise(words, is_code) {
        Layout::Shifted if wanted => {
            words[FIRST..=LAST].rotate_left(1);
            // SAFETY: the functions are where the ABI has them.
            if recognise(&words[..LAST], is_code) == Layout::Right && unsafe { answers(ctx) } {
                return Layout::Repaired;
            }
            words[FIRST..=LAST].rotate_right(1);
            Layout::Unknown
        }
        layout => layout,
    }
}

/// The layout, as far as what the words are tells: addresses of code, or else handles.
fn recognise(words: &[usize], is_code: impl Fn(usize) -> bool) -> Layout {
    let handles = words[HANDLES].iter().all(|&word| word != 0 && !is_code(word));
    let functions = |words: &[usize]| words.iter().all(|&word| is_code(word));
    if !handles {
        Layout::Unknown
    } else if functions(&words[FIRST..LAST]) {
        Layout::Right
    } else if words.len() > LAST
        && words[FIRST] != 0
        && !is_code(words[FIRST])
        && functions(&words[FIRST + 1..=LAST])
    {
        Layout::Shifted
    } else {
        Layout::Unknown
    }
}

/// Whether there is code of a library at this address.
fn is_code(address: usize) -> bool {
    #[cfg(unix)]
    {
        // SAFETY: all zeros is a value of the structure, which the function fills in.
        let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
        // SAFETY: any address may be asked for.
        unsafe { libc::dladdr(address as *const c_void, &raw mut info) != 0 }
    }
    #[cfg(not(unix))]
    {
        let smallest_address = 1 << 16;
        address as *const c_void >= smallest_address as *const c_void
    }
}

/// Whether functions that were moved do what their places say.
///
/// # Safety
/// The context has the layout of the ABI.
unsafe fn answers(ctx: *mut HPyContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let api = &*ctx;
        let (bool, int) = (api.h_BoolType, api.h_LongType);
        let name = (api.ctx_Type_GetName)(ctx, int);
        let dict = (api.ctx_Dict_New)(ctx);
        let keys = if dict.is_null() { HPy::NULL } else { (api.ctx_Dict_Keys)(ctx, dict) };
        let is_list = !keys.is_null() && (api.ctx_List_Check)(ctx, keys) != 0;
        (api.ctx_Close)(ctx, keys);
        (api.ctx_Close)(ctx, dict);
        (api.ctx_Type_IsSubtype)(ctx, bool, int) == 1
            && (api.ctx_Type_IsSubtype)(ctx, int, bool) == 0
            && !name.is_null()
            && core::ffi::CStr::from_ptr(name) == c"int"
            && is_list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDLE: usize = 7;
    const CODE: usize = 1 << 40;

    fn context(handle_at: usize, length: usize) -> Vec<usize> {
        let mut words = vec![CODE; length];
        words[HANDLES].fill(HANDLE);
        if handle_at < length {
            words[handle_at] = HANDLE;
        }
        words
    }

    fn recognised(words: &[usize]) -> Layout {
        recognise(words, |word| word == CODE)
    }

    #[test]
    fn layouts_are_told_apart() {
        assert_eq!(recognised(&context(LAST, LAST + 1)), Layout::Right);
        assert_eq!(recognised(&context(usize::MAX, LAST)), Layout::Right);
        assert_eq!(recognised(&context(FIRST, LAST + 1)), Layout::Shifted);
        assert_eq!(recognised(&context(FIRST + 1, LAST + 1)), Layout::Unknown);
        assert_eq!(recognised(&vec![CODE; LAST + 1]), Layout::Unknown);
        assert_eq!(recognised(&vec![0; LAST + 1]), Layout::Unknown);
    }

    #[test]
    fn a_shifted_context_becomes_the_right_one() {
        let mut words = context(FIRST, LAST + 1);
        words[FIRST..=LAST].rotate_left(1);
        assert_eq!(words, context(LAST, LAST + 1));
    }
}
