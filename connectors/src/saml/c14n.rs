//! Canonical XML: exclusive 1.0 (the profile's method) and inclusive 1.0 (a connection's opt-in).
//!
//! Only what the profile signs: one element and everything below it, minus at most one subtree (the enveloped
//! Signature). No node-sets, no XPath. C14N §2.3 and Exclusive C14N §3 are cited where they decide.

#[cfg(test)]
mod tests;

use super::bindings::{Bindings, Declaration};
use super::names::{Namespace, Prefix};
use super::rejection::Rejection;
use super::tree::{Attribute, Element, NodeRef, Tree, gated_tree};

/// How to write the canonical form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Method {
    /// Which namespace declarations are written.
    pub mode: Mode,
    /// Comments are kept only if this says so.
    pub with_comments: bool,
}

/// Which namespace declarations the canonical form has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mode {
    /// Exclusive C14N 1.0: those visibly utilised, and the ones of the PrefixList as if inclusive.
    Exclusive {
        /// The tokens of InclusiveNamespaces/@PrefixList; `#default` is the default namespace.
        prefix_list: Vec<String>,
    },
    /// C14N 1.0: all in scope, and the `xml:` attributes of the ancestors.
    Inclusive,
}

impl Method {
    /// Exclusive, without comments and without a PrefixList.
    pub const EXCLUSIVE: Self =
        Self { mode: Mode::Exclusive { prefix_list: Vec::new() }, with_comments: false };
}

/// The canonical form of the root element of `document`.
///
/// # Errors
/// [`Rejection::Xml`] and [`Rejection::ResponseTooLarge`]: the gate refuses the document, or it has more than `max_bytes`
/// bytes. [`Rejection::CanonicalFormTooLarge`]: the canonical form is many times as large as the document.
pub fn canonicalize(
    document: &[u8],
    method: &Method,
    max_bytes: usize,
) -> Result<String, Rejection> {
    canonical_form(gated_tree(document, max_bytes)?.root(), method, None)
}

/// The canonical form of the element of `document` whose `ID` attribute is `id`.
///
/// # Errors
/// As [`canonicalize`], and [`Rejection::Malformed`]: there is no such element.
pub fn canonicalize_element(
    document: &[u8],
    id: &str,
    method: &Method,
    max_bytes: usize,
) -> Result<String, Rejection> {
    let tree = gated_tree(document, max_bytes)?;
    let mut elements = tree.root().subtree();
    match elements.find(|element| element.attribute("ID") == Some(id)) {
        Some(apex) => canonical_form(apex, method, None),
        None => Err(Rejection::Malformed { what: "no element with this ID" }),
    }
}

/// How many times as large as its document a canonical form may be. Escapes make at most six of one character; a
/// namespace name declared once and used in many elements that lie side by side is written in each of them, so 250 KB
/// could become gigabytes. Responses of real identity providers stay below two.
const MAX_GROWTH: usize = 8;
/// Small documents may grow more.
const MIN_LIMIT: usize = 64 * 1024;

/// The canonical form of `apex` without the subtree `left_out`.
///
/// # Errors
/// [`Rejection::CanonicalFormTooLarge`]: it is more than eight times as large as the document.
pub(crate) fn canonical_form(
    apex: Element<'_>,
    method: &Method,
    left_out: Option<Element<'_>>,
) -> Result<String, Rejection> {
    let limit = apex.tree().size().saturating_mul(MAX_GROWTH).max(MIN_LIMIT);
    let mut writer = Writer::new(apex, method);
    let (end, skip) = (apex.end(), left_out.map(Element::id));
    let mut at = apex.id();
    while at < end {
        if writer.out.len() > limit {
            return Err(Rejection::CanonicalFormTooLarge { limit });
        }
        writer.close_elements_before(at);
        let (node, after) = apex.tree().at(at);
        if skip == Some(at) {
            at = after;
            continue;
        }
        match node {
            NodeRef::Comment(text) if method.with_comments => writer.comment(text),
            NodeRef::Comment(_) => {}
            NodeRef::Element(element) => writer.open(element),
            NodeRef::Text(text) => push_escaped(&mut writer.out, text, escape_in_text),
        }
        at += 1;
    }
    writer.close_elements_before(end);
    Ok(writer.out)
}

struct Writer<'t> {
    tree: &'t Tree,
    apex: Element<'t>,
    out: String,
    open: Vec<Open<'t>>,
    /// What the output ancestors declare, by prefix.
    rendered: Bindings,
    /// What is in scope in the document, for the prefixes that are treated inclusively.
    in_scope: Bindings,
    /// The prefixes that are treated inclusively: the PrefixList, or all.
    inclusive: Vec<Prefix>,
    inherits_xml_attributes: bool,
    new_declarations: Vec<Declaration>,
    attributes: Vec<Attribute<'t>>,
}

struct Open<'t> {
    element: Element<'t>,
    rendered: usize,
    in_scope: usize,
}

impl<'t> Writer<'t> {
    fn new(apex: Element<'t>, method: &Method) -> Self {
        let tree = apex.tree();
        let prefixes = tree.prefix_count();
        let (inclusive, inherits_xml_attributes) = match &method.mode {
            Mode::Exclusive { prefix_list } => (listed(tree, prefix_list), false),
            Mode::Inclusive => (all_prefixes(prefixes), true),
        };
        let mut in_scope = Bindings::with_room(prefixes);
        if !inclusive.is_empty() {
            for ancestor in ancestors(apex).into_iter().rev() {
                in_scope.declare_all(ancestor.declarations());
            }
        }
        Self {
            tree,
            apex,
            out: String::with_capacity(1024 + 40 * (apex.end() - apex.id()) as usize),
            open: Vec::with_capacity(16),
            rendered: Bindings::with_room(prefixes),
            in_scope,
            inclusive,
            inherits_xml_attributes,
            new_declarations: Vec::with_capacity(8),
            attributes: Vec::with_capacity(8),
        }
    }

    fn open(&mut self, element: Element<'t>) {
        self.open.push(Open {
            element,
            rendered: self.rendered.mark(),
            in_scope: self.in_scope.mark(),
        });
        self.collect_inclusive(element);
        self.collect_attributes(element);
        self.collect_utilised(element);
        self.out.push('<');
        self.out.push_str(element.qualified_name());
        self.write_declarations();
        self.write_attributes();
        self.out.push('>');
    }

    /// C14N §2.3: a declaration is written unless the nearest output ancestor has the same one in scope.
    fn collect_inclusive(&mut self, element: Element<'t>) {
        self.new_declarations.clear();
        let declarations = element.declarations();
        if self.inclusive.is_empty() || (declarations.is_empty() && element != self.apex) {
            return;
        }
        self.in_scope.declare_all(declarations);
        for prefix in &self.inclusive {
            if let Some(namespace) = self.in_scope.get(*prefix) {
                collect(
                    &mut self.rendered,
                    &mut self.new_declarations,
                    Declaration { prefix: *prefix, namespace },
                );
            }
        }
    }

    /// Exclusive C14N §3: visibly utilised are the prefixes of the element and of its attributes. Where all
    /// declarations in scope are written anyway, this adds none.
    fn collect_utilised(&mut self, element: Element<'t>) {
        let own = Declaration { prefix: element.prefix(), namespace: element.namespace() };
        collect(&mut self.rendered, &mut self.new_declarations, own);
        for attribute in &self.attributes {
            if attribute.prefix() != Prefix::DEFAULT {
                let used =
                    Declaration { prefix: attribute.prefix(), namespace: attribute.namespace() };
                collect(&mut self.rendered, &mut self.new_declarations, used);
            }
        }
    }

    fn collect_attributes(&mut self, element: Element<'t>) {
        self.attributes.clear();
        self.attributes.extend(element.attributes());
        if self.inherits_xml_attributes && element == self.apex {
            self.inherit_xml_attributes(element);
        }
        if self.attributes.len() > 1 {
            let tree = self.tree;
            self.attributes.sort_unstable_by(|a, b| {
                let by_namespace =
                    || tree.namespace_text(a.namespace()).cmp(tree.namespace_text(b.namespace()));
                let same = a.namespace() == b.namespace();
                let first = if same { std::cmp::Ordering::Equal } else { by_namespace() };
                first.then_with(|| a.local_name().cmp(b.local_name()))
            });
        }
    }

    /// C14N §2.4: the apex takes over `xml:` attributes of its omitted ancestors, the nearest of each name.
    fn inherit_xml_attributes(&mut self, apex: Element<'t>) {
        for ancestor in ancestors(apex) {
            for attribute in ancestor.attributes().filter(|a| a.namespace() == Namespace::XML) {
                let is_there = |own: &Attribute<'_>| {
                    own.namespace() == Namespace::XML && own.local_name() == attribute.local_name()
                };
                if !self.attributes.iter().any(is_there) {
                    self.attributes.push(attribute);
                }
            }
        }
    }

    fn write_declarations(&mut self) {
        let tree = self.tree;
        self.new_declarations
            .sort_unstable_by(|a, b| tree.prefix_text(a.prefix).cmp(tree.prefix_text(b.prefix)));
        for declaration in &self.new_declarations {
            self.out.push_str(" xmlns");
            if declaration.prefix != Prefix::DEFAULT {
                self.out.push(':');
                self.out.push_str(tree.prefix_text(declaration.prefix));
            }
            self.out.push_str("=\"");
            push_escaped(
                &mut self.out,
                tree.namespace_text(declaration.namespace),
                escape_in_attribute,
            );
            self.out.push('"');
        }
    }

    fn write_attributes(&mut self) {
        for attribute in &self.attributes {
            self.out.push(' ');
            self.out.push_str(attribute.qualified_name());
            self.out.push_str("=\"");
            push_escaped(&mut self.out, attribute.value(), escape_in_attribute);
            self.out.push('"');
        }
    }

    fn close_elements_before(&mut self, position: u32) {
        while let Some(open) = self.open.pop_if(|open| open.element.end() <= position) {
            self.out.push_str("</");
            self.out.push_str(open.element.qualified_name());
            self.out.push('>');
            self.rendered.restore(open.rendered);
            self.in_scope.restore(open.in_scope);
        }
    }

    fn comment(&mut self, text: &str) {
        self.out.push_str("<!--");
        self.out.push_str(text);
        self.out.push_str("-->");
    }
}

/// Notes a declaration to be written, unless the output has it in scope already. `xml` is never written.
fn collect(rendered: &mut Bindings, new: &mut Vec<Declaration>, declaration: Declaration) {
    if declaration.prefix != Prefix::XML
        && rendered.get(declaration.prefix) != Some(declaration.namespace)
    {
        rendered.declare(declaration);
        new.push(declaration);
    }
}

/// From the parent of `element` to the root.
fn ancestors(element: Element<'_>) -> Vec<Element<'_>> {
    std::iter::successors(element.parent(), |ancestor| ancestor.parent()).collect()
}

fn listed(tree: &Tree, prefix_list: &[String]) -> Vec<Prefix> {
    let mut prefixes = Vec::with_capacity(prefix_list.len());
    for name in prefix_list {
        let found =
            if name == "#default" { Some(Prefix::DEFAULT) } else { tree.prefix_named(name) };
        prefixes.extend(found.filter(|prefix| !prefixes.contains(prefix)));
    }
    prefixes
}

fn all_prefixes(count: usize) -> Vec<Prefix> {
    (0..count).filter_map(|index| u16::try_from(index).ok()).map(Prefix).collect()
}

/// C14N §2.3, text nodes.
const fn escape_in_text(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    }
}

/// C14N §2.3, attribute nodes.
const fn escape_in_attribute(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    }
}

#[inline]
fn push_escaped(out: &mut String, text: &str, escape: impl Fn(u8) -> Option<&'static str>) {
    // Every byte that either kind of node escapes. The fold has no early way out, so that it becomes vector code.
    let may_need_it = text.bytes().fold(false, |found, b| {
        found | (b < b' ') | (b == b'&') | (b == b'<') | (b == b'>') | (b == b'"')
    });
    if !may_need_it {
        out.push_str(text);
        return;
    }
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(replacement) = escape(byte) {
            out.push_str(text.get(from..at).unwrap_or_default());
            out.push_str(replacement);
            from = at + 1;
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
}
