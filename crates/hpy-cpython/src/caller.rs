//! The line of Python code that runs: noted so cheaply that it can be done for each handle, and looked up when it is shown.

use core::ffi::c_int;
use core::num::NonZeroU32;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::interpreter::interpreter_id;
use crate::layout::ffi::{Py_DECREF, PyCodeObject, PyGILState_Check};
use crate::layout::{line_number, running_place};

/// How many lines are noted. Their code is never freed; a program that makes code without end must not fill the memory with it.
const MOST: usize = 1 << 16;

/// A line of Python code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// Whose code it is.
    interpreter: i64,
    code: *mut PyCodeObject,
    /// The place in the code, from which the line is worked out when it is shown.
    place: c_int,
}

// SAFETY: the code object is never freed, and used only by who is attached to its interpreter.
unsafe impl Send for Line {}

impl Line {
    /// The code object, of the interpreter that asked for the line; valid for ever.
    pub fn code(&self) -> *mut PyCodeObject {
        self.code
    }

    /// The number of the line in its file.
    ///
    /// # Safety
    /// The interpreter is attached.
    pub unsafe fn number(&self) -> c_int {
        // SAFETY: the caller's promise; the code object is never freed.
        unsafe { line_number(self.code, self.place) }
    }
}

#[derive(Default)]
struct Lines {
    all: Vec<Line>,
    numbers: HashMap<Line, NonZeroU32>,
}

static LINES: Mutex<Option<Lines>> = Mutex::new(None);

/// Notes the line of Python code that this thread runs, if it runs any, for [`line`].
///
/// It runs no Python code, and waits for nobody, so locks may be held.
pub fn note_line() -> Option<NonZeroU32> {
    // SAFETY: it may be asked at any time; the code is a new reference.
    unsafe {
        if PyGILState_Check() == 0 {
            return None;
        }
        let (code, place) = running_place()?;
        let line = Line { interpreter: interpreter_id(), code, place };
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = lines.get_or_insert_default();
        let known = lines.numbers.get(&line).copied();
        if known.is_some() || lines.all.len() == MOST {
            // The frame keeps the code alive.
            Py_DECREF(line.code.cast());
            return known;
        }
        lines.all.push(line);
        let number = NonZeroU32::new(lines.all.len() as u32)?;
        lines.numbers.insert(line, number);
        Some(number)
    }
}

/// Looks up a line that was noted in this interpreter.
///
/// # Safety
/// The interpreter is attached.
pub unsafe fn line(number: NonZeroU32) -> Option<Line> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let line = lines.as_ref()?.all.get(number.get() as usize - 1).copied()?;
    // SAFETY: the caller's promise.
    (line.interpreter == unsafe { interpreter_id() }).then_some(line)
}
