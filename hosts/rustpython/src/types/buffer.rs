//! Buffers: `HPy_bf_getbuffer` and `HPy_bf_releasebuffer`.
//!
//! RustPython keeps nothing of ours with an export, so an object stands between: it has the `HPy_buffer`, and keeps the exporter alive.
//!
//! The unsafe code is sound because what the author's function says of the memory is true until it is released.

use core::ffi::{CStr, c_int};
use core::{ptr, slice};
use std::borrow::Cow;

use hpy_abi::*;
use rustpython_vm::class::PyClassImpl;
use rustpython_vm::protocol::{BufferDescriptor, BufferFlags, BufferMethods, PyBuffer};
use rustpython_vm::vm::thread::try_with_current_vm;
use rustpython_vm::{
    PyObject, PyObjectRef, PyPayload, PyResult, Traverse, VirtualMachine, pyclass,
};

use super::slots::target;
use crate::downcall::{call, status};
use crate::handles::{self, Borrowed};
use crate::lock;

/// An export: what the author's function said, and the object whose memory it is.
#[pyclass(module = false, name = "hpy_export", traverse)]
#[derive(PyPayload)]
pub(crate) struct Export {
    exporter: PyObjectRef,
    #[pytraverse(skip)]
    view: View,
}

/// The author's description, in memory of its own: the author may have kept its address.
struct View(Box<core::cell::UnsafeCell<HPy_buffer>>);

// SAFETY: it is written to only while the host's lock is held, when it is filled and when it is released.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

impl View {
    fn get(&self) -> *mut HPy_buffer {
        self.0.get()
    }
}

impl core::fmt::Debug for Export {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "export of {:?}", self.exporter)
    }
}

#[pyclass(flags(DISALLOW_INSTANTIATION))]
impl Export {}

impl Export {
    fn bytes(&self) -> (*mut u8, usize) {
        let view = self.view.get();
        // SAFETY: filled by the author's function.
        unsafe {
            let (start, length) = extent(&*view);
            ((*view).buf.cast::<u8>().wrapping_offset(start), length)
        }
    }

    /// Tells the author that nobody uses the memory any more.
    fn release(&self) {
        let release = || {
            let view = self.view.get();
            if let Some(target) = target(&self.exporter, HPy_bf_releasebuffer.0) {
                // SAFETY: the function has this prototype, and the exporter lives longer than the call.
                unsafe {
                    let exporter = Borrowed::new(&self.exporter);
                    call!(target(exporter.get() => HPy, view => *mut HPy_buffer) -> ());
                }
            }
            // SAFETY: the buffer owns the handle of its object.
            unsafe {
                let obj = ptr::replace(&raw mut (*view).obj, HPy::NULL);
                if !obj.is_null() {
                    drop(handles::take(obj));
                }
            }
            drop(crate::error::take());
        };
        try_with_current_vm(|vm| lock::enter(vm, release));
    }
}

/// Where the memory of a buffer begins, counted from its first item, and how long it is.
fn extent(view: &HPy_buffer) -> (isize, usize) {
    // SAFETY: as many numbers as there are dimensions, if there are any.
    let part = |start: *mut isize| unsafe {
        (!start.is_null()).then(|| slice::from_raw_parts(start, view.ndim as usize))
    };
    let (Some(shape), Some(strides)) = (part(view.shape), part(view.strides)) else {
        return (0, view.len as usize);
    };
    if shape.contains(&0) {
        return (0, 0);
    }
    let (mut low, mut high) = (0, view.itemsize);
    for (&length, &stride) in shape.iter().zip(strides) {
        let reach = (length - 1) * stride;
        if reach < 0 { low += reach } else { high += reach }
    }
    (low, (high - low) as usize)
}

/// What RustPython wants to know of a buffer.
fn describe(view: &HPy_buffer) -> BufferDescriptor {
    let itemsize = view.itemsize.max(1);
    // SAFETY: a format is null or a C string; there are as many numbers as dimensions, if there are any.
    unsafe {
        let format = match view.format.is_null() {
            true => Cow::Borrowed("B"),
            false => Cow::Owned(CStr::from_ptr(view.format).to_string_lossy().into_owned()),
        };
        let part = |start: *mut isize, at: usize| (!start.is_null()).then(|| *start.add(at));
        let count = if view.ndim > 0 { view.ndim as usize } else { 1 };
        let shapes: Vec<isize> =
            (0..count).map(|at| part(view.shape, at).unwrap_or(view.len / itemsize)).collect();
        let mut inner = itemsize;
        let mut dimensions: Vec<(usize, isize, isize)> = Vec::new();
        for at in (0..count).rev() {
            let stride = part(view.strides, at).unwrap_or(inner);
            let suboffset = part(view.suboffsets, at).unwrap_or(0).max(0);
            dimensions.push((shapes[at] as usize, stride, suboffset));
            inner *= shapes[at];
        }
        dimensions.reverse();
        BufferDescriptor {
            len: view.len as usize,
            offset: -extent(view).0,
            readonly: view.readonly != 0,
            itemsize: itemsize as usize,
            format,
            dim_desc: dimensions,
        }
    }
}

static METHODS: BufferMethods = BufferMethods {
    obj_bytes: |buffer| {
        let (start, length) = buffer.obj_as::<Export>().bytes();
        // SAFETY: the memory is there until the export is released.
        unsafe { memory(start, length) }.into()
    },
    obj_bytes_mut: |buffer| {
        let (start, length) = buffer.obj_as::<Export>().bytes();
        // SAFETY: as above; the author said that it may be written.
        unsafe { slice::from_raw_parts_mut(start, length) }.into()
    },
    release: |buffer| buffer.obj_as::<Export>().release(),
    retain: |_| {},
};

/// # Safety
/// There are that many bytes, if any.
unsafe fn memory<'a>(start: *const u8, length: usize) -> &'a [u8] {
    if length == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(start, length) }
}

/// The slot: asks the author's function.
pub(super) fn as_buffer(
    exporter: &PyObject,
    flags: BufferFlags,
    vm: &VirtualMachine,
) -> PyResult<PyBuffer> {
    let Some(target) = target(exporter, HPy_bf_getbuffer.0) else {
        return Err(vm.new_type_error("a bytes-like object is required"));
    };
    // SAFETY: all zeros are a valid buffer: no memory, no object.
    let view = View(Box::new(unsafe { core::mem::zeroed() }));
    let address = view.get();
    // SAFETY: the function has this prototype; the objects live longer than the call.
    lock::enter(vm, || unsafe {
        let exporter = Borrowed::new(exporter);
        let flags = flags.bits() as c_int;
        let result = call!(target(
            exporter.get() => HPy, address => *mut HPy_buffer, flags => c_int
        ) -> c_int);
        status(vm, result)
    })?;
    let export = Export { exporter: exporter.to_owned(), view };
    // SAFETY: filled by the author's function.
    let description = describe(unsafe { &*address });
    Ok(PyBuffer::new(export.into_pyobject(vm), description, &METHODS))
}

/// Makes the type of exports; once for a process.
pub(super) fn prepare() {
    let _ = Export::make_static_type();
}
