//! What is called around each call of the API, for people who want to watch.

use std::sync::{Mutex, PoisonError};

use crate::generated::FUNCTION_TABLE;
use crate::level::{self, HOOKS};
use crate::thread::Thread;

/// Before or after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before.
    Enter,
    /// After.
    Exit,
}

/// Gets the name of the context's member, `ctx_Add`. It may be called while the interpreter is not attached.
pub type Hook = fn(Moment, &'static str);

static HOOK: Mutex<Option<Hook>> = Mutex::new(None);

/// Sets what is called around each call of the API, or that nothing is.
pub fn set_hook(hook: Option<Hook>) {
    *HOOK.lock().unwrap_or_else(PoisonError::into_inner) = hook;
    level::set(HOOKS, hook.is_some());
}

/// Calls the hook, unless this thread is in it: what it calls itself is not shown to it.
#[cold]
pub(crate) fn call(thread: &Thread, moment: Moment, function: usize) {
    let hook = *HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(hook) = hook
        && !thread.in_hook.replace(true)
    {
        hook(moment, FUNCTION_TABLE[function].member);
        thread.in_hook.set(false);
    }
}
