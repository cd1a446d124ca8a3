//! The description of the API as it is read from `api/`. The vocabulary is explained in `api/README.md`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// Everything that `api/` says, in ABI order.
pub struct Api {
    /// Functions of the context, sorted by index; `topic` is the file that they come from.
    pub functions: Vec<Function>,
    /// Constant handles, sorted by index.
    pub handles: Vec<Handle>,
    /// Signatures, sorted by value.
    pub signatures: Vec<Signature>,
    /// Slots, sorted by value.
    pub slots: Vec<Slot>,
    /// Member types, sorted by value.
    pub member_types: Vec<EnumValue>,
    /// Builtin shapes, sorted by value.
    pub shapes: Vec<EnumValue>,
    /// What the headers offer over the context.
    pub helpers: Vec<Helper>,
    /// What the limited API lacks, beside what the others say of themselves.
    pub differences: Vec<Difference>,
    /// What to write where no single name replaces a part of the Python/C API.
    pub recipes: Vec<Recipe>,
}

/// Since which CPython the limited API can do something: `"3.11"`, or `false` for none.
#[derive(Deserialize, Clone, PartialEq, Eq)]
#[serde(untagged)]
pub enum Limited {
    Since(String),
    Never(bool),
}

impl Default for Limited {
    fn default() -> Self {
        Self::Since("3.9".to_owned())
    }
}

impl Limited {
    /// The version number as `Py_LIMITED_API` has it; `None` if no version will do.
    pub fn version(&self) -> Option<u32> {
        let Self::Since(text) = self else { return None };
        let minor: u32 = text.strip_prefix("3.")?.parse().ok()?;
        Some(0x0300_0000 + (minor << 16))
    }

    /// Whether some limited API that HPy supports lacks it.
    pub fn is_lacking(&self) -> bool {
        *self != Self::default()
    }

    /// What one has to do about it, as the end of a sentence that begins with the name.
    pub fn need(&self) -> String {
        match (self, self.version()) {
            (Self::Since(text), Some(version)) => format!(
                "needs the limited API of CPython {text}: define Py_LIMITED_API as 0x{version:08X} or later"
            ),
            _ => "is not in the limited API: leave out Py_LIMITED_API".to_owned(),
        }
    }
}

/// A function of the context.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    pub name: String,
    pub index: usize,
    pub since: String,
    #[serde(default)]
    pub params: Vec<Param>,
    pub returns: Returns,
    pub direct: Option<String>,
    /// The universal context has a function of its own in place of the printed one.
    #[serde(default)]
    pub hand_written: bool,
    /// The CPython ABI has a function of its own in place of the printed one.
    #[serde(default)]
    pub short: bool,
    pub limited_direct: Option<String>,
    pub replaces: Vec<String>,
    pub raises: bool,
    /// Whether it may be called while an exception is set; absent: if it never raises.
    with_exception: Option<bool>,
    pub runs_python: bool,
    #[serde(default = "yes")]
    pub attached: bool,
    #[serde(default)]
    pub allowed_in: Vec<String>,
    #[serde(deserialize_with = "unwrapped")]
    pub doc: String,
    #[serde(skip)]
    pub topic: String,
}

fn yes() -> bool {
    true
}

/// A text without the line breaks inside its paragraphs, which each printer wraps to its own width.
fn unwrapped<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let paragraphs: Vec<_> = text.trim().split("\n\n").map(|p| p.replace('\n', " ")).collect();
    Ok(paragraphs.join("\n\n"))
}

/// A parameter of a function or a signature.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    pub name: String,
    #[serde(rename = "type")]
    pub ctype: String,
    #[serde(default)]
    pub null: bool,
    pub must_be: Option<String>,
    #[serde(default)]
    pub out: bool,
    pub length: Option<String>,
    pub text: Option<String>,
    #[serde(default)]
    pub steals: bool,
    pub doc: Option<String>,
}

/// What a function returns.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returns {
    #[serde(rename = "type")]
    pub ctype: String,
    pub contract: Contract,
    pub error: Option<String>,
    pub valid_while: Option<String>,
    #[serde(default)]
    pub wrapper_returns_null: bool,
    pub doc: Option<String>,
}

/// The convention by which a result is read.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    New,
    Status,
    Flag,
    FlagOrError,
    Pointer,
    Value,
    Nothing,
}

/// A constant handle of the context.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handle {
    pub name: String,
    pub index: usize,
    pub since: String,
    pub python: String,
    pub replaces: String,
    pub doc: Option<String>,
}

/// A signature: the prototype of a C function that Python calls.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    pub name: String,
    pub value: u32,
    #[serde(default)]
    pub limited: Limited,
    /// Absent for a signature that is only declared.
    pub returns: Option<String>,
    /// Whether null or -1 without an exception is a result.
    #[serde(default)]
    pub fails_silently: bool,
    #[serde(default)]
    pub context: bool,
    #[serde(default)]
    pub params: Vec<Param>,
    pub trampoline_args: Option<TrampolineArgs>,
    #[serde(deserialize_with = "unwrapped")]
    pub doc: String,
}

/// The struct through which a trampoline hands its arguments to the runtime.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrampolineArgs {
    pub size: usize,
    pub fields: Vec<TrampolineField>,
}

/// A field of that struct.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrampolineField {
    pub name: String,
    pub offset: usize,
}

/// A slot of a type or a module.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    pub name: String,
    pub value: u32,
    pub signature: String,
    pub since: String,
    pub replaces: String,
    #[serde(default)]
    pub limited: Limited,
    #[serde(deserialize_with = "unwrapped")]
    pub doc: String,
}

/// A value of a plain enumeration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumValue {
    pub name: String,
    pub value: i32,
    pub since: Option<String>,
    #[serde(default)]
    pub limited: Limited,
    #[serde(deserialize_with = "unwrapped")]
    pub doc: String,
}

/// A function, macro or type of the headers that is not in the context.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Helper {
    pub name: String,
    pub replaces: Vec<String>,
    pub doc: String,
}

/// What extensions for the limited API cannot do, and find out at run time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    pub name: String,
    pub limited: Limited,
    #[serde(deserialize_with = "unwrapped")]
    pub doc: String,
}

/// Parts of the Python/C API, and what to write instead.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub replaces: Vec<String>,
    pub write: String,
}

/// A member of the context in ABI order.
pub enum Member<'a> {
    Handle(&'a Handle),
    Function(&'a Function),
}

impl Function {
    /// The member of the context: `HPyX`, `HPy_X` and `_HPy_X` are `ctx_X`.
    pub fn member(&self) -> String {
        let rest = self.name.trim_start_matches('_').trim_start_matches("HPy");
        format!("ctx_{}", rest.trim_start_matches('_'))
    }

    /// Whether it may be called while an exception is set.
    pub fn with_exception(&self) -> bool {
        self.with_exception.unwrap_or(!self.raises)
    }
}

impl Api {
    /// Reads and checks the description in `dir`.
    pub fn read(dir: &Path) -> Result<Self> {
        let mut api = Self {
            functions: functions(&dir.join("functions"))?,
            handles: table(&dir.join("handles.toml"), "handle")?,
            signatures: table(&dir.join("signatures.toml"), "signature")?,
            slots: table(&dir.join("slots.toml"), "slot")?,
            member_types: table(&dir.join("members.toml"), "member_type")?,
            shapes: table(&dir.join("shapes.toml"), "shape")?,
            helpers: table(&dir.join("helpers.toml"), "helper")?,
            differences: table(&dir.join("limited.toml"), "difference")?,
            recipes: table(&dir.join("recipes.toml"), "recipe")?,
        };
        api.functions.sort_by_key(|f| f.index);
        api.handles.sort_by_key(|h| h.index);
        api.signatures.sort_by_key(|s| s.value);
        api.slots.sort_by_key(|s| s.value);
        api.member_types.sort_by_key(|m| m.value);
        api.shapes.sort_by_key(|s| s.value);
        api.check()?;
        Ok(api)
    }

    /// The members of the context in ABI order.
    pub fn members(&self) -> Vec<Member<'_>> {
        let mut members: Vec<_> = self
            .functions
            .iter()
            .map(|f| (f.index, Member::Function(f)))
            .chain(self.handles.iter().map(|h| (h.index, Member::Handle(h))))
            .collect();
        members.sort_by_key(|(index, _)| *index);
        members.into_iter().map(|(_, member)| member).collect()
    }

    fn check(&self) -> Result<()> {
        let mut indexes: Vec<_> = self.functions.iter().map(|f| f.index).collect();
        indexes.extend(self.handles.iter().map(|h| h.index));
        indexes.sort_unstable();
        if let Some(place) = indexes.iter().enumerate().position(|(at, index)| at != *index) {
            bail!("api: the context has no member, or two, with index {place}");
        }
        for slot in &self.slots {
            let name = format!("HPyFunc_{}", slot.signature);
            let Some(signature) = self.signatures.iter().find(|s| s.name == name) else {
                bail!("api/slots.toml: {} has the unknown signature {}", slot.name, slot.signature);
            };
            if slot.limited != signature.limited {
                bail!("api: {} and {name} differ in `limited`", slot.name);
            }
        }
        Ok(())
    }
}

fn functions(dir: &Path) -> Result<Vec<Function>> {
    let mut functions = Vec::new();
    let entries = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let topic = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for mut function in table::<Function>(&path, "function")? {
            function.topic.clone_from(&topic);
            functions.push(function);
        }
    }
    Ok(functions)
}

/// Reads the array of tables called `key` from a TOML file that has nothing else.
fn table<T: DeserializeOwned>(path: &Path, key: &str) -> Result<Vec<T>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut file: std::collections::BTreeMap<String, Vec<T>> =
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
    let rows = file.remove(key).with_context(|| format!("{} has no [[{key}]]", path.display()))?;
    if let Some(other) = file.keys().next() {
        bail!("{}: unexpected table [[{other}]]", path.display());
    }
    Ok(rows)
}
