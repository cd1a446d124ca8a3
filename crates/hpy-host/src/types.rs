//! What a type's specification defines.

use std::ffi::CStr;

use hpy_abi::*;

use crate::{Definition, definitions};

/// The member that tells where instances keep the function that they are called through.
pub const VECTORCALL_OFFSET: &CStr = c"__vectorcalloffset__";

/// The definitions of a type.
#[derive(Default)]
pub struct TypeDefinitions {
    /// Slots, without those below.
    pub slots: Vec<&'static HPySlot>,
    /// Methods.
    pub methods: Vec<&'static HPyMeth>,
    /// Members, without the one that tells where the call function is.
    pub members: Vec<&'static HPyMember>,
    /// Attributes.
    pub getsets: Vec<&'static HPyGetSet>,
    /// Offset in the struct of the author's own call function.
    pub vectorcall: Option<&'static HPyMember>,
    /// `HPy_tp_call`
    pub call: Option<&'static HPySlot>,
    /// `HPy_tp_traverse`
    pub traverse: HPyCFunction,
    /// `HPy_tp_destroy`
    pub destroy: HPyCFunction,
}

impl TypeDefinitions {
    /// Sorts the definitions of `spec`.
    ///
    /// # Errors
    /// What is wrong, for a SystemError.
    ///
    /// # Safety
    /// The definitions are those of a library that stays loaded.
    pub unsafe fn read(spec: &HPyType_Spec) -> Result<Self, String> {
        let mut sorted = Self::default();
        // SAFETY: as required of the caller.
        unsafe {
            for definition in definitions(spec.defines) {
                match definition {
                    Definition::Slot(slot) => sorted.slot(slot),
                    Definition::Meth(method) => sorted.methods.push(method),
                    Definition::Member(member) => sorted.member(member),
                    Definition::GetSet(attribute) => sorted.getsets.push(attribute),
                    Definition::Unknown(HPyDef_Kind(kind)) => {
                        return Err(format!("a type has a definition of the unknown kind {kind}"));
                    }
                }
            }
        }
        Ok(sorted)
    }

    fn slot(&mut self, slot: &'static HPySlot) {
        match slot.slot {
            HPy_tp_call => self.call = Some(slot),
            HPy_tp_traverse => self.traverse = slot.impl_,
            HPy_tp_destroy => self.destroy = slot.impl_,
            _ => self.slots.push(slot),
        }
    }

    unsafe fn member(&mut self, member: &'static HPyMember) {
        // SAFETY: a member has a name.
        if unsafe { CStr::from_ptr(member.name) } == VECTORCALL_OFFSET {
            self.vectorcall = Some(member);
        } else {
            self.members.push(member);
        }
    }
}
