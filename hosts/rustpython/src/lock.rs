//! The lock that extensions assume, and what a thread knows while it runs one.
//!
//! RustPython has no interpreter lock; C code counts on one: one thread at a time runs code of extensions. A thread takes the lock when
//! Python calls into C, lets go of it wherever C calls what may run Python, and while it has left Python. So a thread that
//! waits for another in Python code does not hold it. Who waits for the lock is detached from the interpreter, or a garbage
//! collection would wait for that thread.
//!
//! The unsafe code is sound because a thread's state is its own, and the address of the interpreter's state of this thread is kept
//! no longer than the call that it came with.

use core::cell::Cell;
use core::ptr;

use parking_lot::{Mutex, MutexGuard};
use rustpython_vm::Py;
use rustpython_vm::VirtualMachine;
use rustpython_vm::builtins::PyBaseException;

static LOCK: Mutex<()> = Mutex::new(());

/// What a thread knows while it runs extensions.
pub(crate) struct Thread {
    /// The interpreter's state of this thread; null where no extension was called.
    vm: Cell<*const VirtualMachine>,
    /// Whether the thread holds the lock.
    holds: Cell<bool>,
    /// The exception that C code has set; the thread owns the reference.
    pub(crate) pending: Cell<*const Py<PyBaseException>>,
}

thread_local! {
    static THREAD: Thread = const {
        Thread { vm: Cell::new(ptr::null()), holds: Cell::new(false), pending: Cell::new(ptr::null()) }
    };
}

/// Shows the state of this thread.
#[inline(always)]
pub(crate) fn thread<R>(use_: impl FnOnce(&Thread) -> R) -> R {
    THREAD.with(use_)
}

/// Whether this thread may use the API.
pub(crate) fn is_held() -> bool {
    thread(|thread| thread.holds.get())
}

/// Calls code of an extension: with the lock, and with no exception set.
#[inline]
pub(crate) fn enter<R>(vm: &VirtualMachine, extension: impl FnOnce() -> R) -> R {
    thread(|thread| {
        let outer = thread.vm.replace(vm);
        let outer_pending = thread.pending.replace(ptr::null());
        // A destructor that runs while C closes a handle enters again.
        let nested = thread.holds.get();
        if !nested {
            take(vm);
            thread.holds.set(true);
        }
        let result = extension();
        if !nested {
            thread.holds.set(false);
            give();
        }
        thread.pending.set(outer_pending);
        thread.vm.set(outer);
        result
    })
}

/// Calls what may run Python, on behalf of C: without the lock.
#[inline]
pub(crate) fn outside<R>(python: impl FnOnce(&VirtualMachine) -> R) -> R {
    thread(|thread| {
        let vm = current(thread);
        let held = thread.holds.replace(false);
        if held {
            give();
        }
        let result = python(vm);
        if held {
            take(vm);
            thread.holds.set(true);
        }
        result
    })
}

/// Calls what runs no Python, on behalf of C.
#[inline(always)]
pub(crate) fn inside<R>(action: impl FnOnce(&VirtualMachine) -> R) -> R {
    thread(|thread| action(current(thread)))
}

#[inline(always)]
fn current(thread: &Thread) -> &VirtualMachine {
    // SAFETY: `enter` keeps the address only while the interpreter's call, which lends it, goes on.
    match unsafe { thread.vm.get().as_ref() } {
        Some(vm) => vm,
        None => no_call(),
    }
}

#[cold]
fn no_call() -> ! {
    crate::error::fatal(
        "an extension called the HPy API from a thread that Python did not call it in",
    )
}

#[inline(always)]
fn take(vm: &VirtualMachine) {
    match LOCK.try_lock() {
        Some(guard) => MutexGuard::leak(guard),
        None => vm.allow_threads(|| MutexGuard::leak(LOCK.lock())),
    };
}

#[inline(always)]
fn give() {
    // SAFETY: the caller is the thread that took it, and `take` leaked the guard.
    unsafe { LOCK.force_unlock() };
}

/// Lets go of the lock until [`retake`].
pub(crate) fn release() {
    thread(|thread| {
        if thread.holds.replace(false) {
            give();
        }
    });
}

/// Takes the lock again; the thread is attached.
pub(crate) fn retake() {
    thread(|thread| {
        if !thread.holds.get() {
            take(current(thread));
            thread.holds.set(true);
        }
    });
}
