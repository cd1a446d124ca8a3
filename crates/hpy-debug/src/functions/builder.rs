//! Builders. The extension's number stands for a builder of the wrapped context.

use hpy_abi::*;

use crate::api::Api;
use crate::findings::BUILDER_ENDED;
use crate::generated::info;
use crate::state::state;

/// A builder that has not ended.
pub(crate) enum Builder {
    /// Of a list.
    List(HPyListBuilder),
    /// Of a tuple.
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
                let builder = ((*inner).$new)(inner, size);
                if builder.is_null() {
                    return builder;
                }
                $type { $field: state().builders.insert(Builder::$kind(builder)) }
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
                let found = match state().builders.get(builder.$field) {
                    Some(Builder::$kind(wrapped)) => Some(*wrapped),
                    _ => None,
                };
                if let Some(wrapped) = found.or_else(|| none(&api, builder.$field, $type::NULL)) {
                    let inner = api.inner();
                    ((*inner).$set)(inner, wrapped, index, item);
                    api.came_back();
                }
            }
        }

        #[doc = concat!("`HPy", stringify!($kind), "Builder_Build`")]
        pub(crate) unsafe extern "C" fn $build(ctx: *mut HPyContext, builder: $type) -> HPy {
            // SAFETY: the extension calls with a context of this crate; the builder ends here.
            unsafe {
                let api = Api::begin(ctx, &info::$build);
                let inner = api.inner();
                let found = match take(builder.$field, |b| matches!(b, Builder::$kind(_))) {
                    Some(Builder::$kind(wrapped)) => Some(wrapped),
                    _ => none(&api, builder.$field, $type::NULL),
                };
                let Some(wrapped) = found else {
                    ((*inner).ctx_Err_NoMemory)(inner);
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
                let found = match take(builder.$field, |b| matches!(b, Builder::$kind(_))) {
                    Some(Builder::$kind(wrapped)) => Some(wrapped),
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
fn take(number: isize, right: impl FnOnce(&Builder) -> bool) -> Option<Builder> {
    let builders = &mut state().builders;
    if builders.get(number).is_some_and(|builder| right(builder)) {
        builders.remove(number)
    } else {
        None
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
