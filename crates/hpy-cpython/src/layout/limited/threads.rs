//! The running thread and its interpreter.

use super::host;
use super::missing::PyGILState_Check;

/// The thread state, if the thread is attached.
pub(crate) unsafe extern "C" fn attachment() -> usize {
    // SAFETY: it may be asked at any time.
    unsafe {
        if PyGILState_Check() == 0 {
            return 0;
        }
        host::thread_state()
    }
}

pub(crate) use host::interpreter_id;
