//! `str`.

use core::ffi::{CStr, c_char};
use core::slice;

use hpy_abi::{HPy, HPyContext, wchar_t};
use rustpython_vm::builtins::{PyStr, PyStrRef, PyUtf8StrRef};
use rustpython_vm::{Py, PyObject, PyObjectRef, PyResult, VirtualMachine};

use crate::handles::{object, text};
use crate::upcall::{inside, nullable_text};

/// The `str` that a text in UTF-8 spells.
pub(crate) fn decode(vm: &VirtualMachine, utf8: &CStr) -> PyResult<PyStrRef> {
    match utf8.to_str() {
        Ok(text) => Ok(vm.ctx.new_str(text)),
        Err(_) => decode_as(vm, utf8.to_bytes(), "utf-8", None),
    }
}

fn decode_as(
    vm: &VirtualMachine,
    bytes: &[u8],
    encoding: &str,
    errors: Option<&CStr>,
) -> PyResult<PyStrRef> {
    let bytes = vm.ctx.new_bytes(bytes.to_vec()).into();
    vm.state.codec_registry.decode_text(bytes, encoding, handler(vm, errors)?, vm)
}

fn handler(vm: &VirtualMachine, errors: Option<&CStr>) -> PyResult<Option<PyUtf8StrRef>> {
    errors.map(|errors| decode(vm, errors)?.try_into_utf8(vm)).transpose()
}

fn encode_as(vm: &VirtualMachine, h: &PyObject, encoding: &str) -> PyResult {
    let text = string(vm, h)?.to_owned();
    vm.state.codec_registry.encode_text(text, encoding, None, vm).map(PyObjectRef::from)
}

fn string<'a>(vm: &VirtualMachine, h: &'a PyObject) -> PyResult<&'a Py<PyStr>> {
    h.downcast_ref::<PyStr>().ok_or_else(|| {
        let class = h.class().name().to_string();
        vm.new_type_error(format!("a str is needed here, not {class}"))
    })
}

/// `HPyUnicode_FromString`
pub(crate) fn Unicode_FromString(vm: &VirtualMachine, utf8: &CStr) -> PyResult {
    decode(vm, utf8).map(PyObjectRef::from)
}

/// `HPyUnicode_Check`
pub(crate) fn Unicode_Check(_vm: &VirtualMachine, h: &PyObject) -> bool {
    h.downcastable::<PyStr>()
}

/// `HPyUnicode_AsASCIIString`
pub(crate) fn Unicode_AsASCIIString(vm: &VirtualMachine, h: &PyObject) -> PyResult {
    encode_as(vm, h, "ascii")
}

/// `HPyUnicode_AsLatin1String`
pub(crate) fn Unicode_AsLatin1String(vm: &VirtualMachine, h: &PyObject) -> PyResult {
    encode_as(vm, h, "latin-1")
}

/// `HPyUnicode_AsUTF8String`
pub(crate) fn Unicode_AsUTF8String(vm: &VirtualMachine, h: &PyObject) -> PyResult {
    encode_as(vm, h, "utf-8")
}

/// `HPyUnicode_DecodeFSDefault`
pub(crate) fn Unicode_DecodeFSDefault(vm: &VirtualMachine, v: &CStr) -> PyResult {
    decode_fs(vm, v.to_bytes())
}

fn decode_fs(vm: &VirtualMachine, bytes: &[u8]) -> PyResult {
    decode_as(vm, bytes, "utf-8", Some(c"surrogateescape")).map(PyObjectRef::from)
}

/// `HPyUnicode_EncodeFSDefault`
pub(crate) fn Unicode_EncodeFSDefault(vm: &VirtualMachine, h: &PyObject) -> PyResult {
    let bytes = vm.fsencode(string(vm, h)?)?.as_encoded_bytes().to_vec();
    Ok(vm.ctx.new_bytes(bytes).into())
}

/// `HPyUnicode_ReadChar`
pub(crate) fn Unicode_ReadChar(vm: &VirtualMachine, h: &PyObject, index: isize) -> PyResult<u32> {
    let character = usize::try_from(index)
        .ok()
        .and_then(|index| string(vm, h).ok()?.as_wtf8().code_points().nth(index));
    string(vm, h)?;
    character
        .map(|character| character.to_u32())
        .ok_or_else(|| vm.new_index_error("string index out of range"))
}

/// `HPyUnicode_Substring`
pub(crate) fn Unicode_Substring(
    vm: &VirtualMachine,
    text: &PyObject,
    start: isize,
    end: isize,
) -> PyResult {
    let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else {
        return Err(vm.new_index_error("string index out of range"));
    };
    let text = string(vm, text)?;
    let length = text.char_len();
    let (start, end) = (start.min(length), end.min(length));
    let part = if start < end {
        let at = |index| text.char_index_to_byte(index);
        text.as_wtf8()[at(start)..at(end)].to_owned()
    } else {
        Default::default()
    };
    Ok(vm.ctx.new_str(part).into())
}

/// `HPyUnicode_FromEncodedObject`
pub(crate) fn Unicode_FromEncodedObject(
    vm: &VirtualMachine,
    obj: Option<&PyObject>,
    encoding: Option<&CStr>,
    errors: Option<&CStr>,
) -> PyResult {
    let obj = obj.ok_or_else(|| {
        vm.new_system_error("HPyUnicode_FromEncodedObject: the object is HPy_NULL")
    })?;
    if obj.downcastable::<PyStr>() {
        return Err(vm.new_type_error("decoding str is not supported"));
    }
    let view = rustpython_vm::protocol::PyBuffer::from_object(
        vm,
        obj,
        rustpython_vm::protocol::BufferFlags::SIMPLE,
    );
    let bytes = view
        .map_err(|_| {
            let class = obj.class().name().to_string();
            vm.new_type_error(format!("decoding to str: need a bytes-like object, {class} found"))
        })?
        .contiguous_or_collect(<[u8]>::to_vec);
    let encoding = encoding.map_or(Ok("utf-8"), |encoding| {
        encoding.to_str().map_err(|_| vm.new_lookup_error("the name of the encoding is no text"))
    })?;
    decode_as(vm, &bytes, encoding, errors).map(PyObjectRef::from)
}

/// `HPyUnicode_AsUTF8AndSize`
///
/// RustPython keeps no 0 behind the text, so the handle keeps a copy.
pub(crate) unsafe extern "C" fn ctx_Unicode_AsUTF8AndSize(
    _ctx: *mut HPyContext,
    h: HPy,
    size: *mut isize,
) -> *const c_char {
    inside(|vm| {
        // SAFETY: the handle is open, and the size is null or a place for a number.
        unsafe {
            let utf8 = string(vm, object(h))?.try_as_utf8(vm)?.as_bytes();
            if let Some(size) = size.as_mut() {
                *size = utf8.len() as isize;
            }
            Ok(text(h, utf8))
        }
    })
}

/// `HPyUnicode_FromWideChar`
pub(crate) unsafe extern "C" fn ctx_Unicode_FromWideChar(
    _ctx: *mut HPyContext,
    w: *const wchar_t,
    size: isize,
) -> HPy {
    inside(|vm| {
        if w.is_null() && size == 0 {
            return Ok(PyObjectRef::from(vm.ctx.new_str("")));
        }
        if w.is_null() {
            return Err(vm.new_system_error("HPyUnicode_FromWideChar: the text is a null pointer"));
        }
        // SAFETY: that many characters, or as many as there are before a 0.
        let characters = unsafe {
            let length = usize::try_from(size)
                .unwrap_or_else(|_| (0..).take_while(|&at| *w.add(at) != 0).count());
            slice::from_raw_parts(w, length)
        };
        // All that `wchar_t` holds is written as UTF-32 and decoded as that, surrogates included.
        let bytes: Vec<u8> = characters.iter().flat_map(|c| c.to_le_bytes()).collect();
        let encoding = if size_of::<wchar_t>() == 2 { "utf-16-le" } else { "utf-32-le" };
        decode_as(vm, &bytes, encoding, Some(c"surrogatepass")).map(PyObjectRef::from)
    })
}

/// # Safety
/// The pointer leads to `size` bytes.
unsafe fn bytes_of<'a>(
    vm: &VirtualMachine,
    start: *const c_char,
    size: isize,
) -> PyResult<&'a [u8]> {
    let size =
        usize::try_from(size).map_err(|_| vm.new_system_error("the size of a text is negative"))?;
    if size == 0 {
        return Ok(&[]);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { slice::from_raw_parts(start.cast(), size) })
}

/// `HPyUnicode_DecodeFSDefaultAndSize`
pub(crate) unsafe extern "C" fn ctx_Unicode_DecodeFSDefaultAndSize(
    _ctx: *mut HPyContext,
    v: *const c_char,
    size: isize,
) -> HPy {
    // SAFETY: the pointer leads to that many bytes.
    inside(|vm| decode_fs(vm, unsafe { bytes_of(vm, v, size) }?))
}

/// `HPyUnicode_DecodeASCII`
pub(crate) unsafe extern "C" fn ctx_Unicode_DecodeASCII(
    _ctx: *mut HPyContext,
    ascii: *const c_char,
    size: isize,
    errors: *const c_char,
) -> HPy {
    // SAFETY: the pointer leads to that many bytes; the handler is a C string or null.
    inside(|vm| unsafe {
        decode_as(vm, bytes_of(vm, ascii, size)?, "ascii", nullable_text(errors))
            .map(PyObjectRef::from)
    })
}

/// `HPyUnicode_DecodeLatin1`
pub(crate) unsafe extern "C" fn ctx_Unicode_DecodeLatin1(
    _ctx: *mut HPyContext,
    latin1: *const c_char,
    size: isize,
    _errors: *const c_char,
) -> HPy {
    // SAFETY: the pointer leads to that many bytes.
    inside(|vm| unsafe {
        decode_as(vm, bytes_of(vm, latin1, size)?, "latin-1", None).map(PyObjectRef::from)
    })
}
