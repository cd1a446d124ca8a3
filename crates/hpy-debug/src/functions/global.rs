//! Globals: variables of the C source that the module must name, and fill before they are used.

use hpy_abi::{HPy, HPyContext, HPyGlobal};

use crate::api::Api;
use crate::findings::{GLOBAL_EMPTY, GLOBAL_UNLISTED};
use crate::generated::info;
use crate::report::{self, Verdict};
use crate::state::state;

/// `HPyGlobal_Store`
pub(crate) unsafe extern "C" fn ctx_Global_Store(
    ctx: *mut HPyContext,
    global: *mut HPyGlobal,
    h: HPy,
) {
    // SAFETY: the extension calls with a context of this crate, and a variable of its own.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Global_Store);
        let Some([value]) = api.handles([h]) else { return };
        // One module of a library may name what another one uses.
        let is_listed = state().globals.contains(&(global as usize));
        if !is_listed {
            let detail = "the module's HPyModuleDef does not name the variable in .globals";
            if api.find_other(&GLOBAL_UNLISTED, "global", detail) == Verdict::Fail {
                return report::raise(api.inner(), &GLOBAL_UNLISTED);
            }
        }
        let inner = api.inner();
        ((*inner).ctx_Global_Store)(inner, global, value);
        api.came_back();
    }
}

/// `HPyGlobal_Load`
pub(crate) unsafe extern "C" fn ctx_Global_Load(ctx: *mut HPyContext, global: HPyGlobal) -> HPy {
    // SAFETY: the extension calls with a context of this crate.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Global_Load);
        let inner = api.inner();
        let result = ((*inner).ctx_Global_Load)(inner, global);
        if result.is_null() {
            let detail = "nothing is stored in the variable";
            if api.find_other(&GLOBAL_EMPTY, "global", detail) == Verdict::Fail {
                report::raise(inner, &GLOBAL_EMPTY);
            }
        }
        api.new_handle(result)
    }
}
