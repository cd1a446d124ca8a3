//! What a module's definition asks for.

use hpy_abi::{HPy_mod_create, HPy_mod_exec, HPyMeth, HPyModuleDef, HPySlot};

use crate::{Definition, definitions};

/// What a module's definition asks for, checked.
#[derive(Default)]
pub struct ModulePlan {
    /// The slot that makes the whole object. Then there is nothing else.
    pub create: Option<unsafe extern "C" fn()>,
    /// The exec slots, in their order.
    pub exec: Vec<unsafe extern "C" fn()>,
    /// The functions.
    pub methods: Vec<&'static HPyMeth>,
}

impl ModulePlan {
    /// Sorts and checks the definitions of a module.
    ///
    /// # Errors
    /// What is wrong, for a SystemError.
    ///
    /// # Safety
    /// The definition is that of a library that stays loaded.
    pub unsafe fn read(definition: &HPyModuleDef) -> Result<Self, String> {
        let mut plan = Self::default();
        // SAFETY: the caller's promise.
        for definition in unsafe { definitions(definition.defines) } {
            match definition {
                Definition::Meth(meth) => plan.methods.push(meth),
                Definition::Slot(slot) => plan.add_slot(slot)?,
                Definition::Member(_) => return Err(misplaced("an HPyMember")),
                Definition::GetSet(_) => return Err(misplaced("an HPyGetSet")),
                Definition::Unknown(kind) => {
                    return Err(misplaced(&format!("a definition of the unknown kind {}", kind.0)));
                }
            }
        }
        match plan.create {
            Some(_) => plan.check_only_create(definition)?,
            None => check_size(definition)?,
        }
        Ok(plan)
    }

    fn add_slot(&mut self, slot: &HPySlot) -> Result<(), String> {
        match (slot.slot, slot.impl_) {
            (HPy_mod_create, Some(_)) if self.create.is_some() => {
                Err("HPyModuleDef has more than one HPy_mod_create slot; keep one".to_owned())
            }
            (HPy_mod_create, Some(author)) => {
                self.create = Some(author);
                Ok(())
            }
            (HPy_mod_exec, Some(author)) => {
                self.exec.push(author);
                Ok(())
            }
            (HPy_mod_create | HPy_mod_exec, None) => {
                Err("HPyModuleDef has a slot with no function: declare it with HPyDef_SLOT"
                    .to_owned())
            }
            (other, _) => Err(misplaced(&format!("the slot {}", other.0))),
        }
    }

    fn check_only_create(&self, definition: &HPyModuleDef) -> Result<(), String> {
        let alone = definition.doc.is_null()
            && definition.size == 0
            && definition.legacy_methods.is_null()
            && definition.globals.is_null()
            && self.exec.is_empty()
            && self.methods.is_empty();
        if alone {
            return Ok(());
        }
        Err("HPyModuleDef defines a HPy_mod_create slot and something else. The create slot makes the \
             whole object, so doc, legacy_methods, globals, methods and HPy_mod_exec slots would be \
             ignored: leave them out, or leave the create slot out"
            .to_owned())
    }
}

fn misplaced(what: &str) -> String {
    format!(
        "HPyModuleDef.defines has {what}, which does not belong into a module; allowed are methods \
         and the slots HPy_mod_create and HPy_mod_exec"
    )
}

fn check_size(definition: &HPyModuleDef) -> Result<(), String> {
    match definition.size {
        0 => Ok(()),
        ..0 => Err("HPy does not permit HPyModuleDef.size < 0".to_owned()),
        _ => {
            Err("HPy has no module state, HPyModuleDef.size > 0 is not supported; keep objects in \
                  HPyGlobal variables"
                .to_owned())
        }
    }
}
