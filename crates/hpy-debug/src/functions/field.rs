//! Fields: storing and loading them, and the entry of the traverse functions that show them.

use core::ffi::{c_int, c_void};

use hpy_abi::{HPy, HPyContext, HPyField, HPyFunc_traverseproc, HPyFunc_visitproc};
use hpy_host::Fields;

use crate::api::Api;
use crate::call::Restricted;
use crate::fields::{self, Seen};
use crate::findings::{FIELD_COPIED, FIELD_OF_ANOTHER, FIELD_UNVISITED};
use crate::generated::info;
use crate::report::Verdict;
use crate::state::state;
use crate::trace::Trace;
use crate::types::Layout;
use crate::world::Target;

/// `HPyField_Store`
pub(crate) unsafe extern "C" fn ctx_Field_Store(
    ctx: *mut HPyContext,
    target_object: HPy,
    target_field: *mut HPyField,
    h: HPy,
) {
    // SAFETY: the extension calls with a context of this crate, and a field of its own.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Field_Store);
        let Some([owner, value]) = api.handles([target_object, h]) else { return };
        let mut layout = Layout::of(api.world(), owner);
        let before = Seen { address: target_field as usize, value: (*target_field)._i };
        if !may_store(&api, target_object, &mut layout, before) {
            return;
        }
        let inner = api.inner();
        // What was there is released last: that can run code which frees the field.
        let old = match before.value {
            0 => HPy::NULL,
            _ => ((*inner).ctx_Field_Load)(inner, owner, *target_field),
        };
        ((*inner).ctx_Field_Store)(inner, owner, target_field, value);
        stored(&api, owner, layout, before.value, target_field);
        if !old.is_null() {
            ((*inner).ctx_Close)(inner, old);
        }
        api.came_back();
    }
}

/// Whether the object may keep something in the field; if not, an exception is set. The layout gets the true owner.
fn may_store(api: &Api, h: HPy, layout: &mut Layout, field: Seen) -> bool {
    let (class, detail) = match layout.fields {
        Fields::None => (&FIELD_UNVISITED, "no type of the object has HPy_tp_traverse"),
        Fields::Members if layout.complete && !state().types.has_member(layout, field.address) => (
            &FIELD_UNVISITED,
            "the type has no HPy_tp_traverse, and the field is no member that Python sees",
        ),
        Fields::Traverse if layout.is_checkable() => {
            match state().fields.true_owner(layout, field) {
                Some(owner) if owner != layout.start => {
                    layout.start = owner;
                    (&FIELD_OF_ANOTHER, "the field is part of another object")
                }
                _ => return true,
            }
        }
        _ => return true,
    };
    let verdict = api.find(class, &info::ctx_Field_Store.handles[0], h, detail);
    verdict == Verdict::GoOn || api.failed(class).is_some()
}

/// Remembers what is in a field now, and lets its owner be looked at later.
unsafe fn stored(api: &Api, owner: HPy, layout: Layout, before: isize, field: *mut HPyField) {
    if !layout.is_checkable() {
        return;
    }
    // SAFETY: the field was just stored.
    let seen = unsafe { Seen { address: field as usize, value: (*field)._i } };
    let worth = {
        let fields = &mut state().fields;
        fields.store(layout.start, before, seen);
        seen.value != 0 && fields.is_worth(&layout, seen.address)
    };
    if worth {
        fields::touch(api.world(), owner, layout, Some((seen.address, Trace::now())));
    }
}

/// `HPyField_Load`
pub(crate) unsafe extern "C" fn ctx_Field_Load(
    ctx: *mut HPyContext,
    source_object: HPy,
    source_field: HPyField,
) -> HPy {
    // SAFETY: the extension calls with a context of this crate, and what was in a field of its own.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Field_Load);
        let Some([owner]) = api.handles([source_object]) else { return HPy::NULL };
        if !source_field.is_null() && !may_load(&api, source_object, owner, source_field) {
            return HPy::NULL;
        }
        let inner = api.inner();
        let result = ((*inner).ctx_Field_Load)(inner, owner, source_field);
        api.new_handle(result)
    }
}

/// Whether the value can be that of a field of the object; if not, an exception is set.
unsafe fn may_load(api: &Api, h: HPy, owner: HPy, field: HPyField) -> bool {
    // SAFETY: the handle is open.
    let layout = unsafe { Layout::of(api.world(), owner) };
    if !layout.is_checkable() {
        return true;
    }
    let (class, detail) = {
        let state = state();
        if state.fields.may_hold(&layout, field._i) || state.types.have_members(&layout) {
            return true;
        }
        match state.fields.is_held(field._i) {
            true => (&FIELD_OF_ANOTHER, "the field is part of another object"),
            false => (&FIELD_COPIED, "the field holds what was not stored in it, or not any more"),
        }
    };
    api.find(class, &info::ctx_Field_Load.handles[0], h, detail) == Verdict::GoOn
        || api.failed(class).is_some()
}

/// Enters a traverse function.
pub(crate) unsafe extern "C" fn enter_traverseproc(
    target: &'static Target,
    object: *mut c_void,
    visit: HPyFunc_visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the host calls with what the signature says; the target's function has it.
    unsafe {
        let function = target.function::<HPyFunc_traverseproc>();
        let run = |visit: HPyFunc_visitproc, arg: *mut c_void| {
            let _restricted = Restricted::enter("a traverse function, which gets none");
            function(object, visit, arg)
        };
        if target.world.host().empties(visit) {
            let show = |visit: HPyFunc_visitproc, arg: *mut c_void| {
                run(visit, arg);
            };
            fields::empties(target.world, object as usize, target.address(), show);
        }
        run(visit, arg)
    }
}
