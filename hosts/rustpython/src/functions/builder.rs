//! Builders: a list or tuple that is filled before anybody else can see it.
//!
//! A builder is the address of the items so far. An error is kept for `Build`: an item that is missing, or an index outside.

use hpy_abi::{HPy, HPyContext, HPyListBuilder, HPyTupleBuilder};
use hpy_host::builder_fault;
use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

use crate::error;
use crate::handles::nullable;
use crate::upcall::inside;

/// What is under construction.
struct Builder {
    items: Vec<Option<PyObjectRef>>,
    /// Whether an index was outside.
    outside: bool,
}

impl Builder {
    /// The address of a new builder; 0 if there is no memory for it.
    fn start(size: isize) -> isize {
        let size = usize::try_from(size).unwrap_or(0);
        let mut items = Vec::new();
        if items.try_reserve_exact(size).is_err() {
            return 0;
        }
        items.resize(size, None);
        Box::into_raw(Box::new(Self { items, outside: false })) as isize
    }

    /// # Safety
    /// `address` is 0 or that of a builder, and `h` open or null.
    unsafe fn set(address: isize, index: isize, h: HPy) {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(builder) = (address as *mut Self).as_mut() else { return };
            let place = usize::try_from(index).ok().and_then(|at| builder.items.get_mut(at));
            match place {
                Some(place) => *place = nullable(h).map(ToOwned::to_owned),
                None => builder.outside = true,
            }
        }
    }

    /// # Safety
    /// `address` is 0 or that of a builder that is not used any more.
    unsafe fn finish(
        address: isize,
        name: &str,
        vm: &VirtualMachine,
    ) -> PyResult<Vec<PyObjectRef>> {
        if address == 0 {
            return Err(vm.no_memory_error());
        }
        // SAFETY: the caller's promise.
        let Self { items, outside } = *unsafe { Box::from_raw(address as *mut Self) };
        let size = items.len();
        let missing = items.iter().position(Option::is_none);
        if !outside && missing.is_none() {
            return Ok(items.into_iter().flatten().collect());
        }
        // An exception that is already set says why an item is missing.
        Err(error::take().unwrap_or_else(|| {
            vm.new_system_error(builder_fault(name, size, missing.filter(|_| !outside)))
        }))
    }

    /// # Safety
    /// `address` is 0 or that of a builder that is not used any more.
    unsafe fn cancel(address: isize) {
        if address != 0 {
            // SAFETY: the caller's promise. What is released may run Python.
            let builder = unsafe { Box::from_raw(address as *mut Self) };
            crate::lock::outside(|_| drop(builder));
        }
    }
}

/// `HPyListBuilder_New`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_New(
    _ctx: *mut HPyContext,
    size: isize,
) -> HPyListBuilder {
    HPyListBuilder { _lst: Builder::start(size) }
}

/// `HPyListBuilder_Set`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Set(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
    index: isize,
    h_item: HPy,
) {
    // SAFETY: a builder, and an open handle or null.
    unsafe { Builder::set(builder._lst, index, h_item) };
}

/// `HPyListBuilder_Build`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Build(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
) -> HPy {
    inside(|vm| {
        // SAFETY: a builder that is not used any more.
        let items = unsafe { Builder::finish(builder._lst, "HPyListBuilder", vm) }?;
        Ok(PyObjectRef::from(vm.ctx.new_list(items)))
    })
}

/// `HPyListBuilder_Cancel`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Cancel(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
) {
    // SAFETY: a builder that is not used any more.
    unsafe { Builder::cancel(builder._lst) };
}

/// `HPyTupleBuilder_New`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_New(
    _ctx: *mut HPyContext,
    size: isize,
) -> HPyTupleBuilder {
    HPyTupleBuilder { _tup: Builder::start(size) }
}

/// `HPyTupleBuilder_Set`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Set(
    _ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
    index: isize,
    h_item: HPy,
) {
    // SAFETY: a builder, and an open handle or null.
    unsafe { Builder::set(builder._tup, index, h_item) };
}

/// `HPyTupleBuilder_Build`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Build(
    _ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
) -> HPy {
    inside(|vm| {
        // SAFETY: a builder that is not used any more.
        let items = unsafe { Builder::finish(builder._tup, "HPyTupleBuilder", vm) }?;
        Ok(PyObjectRef::from(vm.ctx.new_tuple(items)))
    })
}

/// `HPyTupleBuilder_Cancel`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Cancel(
    _ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
) {
    // SAFETY: a builder that is not used any more.
    unsafe { Builder::cancel(builder._tup) };
}
