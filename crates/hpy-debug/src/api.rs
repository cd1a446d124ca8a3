//! Calls of the API: what the wrappers do around the function of the wrapped context.

use core::ffi::c_int;
use core::sync::atomic::Ordering;

use hpy_abi::*;

use crate::call::{self, current};
use crate::findings::*;
use crate::handles::{Invalid, Owner};
use crate::report::{self, Finding, Verdict};
use crate::slots::{self, Slot};
use crate::state::state;
use crate::world::{Context, World};

/// A function of the context, as the description says.
pub(crate) struct Function {
    pub name: &'static str,
    /// Whether it may set an exception.
    pub raises: bool,
    /// Whether it may be called while one is set.
    pub with_exception: bool,
    pub handles: &'static [Handle],
}

/// A parameter that is a handle.
pub(crate) struct Handle {
    pub name: &'static str,
    /// Its number among all parameters, from 1; 0 if it is the only one.
    pub number: u8,
    pub null: bool,
    /// What it must be where the function itself does not look.
    pub must_be: Option<MustBe>,
}

/// A type that a function relies on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MustBe {
    Type,
    Str,
    Bytes,
    Tuple,
}

impl MustBe {
    fn name(self) -> &'static str {
        match self {
            Self::Type => "a type",
            Self::Str => "a Unicode object",
            Self::Bytes => "a bytes object",
            Self::Tuple => "a tuple",
        }
    }

    unsafe fn holds(self, inner: *mut HPyContext, h: HPy) -> bool {
        // SAFETY: an open handle of the wrapped context.
        unsafe {
            let api = &*inner;
            0 != match self {
                Self::Type => (api.ctx_TypeCheck)(inner, h, api.h_TypeType),
                Self::Str => (api.ctx_Unicode_Check)(inner, h),
                Self::Bytes => (api.ctx_Bytes_Check)(inner, h),
                Self::Tuple => (api.ctx_Tuple_Check)(inner, h),
            }
        }
    }
}

/// A call of the API that runs.
#[derive(Clone, Copy)]
pub(crate) struct Api {
    context: &'static Context,
    function: &'static Function,
}

impl Api {
    /// Begins a call of a function that must be made with the context of the running call.
    ///
    /// # Safety
    /// The context was made by this crate.
    #[inline(always)]
    pub unsafe fn begin(ctx: *mut HPyContext, function: &'static Function) -> Self {
        // SAFETY: the caller's promise; contexts are never freed.
        let context = unsafe { &*ctx.cast_const().cast::<Context>() };
        if !context.is_active() {
            wrong_context(context, function);
        }
        if !context.is_attached() {
            not_attached(context, function);
        }
        let api = Self { context, function };
        if context.failed.get().is_some() && !function.with_exception {
            api.look_for_exception();
        }
        api
    }

    /// Begins a call of a function that may be called anywhere.
    ///
    /// # Safety
    /// The context was made by this crate.
    pub unsafe fn anywhere(ctx: *mut HPyContext, function: &'static Function) -> Self {
        // SAFETY: the caller's promise; contexts are never freed.
        Self { context: unsafe { &*ctx.cast_const().cast() }, function }
    }

    /// The function that is called.
    pub fn function(&self) -> &'static Function {
        self.function
    }

    pub fn world(&self) -> &'static World {
        self.context.world
    }

    /// The wrapped context.
    #[inline(always)]
    pub fn inner(&self) -> *mut HPyContext {
        self.context.inner
    }

    /// The context of the call.
    pub fn context(&self) -> &'static Context {
        self.context
    }

    /// The wrapped handles; none if one is such that the function must fail.
    #[inline(always)]
    pub fn handles<const N: usize>(&self, handles: [HPy; N]) -> Option<[HPy; N]> {
        let mut wrapped = [HPy::NULL; N];
        for at in 0..N {
            match slots::open(handles[at]) {
                Some(slot) if slot.is_of(self.context.world) => wrapped[at] = slot.inner(),
                _ => return self.look_closely(handles),
            }
        }
        Some(wrapped)
    }

    /// The wrapped handles where at least one is null, or not as it should be.
    #[inline(never)]
    fn look_closely<const N: usize>(self, handles: [HPy; N]) -> Option<[HPy; N]> {
        let mut wrapped = [HPy::NULL; N];
        for at in 0..N {
            wrapped[at] = self.one(handles[at], &self.function.handles[at])?;
        }
        Some(wrapped)
    }

    /// The wrapped handle of one; `None` if the function must fail.
    pub fn one(&self, h: HPy, parameter: &Handle) -> Option<HPy> {
        if let Some(slot) = slots::open(h) {
            let is_found = !slot.is_of(self.world())
                && self.find(&FOREIGN_HANDLE, parameter, h, report::ANOTHER_MODULE)
                    == Verdict::Fail;
            return if is_found { self.failed(&FOREIGN_HANDLE) } else { Some(slot.inner()) };
        }
        if h.is_null() {
            return if parameter.null {
                Some(h)
            } else {
                self.fail(&NULL_HANDLE, parameter, h, "")
            };
        }
        let invalid = state().handles.diagnose(h);
        match invalid {
            Invalid::Closed(index) => {
                let verdict = self.find(&USE_AFTER_CLOSE, parameter, h, report::CLOSED);
                if verdict == Verdict::Fail || !self.world().host().finds_closed() {
                    return self.failed(&USE_AFTER_CLOSE);
                }
                // Who set a hook wants to see what comes of it, as with HPy 0.9.
                state().handles.slot(index).map(Slot::inner)
            }
            Invalid::Reused => self.fail(&USE_AFTER_CLOSE, parameter, h, report::CLOSED),
            Invalid::Unknown => self.fail(&NOT_A_HANDLE, parameter, h, ""),
        }
    }

    /// Whether the argument number `at` of the handles is what the function relies on.
    pub fn is_what_it_must_be(&self, at: usize, h: HPy, wrapped: HPy) -> bool {
        let parameter = &self.function.handles[at];
        let Some(must_be) = parameter.must_be else { return true };
        // SAFETY: the handle is open.
        if wrapped.is_null() || unsafe { must_be.holds(self.inner(), wrapped) } {
            return true;
        }
        let number =
            if parameter.number == 0 { String::new() } else { format!(" {}", parameter.number) };
        let detail = format!("{} arg{number} must be {}", self.function.name, must_be.name());
        self.fail(&WRONG_TYPE, parameter, h, &detail).is_some()
    }

    /// Reports a finding about an argument after which the function must fail.
    fn fail(&self, class: &'static Class, parameter: &Handle, h: HPy, detail: &str) -> Option<HPy> {
        self.find(class, parameter, h, detail);
        self.failed(class)
    }

    pub fn failed(&self, class: &'static Class) -> Option<HPy> {
        // SAFETY: a function of the API is running, so the interpreter is attached.
        unsafe { report::raise(self.inner(), class) };
        None
    }

    /// Reports a finding about an argument.
    #[cold]
    pub fn find(&self, class: &'static Class, parameter: &Handle, h: HPy, detail: &str) -> Verdict {
        let place = match parameter.number {
            0 => format!("{}, argument '{}'", self.function.name, parameter.name),
            number => {
                format!("{}, argument {number} '{}'", self.function.name, parameter.name)
            }
        };
        report::report(self.world(), Finding::of_handle(class, place, detail, h))
    }

    /// Reports a finding that is about no handle.
    #[cold]
    pub fn find_other(&self, class: &'static Class, argument: &str, detail: &str) -> Verdict {
        let place = format!("{}, argument '{argument}'", self.function.name);
        report::report(self.world(), Finding::new(class, place, detail))
    }

    /// The call that this thread is in, after Python code ran.
    #[inline(always)]
    pub fn came_back(&self) {
        self.context.come_back();
    }

    /// Remembers that the function has failed, as far as its result tells: then an exception is set.
    #[cold]
    pub fn has_failed(&self) {
        if self.function.raises && !self.context.excepted.get() {
            self.context.failed.set(Some(self.function));
        }
    }

    /// The same for a result that is negative after a failure.
    pub fn status(&self, result: c_int) -> c_int {
        if result < 0 {
            self.has_failed();
        }
        result
    }

    /// The same for a result that is null after a failure.
    pub fn pointer<T>(&self, result: *const T) -> *const T {
        if result.is_null() {
            self.has_failed();
        }
        result
    }

    /// Reports that an exception is set, which the function must not be called with. Once in a call: the rest follows from it.
    #[cold]
    fn look_for_exception(&self) {
        let Some(failed) = self.context.failed.take() else { return };
        let inner = self.inner();
        // SAFETY: a function of the API is running, so the interpreter is attached.
        unsafe {
            if ((*inner).ctx_Err_Occurred)(inner) == 0 {
                return;
            }
            let detail = format!("{} has set it", failed.name);
            let finding = Finding::new(&EXCEPTION_SET, self.function.name.to_owned(), &detail);
            if report::report(self.world(), finding) == Verdict::Fail {
                ((*inner).ctx_Err_Clear)(inner);
                report::raise(inner, &EXCEPTION_SET);
            }
        }
    }

    /// A handle for what the wrapped context gave; null stays null.
    #[inline(always)]
    pub fn new_handle(&self, h: HPy) -> HPy {
        if h.is_null() {
            self.has_failed();
            return h;
        }
        state().handles.open(self.context.target.get(), h, Owner::Extension)
    }
}

/// A function is called while the thread is not attached as it was when the call began. That is fatal.
#[cold]
fn not_attached(context: &Context, function: &'static Function) -> ! {
    let (class, detail) = if context.world.host().is_attached() && context.world.is_elsewhere() {
        (&CONTEXT_INTERPRETER, "the thread has gone over to another interpreter")
    } else {
        (&NOT_ATTACHED, "the thread has no thread state, or another than when the call began")
    };
    let finding = Finding::new(class, function.name.to_owned(), detail);
    report::fatal(context.world, &finding)
}

/// A function is called with a context that is not that of the running call. That is fatal.
#[cold]
fn wrong_context(context: &Context, function: &'static Function) -> ! {
    let host = context.world.host();
    let (class, detail) = if host.is_attached() && context.world.is_elsewhere() {
        (&CONTEXT_INTERPRETER, "Error: Wrong HPy Context! Another interpreter runs".to_owned())
    } else if let Some(kind) = call::restricted() {
        (&CONTEXT_RESTRICTED, format!("Error: Wrong HPy Context! This is {kind}"))
    } else if context.left.load(Ordering::Relaxed) && current().is_null() {
        (&CONTEXT_LEFT, "Error: Wrong HPy Context! Python has been left".to_owned())
    } else if !context.is_busy() {
        (&CONTEXT_STALE, "Error: Wrong HPy Context! Its call has returned".to_owned())
    } else if current().is_null() || !context.is_here() {
        (&CONTEXT_THREAD, "Error: Wrong HPy Context! It belongs to another thread".to_owned())
    } else {
        (&CONTEXT_NESTED, "Error: Wrong HPy Context! Its call waits for this one".to_owned())
    };
    let finding = Finding::new(class, function.name.to_owned(), &detail);
    report::fatal(context.world, &finding)
}
