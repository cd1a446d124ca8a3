//! The same with functions only: nothing is read from an object or a type, and no macro of the headers is used.
//!
//! A runtime for the limited API of CPython is compiled with the functions of its oldest version. What later versions have beside
//! them is looked for when it is first used ([`lookup`]). Where this side is used with another interpreter's C API, what that does
//! differently is in [`host`].

pub(crate) mod builder;
mod host;
mod keep;
mod lookup;
mod metaclass;
mod missing;
mod numbers;
mod objects;
mod record;
mod short;
mod texts;
mod threads;
mod types;

pub(crate) use host::{
    SUBCLASSES_FINALIZE, clear_dict, dealloc_drops_type, has_structs_below, is, line_number,
    new_name, references, running_place,
};
pub(crate) use keep::*;
pub(crate) use metaclass::of_metaclass;
pub(crate) use numbers::*;
pub(crate) use objects::*;
pub(crate) use record::*;
pub(crate) use short::*;
pub(crate) use threads::*;
pub(crate) use types::*;

/// The Python/C API, completed by what the limited API lacks.
pub(crate) mod ffi {
    pub(crate) use pyo3_ffi::*;

    pub(crate) use super::missing::{
        PY_VECTORCALL_ARGUMENTS_OFFSET, PyBytes_AS_STRING, PyContextVar_Get, PyContextVar_New,
        PyContextVar_Set, PyGILState_Check, PyModule_SetDocString,
        PyObject_CallFinalizerFromDealloc, PyObject_Vectorcall, PyObject_VectorcallDict,
        PyObject_VectorcallMethod, PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_SET_ITEM,
        PyVectorcall_NARGS,
    };

    #[cfg(PyPy)]
    pub(crate) use super::host::PyIter_Check;
    #[cfg(PyPy)]
    pub(crate) use super::host::checked::PyUnicode_EncodeFSDefault;
    #[cfg(any(PyPy, GraalPy))]
    pub(crate) use super::host::checked::{
        PyBytes_FromStringAndSize, PyBytes_Size, PyCapsule_SetContext, PyCapsule_SetDestructor,
        PyCapsule_SetName, PyCapsule_SetPointer, PyDict_Copy, PyDict_Keys, PyErr_ExceptionMatches,
        PyErr_SetFromErrnoWithFilename, PyErr_SetFromErrnoWithFilenameObjects, PyErr_SetObject,
        PyErr_SetString, PyErr_WarnEx, PyImport_ImportModule, PyList_Insert, PyList_New,
        PyLong_AsDouble, PyLong_AsSize_t, PyLong_AsSsize_t, PyLong_AsUnsignedLong,
        PyLong_AsUnsignedLongLong, PyLong_AsVoidPtr, PyModule_NewObject, PyNumber_InPlacePower,
        PyUnicode_FromEncodedObject, PyUnicode_FromWideChar, PyUnicode_Substring,
    };
    #[cfg(GraalPy)]
    pub(crate) use super::host::{
        Py_CompileString, Py_FatalError, PyErr_NewException, PyErr_NewExceptionWithDoc,
        PyTuple_New, PyUnicode_AsASCIIString, PyUnicode_AsLatin1String, PyUnicode_AsUTF8AndSize,
        PyUnicode_AsUTF8String, PyUnicode_DecodeFSDefault, PyUnicode_DecodeFSDefaultAndSize,
        PyUnicode_EncodeFSDefault, PyUnicode_FromString,
    };
}
