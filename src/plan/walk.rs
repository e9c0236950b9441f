//! The file against the table of keys.
//!
//! Walks the parsed TOML once and keeps, for each key that was understood, its value and its
//! place; everything else becomes a fault: unknown keys with the nearest known one, wrong types,
//! keys that are missing or belong to another kind of router. What values mean together is
//! `build`'s part.

use super::fault::{PlanFault, Source};
use super::keys::{self, KEYS, Key, Kind, Need};
use super::value::{self, Value};
use super::words::{alike, example, nearest, said, shown};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A key of the file.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The operator's own name for it, where the table of keys has `*`.
    pub name: String,
    /// The table it stands in.
    pub table: String,
    /// What it holds; none where that was not understood, which is a fault already.
    pub value: Option<Value>,
    /// Bytes of the key.
    pub key: Range<usize>,
    /// Bytes of the value.
    pub at: Range<usize>,
}

/// A plan file, read key by key.
#[derive(Debug)]
pub(super) struct Doc<'t> {
    pub source: Source<'t>,
    pub faults: Vec<PlanFault>,
    /// By path, with positions: `limit[0].above`.
    found: BTreeMap<String, Found>,
    /// Where each table begins, by path.
    tables: BTreeMap<String, Range<usize>>,
    /// Faults beyond those that anybody would read.
    untold: usize,
}

/// Faults that are told one by one; a file with more is no plan.
const TOLD: usize = 50;

/// Tables that a list may hold.
const LONGEST: usize = 100;

impl<'t> Doc<'t> {
    /// Walks a parsed file.
    pub(super) fn read(source: Source<'t>, root: &DeTable<'_>) -> Self {
        let mut doc = Self {
            source,
            faults: Vec::new(),
            found: BTreeMap::new(),
            tables: BTreeMap::new(),
            untold: 0,
        };
        doc.table("", "", root);
        doc.missing();
        doc.misplaced();
        doc
    }

    /// The value of a path: what the file says, or else the default.
    pub(super) fn get(&self, path: &str) -> Option<Value> {
        let said = self.found.get(path).and_then(|found| found.value.clone());
        said.or_else(|| keys::row(&pattern_of(path)).and_then(default))
    }

    /// Whether the file says it, well or badly.
    pub(super) fn says(&self, path: &str) -> bool {
        self.found.contains_key(path)
    }

    /// Whether there is a table of this path.
    pub(super) fn has_table(&self, path: &str) -> bool {
        self.tables.contains_key(path)
    }

    /// What stands directly in a table, in the order of the file.
    pub(super) fn entries(&self, table: &str) -> Vec<&Found> {
        let mut entries: Vec<_> = self.found.values().filter(|f| f.table == table).collect();
        entries.sort_by_key(|found| found.key.start);
        entries
    }

    /// The names of the tables directly under a table, in the order of the file.
    pub(super) fn subtables(&self, table: &str) -> Vec<String> {
        let mut tables: Vec<_> = self
            .tables
            .iter()
            .filter_map(|(path, at)| Some((at.start, path.strip_prefix(table)?.strip_prefix('.')?)))
            .filter(|(_, name)| !name.contains('.'))
            .collect();
        tables.sort_unstable();
        tables.into_iter().map(|(_, name)| name.to_owned()).collect()
    }

    /// How many tables a list holds.
    pub(super) fn len(&self, list: &str) -> usize {
        (0..).take_while(|n| self.has_table(&format!("{list}[{n}]"))).count()
    }

    /// Bytes of a key's value, of a table's head, or of the nearest table above.
    pub(super) fn place(&self, path: &str) -> Option<Range<usize>> {
        if let Some(found) = self.found.get(path) {
            return Some(found.at.clone());
        }
        let mut path = path;
        while !path.is_empty() {
            if let Some(at) = self.tables.get(path) {
                return Some(at.clone());
            }
            path = keys::parent(path);
        }
        None
    }

    /// Line and column of every key and table.
    pub(super) fn lines(&self) -> BTreeMap<String, (u32, u32)> {
        let keys = self.found.iter().map(|(path, found)| (path, found.key.start));
        let tables = self.tables.iter().map(|(path, at)| (path, at.start));
        keys.chain(tables).map(|(path, byte)| (path.clone(), self.source.place(byte))).collect()
    }

    /// A fault at a path's value.
    pub(super) fn fault(&mut self, path: &str, cause: &str, hint: &str) {
        match self.place(path) {
            Some(at) => self.push(&at, path, cause, hint),
            None => self.faults.push(self.source.absent(path, cause, hint)),
        }
    }

    /// A fault at a path's key, where it is the name that is wrong.
    pub(super) fn key_fault(&mut self, path: &str, cause: &str, hint: &str) {
        match self.found.get(path).map(|found| found.key.clone()) {
            Some(at) => self.push(&at, path, cause, hint),
            None => self.fault(path, cause, hint),
        }
    }

    fn table(&mut self, pattern: &str, path: &str, table: &DeTable<'_>) {
        let known = keys::names_in(pattern);
        for (key, item) in table {
            let (name, at) = (key.get_ref().as_ref(), key.span());
            let segment = match known.contains(&name) {
                true => name,
                false if known.contains(&"*") => "*",
                false => {
                    self.unknown(pattern, path, name, &at, item.get_ref(), &known);
                    continue;
                }
            };
            let here = Place {
                pattern: join(pattern, segment),
                path: join(path, name),
                table: path,
                name,
                key: at,
                value: item.span(),
            };
            self.item(here, item.get_ref());
        }
    }

    fn item(&mut self, here: Place<'_>, item: &DeValue<'_>) {
        let row = keys::row(&here.pattern);
        let list = format!("{}[]", here.pattern);
        match item {
            DeValue::Table(table) if keys::is_table(&here.pattern) => {
                self.tables.insert(here.path.clone(), here.key);
                self.table(&here.pattern, &here.path, table);
            }
            DeValue::Array(items) if keys::is_table(&list) && items.len() > LONGEST => {
                let path = &here.path;
                let cause = format!(
                    "there are {} [[{path}]], and nobody needs more than {LONGEST}",
                    items.len()
                );
                self.push(&here.key, path, &cause, "keep those that matter");
            }
            DeValue::Array(items) if keys::is_table(&list) => {
                for (n, item) in items.iter().enumerate() {
                    let path = format!("{}[{n}]", here.path);
                    match item.get_ref() {
                        DeValue::Table(table) => {
                            // The parser gives every table of a list its own head's place.
                            self.tables.insert(path.clone(), item.span());
                            self.table(&list, &path, table);
                        }
                        other => {
                            let cause =
                                format!("`{path}` is {}, and must be a table", value::noun(other));
                            let hint = format!("write each one as [[{}]]", here.path);
                            self.push(&item.span(), &path, &cause, &hint);
                        }
                    }
                }
            }
            _ => match row {
                Some(row) => self.leaf(here, row, item),
                None => self.no_table(&here, item),
            },
        }
    }

    fn leaf(&mut self, here: Place<'_>, row: &Key, item: &DeValue<'_>) {
        let value = match value::read(row.kind, item) {
            Ok(value) => Some(value),
            Err(complaint) => {
                let hint = match keys::names_in(&here.pattern).first() {
                    Some(inner) => {
                        format!("{}, or a table: {{ {inner} = \"...\" }}", complaint.hint)
                    }
                    None => complaint.hint,
                };
                let cause = format!("{} {}", said(&here.path), complaint.says);
                self.push(&here.value, &here.path, &cause, &hint);
                None
            }
        };
        let found = Found {
            name: here.name.to_owned(),
            table: here.table.to_owned(),
            value,
            key: here.key,
            at: here.value,
        };
        self.found.insert(here.path, found);
    }

    /// Something else where a table, or a list of tables, has to be.
    fn no_table(&mut self, here: &Place<'_>, item: &DeValue<'_>) {
        let path = &here.path;
        let noun = value::noun(item);
        let (cause, hint) = if keys::is_list(&here.pattern) {
            (
                format!("`{path}` is {noun}, and must be a list of tables"),
                format!("write [[{path}]]"),
            )
        } else if path.contains('.') || !matches!(item, DeValue::Array(_)) {
            let inner: Vec<_> = keys::names_in(&here.pattern)
                .into_iter()
                .map(|name| format!("{} = ...", if name == "*" { "name" } else { name }))
                .collect();
            let hint = match example(&here.pattern) {
                Some(example) => format!("write {} = {example}", here.name),
                None => {
                    format!("write {} = {{ {} }}, or a table [{path}]", here.name, inner.join(", "))
                }
            };
            (format!("`{path}` is {noun}, and must be a table"), hint)
        } else {
            (
                format!("`{path}` is {noun}, and must be one table"),
                format!("write [{path}], with single brackets"),
            )
        };
        // What was said badly is not missing as well.
        self.tables.insert(path.clone(), here.key.clone());
        let at = if here.key.start < here.value.start { &here.value } else { &here.key };
        let at = if matches!(item, DeValue::Array(_)) { &here.key } else { at };
        self.push(at, path, &cause, &hint);
        let inside = format!("{}.", here.pattern);
        for rest in KEYS.iter().filter_map(|key| key.path.strip_prefix(inside.as_str())) {
            let stand_in = Found {
                name: String::new(),
                table: String::new(),
                value: None,
                key: here.key.clone(),
                at: here.value.clone(),
            };
            self.found.insert(join(path, rest), stand_in);
        }
    }

    fn unknown(
        &mut self,
        pattern: &str,
        table: &str,
        name: &str,
        at: &Range<usize>,
        item: &DeValue<'_>,
        known: &[&'static str],
    ) {
        if self.faults.len() >= TOLD {
            self.untold += 1;
            return;
        }
        let is_table = match item {
            DeValue::Table(_) => true,
            DeValue::Array(items) => items.iter().any(|item| item.get_ref().is_table()),
            _ => false,
        };
        let path = join(table, name);
        let cause = match (is_table && table.is_empty(), table) {
            (true, _) => format!("unknown table [{name}]"),
            (false, "") => format!("unknown key `{name}`"),
            (false, table) => format!("unknown key `{name}` in {}", shown(table)),
        };
        let homes: Vec<_> =
            keys::homes_of(name).into_iter().filter(|&home| home != pattern).collect();
        let hint = if let Some(near) = nearest(name, known) {
            match is_table && table.is_empty() && keys::is_list(near) {
                true => format!("did you mean [[{near}]]?"),
                false if is_table && table.is_empty() => format!("did you mean [{near}]?"),
                false => format!("did you mean `{near}`?"),
            }
        } else if !homes.is_empty() && !is_table {
            let homes: Vec<_> = homes.iter().map(|home| shown(home)).collect();
            format!("`{name}` is a key of {}", homes.join(", "))
        } else if let Some(near) = alike(name, known) {
            format!("did you mean `{near}`?")
        } else {
            let known: Vec<_> = known.iter().filter(|&&name| name != "*").copied().collect();
            format!("known here: {}", known.join(", "))
        };
        self.push(at, &path, &cause, &hint);
    }

    /// Keys that have to be said and are not.
    fn missing(&mut self) {
        let kind = self.get("router.kind");
        for key in KEYS.iter().filter(|key| matches!(key.need, Need::Must)) {
            let wanted = key.only.is_empty()
                || matches!(&kind, Some(Value::Text(kind)) if key.only.contains(&kind.as_str()));
            if !wanted || key.path.contains('*') {
                continue;
            }
            match key.path.split_once("[]") {
                Some((list, rest)) => {
                    for n in 0..self.len(list) {
                        self.require(key, &format!("{list}[{n}]{rest}"));
                    }
                }
                None => self.require(key, key.path),
            }
        }
    }

    fn require(&mut self, key: &Key, path: &str) {
        if self.says(path) {
            return;
        }
        let table = keys::parent(path);
        let name = path.rsplit('.').next().unwrap_or(path);
        let example = example(key.path).map_or(String::new(), |example| format!(" = {example}"));
        if table.is_empty() {
            let cause = format!("`{name}` is missing");
            self.fault(path, &cause, &format!("begin the plan with {name}{example}"));
        } else if self.has_table(table) {
            let cause = format!("`{name}` is missing in {}", shown(table));
            self.fault(path, &cause, &format!("add {name}{example}  ({})", key.doc));
        } else if !self.faults.iter().any(|f| f.path.as_str() == table) {
            let cause = format!("the table [{table}] is missing");
            self.fault(table, &cause, &format!("add [{table}] with {name}{example}"));
        }
    }

    /// Keys that are for another kind of router.
    fn misplaced(&mut self) {
        let Some(Value::Text(kind)) = self.get("router.kind") else { return };
        let strangers: Vec<_> = self
            .found
            .iter()
            .filter_map(|(path, found)| Some((path, found, keys::row(&pattern_of(path))?)))
            .filter(|(_, _, row)| !row.only.is_empty() && !row.only.contains(&kind.as_str()))
            .map(|(path, found, row)| (path.clone(), found.key.clone(), row.only.join(" and ")))
            .collect();
        for (path, at, kinds) in strangers {
            let cause = format!("`{path}` is for routers of kind {kinds}, and this one is {kind}");
            self.push(&at, &path, &cause, "take it out, or change `kind`");
        }
    }

    fn push(&mut self, at: &Range<usize>, path: &str, cause: &str, hint: &str) {
        if self.faults.len() < TOLD {
            self.faults.push(self.source.error(at, path, cause, hint));
        } else {
            self.untold += 1;
        }
    }

    /// All faults, when nobody adds any more.
    pub(super) fn into_faults(mut self) -> Vec<PlanFault> {
        if self.untold > 0 {
            let cause = format!("and {} more", self.untold);
            let hint = "is it the right file?";
            // At the end of the text, so that it is printed last.
            let end = self.source.end();
            self.faults
                .push(PlanFault { excerpt: None, ..self.source.error(&end, "", &cause, hint) });
        }
        self.faults
    }
}

/// Where the walk stands.
struct Place<'a> {
    pattern: String,
    path: String,
    table: &'a str,
    name: &'a str,
    key: Range<usize>,
    value: Range<usize>,
}

/// What a row's key is when nobody says it, read just as if it had been written.
pub(super) fn default(key: &Key) -> Option<Value> {
    let Need::Or(text) = key.need else { return None };
    let text = if is_text(key.kind) { value::quoted(text) } else { text.to_owned() };
    let value = DeValue::parse(&text).ok()?;
    value::read(key.kind, value.get_ref()).ok()
}

/// Whether a kind is written in quotes.
pub(super) const fn is_text(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Schema | Kind::Count(..) | Kind::Ramp | Kind::Argv | Kind::Names | Kind::Flag
    )
}

fn join(table: &str, name: &str) -> String {
    if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") }
}

/// `limit[3].above` as the table of keys writes it. Names of the operator's own have no
/// defaults, so they need no pattern, except for the servers of a router.
fn pattern_of(path: &str) -> String {
    if path.starts_with("router.servers.") {
        return "router.servers.*".to_owned();
    }
    match path.split_once('[') {
        Some((list, rest)) => {
            format!("{list}[]{}", rest.split_once(']').map_or("", |(_, rest)| rest))
        }
        None => path.to_owned(),
    }
}
