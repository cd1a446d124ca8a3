//! Builders. The extension's number stands for a builder of the wrapped context.

use hpy_abi::*;

use crate::api::Api;
use crate::findings::{BUILDER_ENDED, BUILDER_INDEX, BUILDER_ITEM_MISSING};
use crate::generated::info;
use crate::resources::Thing;
use crate::state::state;

/// A builder that has not ended.
pub(crate) struct Builder {
    wrapped: Wrapped,
    /// Which items are set.
    set: Vec<bool>,
}

/// The builder of the wrapped context.
enum Wrapped {
    List(HPyListBuilder),
    Tuple(HPyTupleBuilder),
}

/// The functions of one kind of builder.
macro_rules! builder {
    ($kind:ident, $type:ident, $field:ident: $new:ident, $set:ident, $build:ident, $cancel:ident) => {
        #[doc = concat!("`HPy", stringify!($kind), "Builder_New`")]
        pub(crate) unsafe extern "C" fn $new(ctx: *mut HPyContext, size: isize) -> $type {
            // SAFETY: the extension calls with a context of this crate.
            unsafe {
                let api = Api::begin(ctx, &info::$new);
                let inner = api.inner();
                let wrapped = ((*inner).$new)(inner, size);
                if wrapped.is_null() {
                    return wrapped;
                }
                let set = vec![false; size.max(0).unsigned_abs()];
                let builder = Builder { wrapped: Wrapped::$kind(wrapped), set };
                $type { $field: state().keep(Thing::Builder(builder)) }
            }
        }

        #[doc = concat!("`HPy", stringify!($kind), "Builder_Set`")]
        pub(crate) unsafe extern "C" fn $set(
            ctx: *mut HPyContext,
            builder: $type,
            index: isize,
            h_item: HPy,
        ) {
            // SAFETY: the extension calls with a context of this crate; the builder has not ended.
            unsafe {
                let api = Api::begin(ctx, &info::$set);
                let Some([item]) = api.handles([h_item]) else { return };
                let found = match state().resources.get(builder.$field) {
                    Some(Thing::Builder(Builder { wrapped: Wrapped::$kind(wrapped), set })) => {
                        Some((*wrapped, mark(set, index)))
                    }
                    _ => None,
                };
                match found {
                    Some((wrapped, marked)) => {
                        if let Err(size) = marked {
                            outside(&api, index, size);
                        }
                        let inner = api.inner();
                        ((*inner).$set)(inner, wrapped, index, item);
                        api.came_back();
                    }
                    None => drop(none(&api, builder.$field, $type::NULL)),
                }
            }
        }

        #[doc = concat!("`HPy", stringify!($kind), "Builder_Build`")]
        pub(crate) unsafe extern "C" fn $build(ctx: *mut HPyContext, builder: $type) -> HPy {
            // SAFETY: the extension calls with a context of this crate; the builder ends here.
            unsafe {
                let api = Api::begin(ctx, &info::$build);
                let inner = api.inner();
                let found = match take(builder.$field, |b| matches!(b, Wrapped::$kind(_))) {
                    Some(Builder { wrapped: Wrapped::$kind(wrapped), set }) => {
                        look_for_missing_items(&api, &set);
                        Some(wrapped)
                    }
                    _ => none(&api, builder.$field, $type::NULL),
                };
                let Some(wrapped) = found else {
                    ((*inner).ctx_Err_NoMemory)(inner);
                    api.has_failed();
                    return HPy::NULL;
                };
                let result = ((*inner).$build)(inner, wrapped);
                api.came_back();
                api.new_handle(result)
            }
        }

        #[doc = concat!("`HPy", stringify!($kind), "Builder_Cancel`")]
        pub(crate) unsafe extern "C" fn $cancel(ctx: *mut HPyContext, builder: $type) {
            // SAFETY: the extension calls with a context of this crate; the builder ends here.
            unsafe {
                let api = Api::begin(ctx, &info::$cancel);
                let found = match take(builder.$field, |b| matches!(b, Wrapped::$kind(_))) {
                    Some(Builder { wrapped: Wrapped::$kind(wrapped), .. }) => Some(wrapped),
                    _ => none(&api, builder.$field, $type::NULL),
                };
                if let Some(wrapped) = found {
                    let inner = api.inner();
                    ((*inner).$cancel)(inner, wrapped);
                    api.came_back();
                }
            }
        }
    };
}

builder!(List, HPyListBuilder, _lst:
    ctx_ListBuilder_New, ctx_ListBuilder_Set, ctx_ListBuilder_Build, ctx_ListBuilder_Cancel);
builder!(Tuple, HPyTupleBuilder, _tup:
    ctx_TupleBuilder_New, ctx_TupleBuilder_Set, ctx_TupleBuilder_Build, ctx_TupleBuilder_Cancel);

/// Ends a builder of the right kind.
fn take(number: isize, right: impl FnOnce(&Wrapped) -> bool) -> Option<Builder> {
    let resources = &mut state().resources;
    match resources.get(number) {
        Some(Thing::Builder(builder)) if right(&builder.wrapped) => {}
        _ => return None,
    }
    match resources.remove(number) {
        Some(Thing::Builder(builder)) => Some(builder),
        _ => None,
    }
}

/// What to use for a number that stands for no builder: null is one for which there was no memory, others are found.
fn none<T>(api: &Api, number: isize, null: T) -> Option<T> {
    if number == 0 {
        return Some(null);
    }
    api.find_other(&BUILDER_ENDED, "builder", "");
    None
}

/// Marks an item as set; the size, if there is no such item.
fn mark(set: &mut [bool], index: isize) -> Result<(), usize> {
    let size = set.len();
    *usize::try_from(index).ok().and_then(|at| set.get_mut(at)).ok_or(size)? = true;
    Ok(())
}

/// Reports an index for which there is no item. `…_Build` fails then.
#[cold]
fn outside(api: &Api, index: isize, size: usize) {
    let detail = format!("the index is {index}, and the size is {size}");
    api.find_other(&BUILDER_INDEX, "index", &detail);
}

/// Reports an item that was not set. It may be so if an exception is pending, which `…_Build` then leaves as it is.
unsafe fn look_for_missing_items(api: &Api, set: &[bool]) {
    let Some(missing) = set.iter().position(|&is_set| !is_set) else { return };
    let inner = api.inner();
    // SAFETY: a function of the API is running, so the interpreter is attached.
    if unsafe { ((*inner).ctx_Err_Occurred)(inner) } == 0 {
        let detail = format!("item {missing} of {} is not set", set.len());
        api.find_other(&BUILDER_ITEM_MISSING, "builder", &detail);
    }
}
