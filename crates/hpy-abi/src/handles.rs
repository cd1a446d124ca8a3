//! Handles and the other one-word values that C code holds.

/// Declares a C struct of one `intptr_t`, with its null value.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $field:ident) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            /// What it means is the host's secret.
            pub $field: isize,
        }

        impl $name {
            /// The null value: all bits zero in every ABI.
            pub const NULL: Self = Self { $field: 0 };

            /// Whether this is the null value.
            #[inline(always)]
            pub const fn is_null(self) -> bool {
                self.$field == 0
            }
        }
    };
}

word!(
    /// A handle: a reference to a Python object that is valid until it is closed.
    HPy, _i
);
word!(
    /// A reference that lives in the C struct of an object.
    HPyField, _i
);
word!(
    /// A reference that lives in a static variable of a module.
    HPyGlobal, _i
);
word!(
    /// A list under construction.
    HPyListBuilder, _lst
);
word!(
    /// A tuple under construction.
    HPyTupleBuilder, _tup
);
word!(
    /// A set of handles that are closed together.
    HPyTracker, _i
);
word!(
    /// What `HPy_LeavePythonExecution` returns for `HPy_ReenterPythonExecution`.
    HPyThreadState, _i
);
