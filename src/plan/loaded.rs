//! From bytes to a plan, or to everything that is wrong with them.

use super::fault::{Faults, PlanFault, Severity, Source};
use super::value::Value;
use super::walk::Doc;
use super::{Overrides, Plan, build, warn};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use toml::de::DeTable;

/// A plan of more bytes than this is a mistake.
const LARGEST: u64 = 1 << 20;

/// A plan that holds, with what else its file says.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The plan.
    pub plan: Plan,
    /// What holds and will hurt all the same, in the order of the file.
    pub warnings: Vec<PlanFault>,
    /// The file's text, to be kept with the run.
    pub text: String,
    /// Where each key stands, so that later findings can name the line.
    pub places: Places,
}

impl Loaded {
    /// The same for one run, with what the command line says instead; warnings are made anew.
    pub fn with(mut self, overrides: Overrides) -> Result<Self, Faults> {
        let was = warn::warnings(&self.plan, &self.places);
        self.plan = self.plan.with(overrides)?;
        self.warnings.retain(|warning| !was.contains(warning));
        self.warnings.extend(warn::warnings(&self.plan, &self.places));
        self.warnings.sort_by_key(|fault| (fault.line, fault.column));
        Ok(self)
    }
}

/// Where each key of a plan stands.
#[derive(Debug, Clone, Default)]
pub struct Places {
    file: String,
    lines: BTreeMap<String, (u32, u32)>,
}

impl Places {
    /// A finding about a key (`router.address`, `slots.left`), at its line if the file says it,
    /// or else at the line of its table.
    pub fn fault(&self, severity: Severity, path: &str, cause: &str, hint: &str) -> PlanFault {
        let mut fault = PlanFault { severity, ..PlanFault::file(&self.file, cause, hint) };
        fault.path = crate::clean::Clean::new(path);
        let mut path = path;
        while !path.is_empty() {
            if let Some(&(line, column)) = self.lines.get(path) {
                fault.line = Some(line);
                fault.column = Some(column);
                break;
            }
            path = super::keys::parent(path);
        }
        fault
    }

    /// The same as an error.
    pub fn error(&self, path: &str, cause: &str, hint: &str) -> PlanFault {
        self.fault(Severity::Error, path, cause, hint)
    }

    /// The same as a warning.
    pub fn warning(&self, path: &str, cause: &str, hint: &str) -> PlanFault {
        self.fault(Severity::Warning, path, cause, hint)
    }
}

/// Reads a plan's file, and looks at what it needs of this machine (secrets, the evidence's key).
pub fn load(path: &Path) -> Result<Loaded, Faults> {
    let name = path.display().to_string();
    let text = read(path, &name)?;
    let mut loaded = parse(&text, &name)?;
    loaded.warnings.extend(warn::surroundings(&loaded.plan, &loaded.places));
    loaded.warnings.extend(warn::signing(&loaded.plan, &loaded.places));
    loaded.warnings.sort_by_key(|fault| (fault.line, fault.column));
    Ok(loaded)
}

/// Reads a plan's text; `name` is what faults call the file. What the machine has or lacks is
/// not looked at.
pub fn parse(text: &str, name: &str) -> Result<Loaded, Faults> {
    let source = Source::new(name, text);
    if text.trim().is_empty() {
        return Err(PlanFault::file(name, "the plan is empty", SHORT_PLAN).into());
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(Faults::new(syntax_errors(&source, &errors)));
    }
    let mut doc = Doc::read(source, root.get_ref());
    let plan = build::build(&mut doc, digest(text.as_bytes()));
    if let Some(other) =
        doc.faults.iter().find(|fault| fault.path.as_str() == "schema" && fault.line.is_some())
    {
        // Of a plan of another version, nothing else that could be said is true.
        return Err(other.clone().into());
    }
    if !doc.faults.is_empty() {
        return Err(Faults::new(doc.into_faults()));
    }
    let mut lines = doc.lines();
    // Limits are found by their signal too: that is how everybody else knows them.
    for n in 0..doc.len("limit") {
        if let (Some(Value::Text(signal)), Some(&line)) =
            (doc.get(&format!("limit[{n}].signal")), lines.get(&format!("limit[{n}]")))
        {
            lines.insert(format!("limit[{signal}]"), line);
        }
    }
    let places = Places { file: name.to_owned(), lines };
    let mut warnings = warn::warnings(&plan, &places);
    warnings.sort_by_key(|fault| (fault.line, fault.column));
    Ok(Loaded { plan, warnings, text: text.to_owned(), places })
}

const SHORT_PLAN: &str = "copy the short whole plan from the README and change its addresses";

fn read(path: &Path, name: &str) -> Result<String, Faults> {
    let fail = |cause: &str, hint: &str| Faults::from(PlanFault::file(name, cause, hint));
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => fail("there is no such file", SHORT_PLAN),
        std::io::ErrorKind::PermissionDenied => {
            fail("the plan cannot be read: permission denied", "run as a user who may read it")
        }
        _ => fail(&format!("the plan cannot be read: {error}"), "look at the path"),
    };
    // Asked before opening: opening a pipe that nobody writes to would wait for ever.
    let meta = std::fs::metadata(path).map_err(cannot)?;
    if meta.is_dir() {
        return Err(fail("this is a directory", "name the file in it, such as switchback.toml"));
    }
    if !meta.is_file() {
        return Err(fail(
            "this is not a regular file",
            "write the plan to a file: its bytes are sealed with the run",
        ));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err(fail("this is larger than 1 MiB, and no plan is", "is it the right file?"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|&&byte| byte == b'\n').count() + 1;
        let mut fault = PlanFault::file(
            name,
            "the plan is not UTF-8",
            "save it as UTF-8, without a byte order mark",
        );
        fault.line = u32::try_from(line).ok();
        fault.into()
    })
}

/// What the TOML parser found: the first of each line, for the rest of a line follows from it.
fn syntax_errors(source: &Source<'_>, errors: &[toml::de::Error]) -> Vec<PlanFault> {
    /// After so many, the file is no plan.
    const TOLD: usize = 20;
    let mut faults: Vec<PlanFault> = Vec::new();
    // The parser's order is that of the text, so a line's first error is the first one seen.
    for error in errors {
        let at = error.span().unwrap_or(0..0);
        let (line, _) = source.place(at.start);
        if faults.iter().all(|fault| fault.line != Some(line)) {
            faults.push(syntax(source, &at, error.message()));
        }
        if faults.len() == TOLD {
            break;
        }
    }
    faults
}

/// One error of the TOML parser, in our words where they say more.
fn syntax(source: &Source<'_>, at: &Range<usize>, message: &str) -> PlanFault {
    let message = message.lines().next().unwrap_or("nobody knows why");
    let (says, hint) = if source.value_of_line(at.start).is_some_and(|value| {
        value.starts_with(|c: char| c.is_ascii_alphabetic()) && !message.contains("duplicate")
    }) {
        ("a text without quotes", "write it in double quotes")
    } else if message.contains("duplicate key") {
        (
            message,
            "each key, and each [table], stands once; [[limit]], [[probe]] and [[check]] may repeat",
        )
    } else if message.contains("unclosed") {
        (message, "close what was opened")
    } else {
        (message, "a line is key = value, a [table] or a # comment; texts stand in double quotes")
    };
    source.error(at, "", &format!("this is not TOML: {says}"), hint)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
