//! The classes of findings: one entry each.

/// Which of the hooks that Python code sets is called for a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// The one for invalid handles.
    Handle,
    /// The one for invalid builders.
    Builder,
    /// The one for invalid handles; without one, the finding is a warning: nothing is destroyed, and often there is an exception anyway.
    /// Only an `HPY_DEBUG_ACTION` that is set makes it more.
    Soft,
    /// None: going on would be worse; or a leak, for which no moment is right.
    None,
}

/// A kind of bug.
#[derive(Debug)]
pub struct Class {
    /// What it is called in messages and in the documentation; never given to another class.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// How to mend it.
    pub advice: &'static str,
    /// Which hook is called.
    pub hook: Hook,
}

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $hook:ident, $title:literal, $advice:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $name: Class =
                Class { code: $code, title: $title, advice: $advice, hook: Hook::$hook };
        )*

        /// All classes, in the order of their codes.
        pub static CLASSES: &[&Class] = &[$(&$name),*];
    };
}

classes! {
    /// A handle that is not closed when it should be.
    LEAK = "HPY-D001", None,
        "a handle is never closed",
        "Close each handle that a function gave you with HPy_Close, on every path, or let an HPyTracker do it.";
    /// A closed handle is passed to a function.
    USE_AFTER_CLOSE = "HPY-D002", Handle,
        "a closed handle is used",
        "Close a handle after its last use; to keep an object longer, keep a handle made by HPy_Dup, an HPyField or an HPyGlobal.";
    /// A closed handle is closed again.
    DOUBLE_CLOSE = "HPY-D003", Handle,
        "a handle is closed twice",
        "Close each handle once; set the variable to HPy_NULL afterwards if it may be reached again.";
    /// An argument is closed.
    ARGUMENT_CLOSED = "HPY-D004", Handle,
        "an argument is closed",
        "Do not close arguments: the caller does, when the function returns.";
    /// An argument is returned.
    ARGUMENT_RETURNED = "HPY-D005", Handle,
        "an argument is returned without HPy_Dup",
        "Return HPy_Dup(ctx, argument): the caller closes the argument, and takes over what is returned.";
    /// A closed handle is returned.
    CLOSED_RETURNED = "HPY-D006", Handle,
        "a closed handle is returned",
        "Do not close what is returned: the caller takes it over.";
    /// A constant is closed.
    CONSTANT_CLOSED = "HPY-D007", Handle,
        "a constant of the context is closed",
        "Do not close ctx->h_…: the context owns it.";
    /// A constant is returned.
    CONSTANT_RETURNED = "HPY-D008", Handle,
        "a constant of the context is returned without HPy_Dup",
        "Return HPy_Dup(ctx, ctx->h_…): the caller takes over what is returned.";
    /// What is passed is no handle of this mode.
    NOT_A_HANDLE = "HPY-D009", Handle,
        "this is no handle",
        "Pass handles that the API gave to this module: not uninitialised memory, not pointers, not handles of a module in another mode.";
    /// Null where it is not allowed.
    NULL_HANDLE = "HPY-D010", Handle,
        "HPy_NULL is passed where a handle is needed",
        "Check the result of the function that made the handle with HPy_IsNull before it is used.";
    /// An object of the wrong type, where nothing else would check.
    WRONG_TYPE = "HPY-D011", Handle,
        "an object of the wrong type is passed",
        "Check the type before the call: the function does not.";
    /// The struct is asked for that a type of another shape has.
    WRONG_SHAPE = "HPY-D012", Handle,
        "the object's struct is read as one of another shape",
        "Give HPyType_HELPERS the same shape as the HPyType_Spec, and check the type of objects that others pass.";
    /// A context is used after the call that it was made for.
    CONTEXT_STALE = "HPY-D013", None,
        "a context is used after its call",
        "Use the context that the running function got; do not keep it in a variable.";
    /// A context is used in a call inside its own.
    CONTEXT_NESTED = "HPY-D014", None,
        "the context of an outer call is used",
        "Use the context that the running function got, not that of the function which called into Python.";
    /// A context is used in another thread.
    CONTEXT_THREAD = "HPY-D015", None,
        "the context of another thread's call is used",
        "Use a context only in the thread that got it; work that runs beside Python must not use the API.";
    /// A context is used while Python is left.
    CONTEXT_LEFT = "HPY-D016", None,
        "the API is used between HPy_LeavePythonExecution and HPy_ReenterPythonExecution",
        "Move the call behind HPy_ReenterPythonExecution.";
    /// A context is used in a function that has none.
    CONTEXT_RESTRICTED = "HPY-D017", None,
        "the API is used in a function that gets no context",
        "Do nothing with Python in traverse and destroy functions and capsule destructors; what needs Python belongs into HPy_tp_finalize.";
    /// A builder is used after it has ended.
    BUILDER_ENDED = "HPY-D018", Builder,
        "a builder is used after Build or Cancel, or is none",
        "Make a new builder for each object; Build and Cancel end it.";
    /// A tracker is used after it was closed.
    TRACKER_CLOSED = "HPY-D019", Handle,
        "a tracker is used after it was closed, or is none",
        "Close a tracker once, after its last use.";
    /// A builder that is not ended when it should be.
    BUILDER_LEAK = "HPY-D020", None,
        "a builder is never ended",
        "End each builder with Build, or with Cancel on the way out after an error.";
    /// A tracker that is not closed when it should be.
    TRACKER_LEAK = "HPY-D021", None,
        "a tracker is never closed",
        "Close each tracker with HPyTracker_Close, on every path.";
    /// A list or tuple is built without one of its items.
    BUILDER_ITEM_MISSING = "HPY-D022", Builder,
        "a builder is built with an item missing",
        "Set each item from 0 to the size - 1, or give HPy…Builder_New the size that is needed.";
    /// An item is set that the builder has no place for.
    BUILDER_INDEX = "HPY-D023", Builder,
        "a builder's index is out of range",
        "Set items from 0 to the size - 1 only: a builder does not grow.";
    /// A buffer that is not released when it should be.
    BUFFER_LEAK = "HPY-D024", None,
        "a buffer that was exported is never released",
        "Release what uses the buffer: a memoryview with release() or a with statement, a Py_buffer with PyBuffer_Release.";
    /// A function is called that may hide or replace the exception that is set.
    EXCEPTION_SET = "HPY-D025", Soft,
        "a function is called while an exception is set",
        "Look at the result of each call before the next one: return, or end the exception with HPyErr_Clear.";
    /// A function says that it failed, and not why.
    NO_EXCEPTION = "HPY-D026", Soft,
        "a failure is returned without an exception",
        "Set an exception (HPyErr_SetString …) before HPy_NULL or -1 is returned; for no result return HPy_Dup(ctx, ctx->h_None).";
    /// A function says that it did not fail, and leaves an exception.
    RESULT_WITH_EXCEPTION = "HPY-D027", Soft,
        "a result is returned while an exception is set",
        "Return HPy_NULL or -1 to let the exception out, or end it with HPyErr_Clear.";
    /// The pointer of a capsule is asked for by a name that it has not.
    CAPSULE_NAME = "HPY-D028", Soft,
        "a capsule is asked for with a wrong name",
        "Ask for the name that the capsule was made with; ask HPyCapsule_IsValid where others may pass something else.";
    /// The struct is asked for that another type of the same shape has.
    OTHER_STRUCT = "HPY-D029", Handle,
        "the object's struct is read as that of another type",
        "Check the type of objects that others pass with HPy_TypeCheck before T_AsStruct; types that share a struct should share a base that has it.";
    /// A field is stored that nobody visits.
    FIELD_UNVISITED = "HPY-D030", Handle,
        "an HPyField is stored in an object without HPy_tp_traverse",
        "Give the type HPy_tp_traverse, which calls HPy_VISIT for each field, and HPy_TPFLAGS_HAVE_GC.";
    /// A traverse function leaves a field out.
    FIELD_FORGOTTEN = "HPY-D031", Handle,
        "a traverse function forgets a field",
        "Call HPy_VISIT in HPy_tp_traverse for each field that can hold an object.";
    /// A field is assigned without the API.
    FIELD_COPIED = "HPY-D032", Handle,
        "a field holds what HPyField_Store did not put there",
        "Do not assign fields: load the object with HPyField_Load, and store it with HPyField_Store.";
    /// A field is used through an object that it is not part of.
    FIELD_OF_ANOTHER = "HPY-D033", Handle,
        "a field is used through another object than its owner",
        "Give HPyField_Store and HPyField_Load the object whose struct has the field.";
    /// A global is used that the module does not name.
    GLOBAL_UNLISTED = "HPY-D034", Handle,
        "an HPyGlobal is stored that the module does not name",
        "Add &variable to the array in the .globals of the module's HPyModuleDef.";
    /// A global is used that holds nothing.
    GLOBAL_EMPTY = "HPY-D035", Soft,
        "an HPyGlobal is loaded before it is stored",
        "Store each HPyGlobal in the module's HPy_mod_exec, before anything can load it.";
    /// A handle that another module has got is passed.
    FOREIGN_HANDLE = "HPY-D036", Handle,
        "a handle of another module is passed",
        "Keep objects in an HPyField or HPyGlobal, and pass them between modules through Python: a handle belongs to the module that got it.";
    /// A context is used where another interpreter runs.
    CONTEXT_INTERPRETER = "HPY-D037", None,
        "the context of another interpreter is used",
        "Use a context only while the thread is in the interpreter that called the function; PyThreadState_Swap back before.";
    /// The API is used by a thread that has let go of the interpreter.
    NOT_ATTACHED = "HPY-D038", None,
        "the API is used while the thread has let go of Python",
        "Call the API only with a thread state: behind PyEval_RestoreThread, or Py_END_ALLOW_THREADS.";
    /// The memory of a text or bytes object is read too late.
    MEMORY_READ = "HPY-D039", None,
        "memory that a handle gave is used after the handle was closed",
        "Read the text or bytes before the handle is closed, and an argument's before the function returns; copy what is needed longer.";
    /// The memory of a text or bytes object is written to.
    MEMORY_WRITTEN = "HPY-D040", None,
        "memory that a handle gave is written to",
        "Do not write to the text or bytes of an object, which may be shared; make a copy, and a new object of it.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend() {
        let codes: Vec<_> = CLASSES.iter().map(|class| class.code).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        for code in codes {
            let number = code.strip_prefix("HPY-D").unwrap_or_default();
            assert!(number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()), "{code}");
        }
    }
}
