//! Buffer procedures: the structure that they fill has a handle in it. And what becomes of the buffers.

use core::ffi::c_int;
use std::collections::{HashMap, HashSet};

use hpy_abi::{
    HPy, HPy_bf_getbuffer, HPy_bf_releasebuffer, HPy_buffer, HPyContext, HPySlot, HPySlot_Slot,
    HPyType_Spec,
};
use hpy_host::{Definition, definitions};

use crate::call::Call;
use crate::resources::Thing;
use crate::state::{State, state};
use crate::world::Target;

/// A buffer that was exported and not released.
pub(crate) struct Export {
    /// The exporter, as the wrapped context names it.
    exporter: HPy,
}

/// What is known of the buffers of the process.
#[derive(Default)]
pub(crate) struct Buffers {
    /// The functions that export, of types that have one which releases. Of others nobody hears when a buffer is released.
    released: HashSet<usize>,
    /// The exports by the address of their structure.
    exports: HashMap<usize, isize>,
}

/// Notes whether buffers of a type are released through us.
///
/// # Safety
/// Null, or a specification as an extension has it.
pub(crate) unsafe fn note_type(spec: *const HPyType_Spec) {
    // SAFETY: the caller's promise: its definitions are static and end with null.
    let Some(spec) = (unsafe { spec.as_ref() }) else { return };
    let function = |wanted: HPySlot_Slot| {
        // SAFETY: as above.
        let mut slots =
            unsafe { definitions(spec.defines) }.filter_map(|definition| match definition {
                Definition::Slot(&HPySlot { slot, impl_, .. }) if slot == wanted => impl_,
                _ => None,
            });
        slots.next()
    };
    if let (Some(get), Some(_)) = (function(HPy_bf_getbuffer), function(HPy_bf_releasebuffer)) {
        state().buffers().released.insert(get as usize);
    }
}

/// Enters a function of the signature `HPyFunc_GETBUFFERPROC`.
///
/// The buffer takes over the handle of the exporter.
pub(crate) unsafe extern "C" fn enter_getbufferproc(
    target: &'static Target,
    self_: HPy,
    view: *mut HPy_buffer,
    flags: c_int,
) -> c_int {
    type Function =
        unsafe extern "C" fn(*mut HPyContext, HPy, view: *mut HPy_buffer, flags: c_int) -> c_int;
    // SAFETY: the host calls with what the signature says; the target's function has it.
    unsafe {
        let (call, handles) = Call::enter::<false, _>(target, [self_]);
        let function = target.function::<Function>();
        let result = function(call.context(), handles[0], view, flags);
        if let Some(view) = view.as_mut() {
            view.obj = if result == 0 { call.take_over(view.obj) } else { HPy::NULL };
            if result == 0 && !view.obj.is_null() {
                state().exported(target, view);
            }
        }
        call.leave_with_number::<false>(result < 0);
        result
    }
}

/// Enters a function of the signature `HPyFunc_RELEASEBUFFERPROC`.
///
/// The handle of the exporter stays the buffer's.
pub(crate) unsafe extern "C" fn enter_releasebufferproc(
    target: &'static Target,
    self_: HPy,
    view: *mut HPy_buffer,
) {
    // SAFETY: the host calls with what the signature says; the target's function has it.
    unsafe {
        let exporter = view.as_ref().map_or(HPy::NULL, |view| view.obj);
        let (call, handles) = Call::enter::<true, _>(target, [self_, exporter]);
        if let Some(view) = view.as_mut() {
            state().released(view);
            view.obj = handles[1];
        }
        call.allow_an_exception();
        let function =
            target.function::<unsafe extern "C" fn(*mut HPyContext, HPy, view: *mut HPy_buffer)>();
        function(call.context(), handles[0], view);
        if let Some(view) = view.as_mut() {
            view.obj = exporter;
        }
        call.leave();
    }
}

impl State {
    fn buffers(&mut self) -> &mut Buffers {
        self.buffers.get_or_insert_default()
    }

    /// Remembers a buffer, if its release is going to be seen.
    fn exported(&mut self, target: &Target, view: &HPy_buffer) {
        if self.buffers().released.contains(&target.address()) {
            let number = self.keep(Thing::Buffer(Export { exporter: view.obj }));
            self.buffers().exports.insert(core::ptr::from_ref(view) as usize, number);
        }
    }

    /// Forgets a buffer. The structure may be a copy of the one that was filled: then it is any buffer of the same object.
    fn released(&mut self, view: &HPy_buffer) {
        let address = core::ptr::from_ref(view) as usize;
        let Self { resources, buffers, .. } = self;
        let exports = &mut buffers.get_or_insert_default().exports;
        let mut is_of = |number: isize| matches!(resources.get(number), Some(Thing::Buffer(export)) if export.exporter == view.obj);
        let here = exports.get(&address).copied().filter(|&number| is_of(number)).map(|_| address);
        let key = here.or_else(|| {
            exports.iter().find(|&(_, &number)| is_of(number)).map(|(&address, _)| address)
        });
        if let Some(number) = key.and_then(|key| exports.remove(&key)) {
            resources.remove(number);
        }
    }
}
