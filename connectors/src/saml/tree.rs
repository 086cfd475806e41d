//! One parsed XML document: an arena of nodes in document order, namespaces resolved once.
//!
//! A [`Tree`] is made from text that passed [`homerealm_metadata::gate`], which vouches for well-formedness; the tree
//! adds what XML 1.0 says a reader must do: line ends (§2.11), attribute values (§3.3.3) and references (§4.6) are
//! resolved here, so that nobody after it looks at raw markup again. Signature check and reading use the same tree.
//!
//! Nodes hold ranges into one string (the source, followed by the values that had to be rewritten), so parsing costs a
//! few allocations a document, not a few a node.

mod builder;
mod lexical;
#[cfg(test)]
mod tests;

use homerealm_metadata::gate::{self, GateError, Limits};

use super::bindings::Declaration;
use super::names::{Namespace, Prefix, WELL_KNOWN};
use super::rejection::Rejection;

/// Different namespace names, and different prefixes, that one document may use. Real responses stay below 20.
pub(crate) const MAX_NAMES: usize = 256;

/// Why a gated document still has no tree.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum TreeError {
    /// The reader found what the gate should have refused.
    #[error("not well-formed: {0}")]
    Malformed(String),
    /// C14N 1.0 §1.3: a document with a relative namespace name has no canonical form.
    #[error("the namespace name `{0}` is relative")]
    RelativeNamespace(String),
    /// More than 256 different prefixes or namespace names.
    #[error("more than {MAX_NAMES} different prefixes or namespace names")]
    TooManyNames,
}

/// A range of [`Tree::text`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

#[derive(Debug)]
pub(super) struct Node {
    /// Index of the parent element; the root is its own parent.
    parent: u32,
    /// Index after the last node of this subtree.
    end: u32,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Comment(Span),
    Element(ElementData),
    Text(Span),
}

#[derive(Clone, Copy, Debug)]
struct ElementData {
    name: QualifiedName,
    attributes: (u32, u32),
    declarations: (u32, u32),
}

#[derive(Clone, Copy, Debug)]
struct QualifiedName {
    prefix: Prefix,
    namespace: Namespace,
    whole: Span,
    local_start: u32,
}

#[derive(Debug)]
struct AttributeData {
    name: QualifiedName,
    value: Span,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Tree {
    text: String,
    nodes: Vec<Node>,
    attributes: Vec<AttributeData>,
    declarations: Vec<Declaration>,
    prefixes: Vec<Span>,
    namespaces: Vec<Span>,
}

impl Tree {
    /// Parses text that the gate let pass.
    pub(crate) fn parse(gated: &str) -> Result<Self, TreeError> {
        builder::build(gated)
    }

    pub(crate) fn root(&self) -> Element<'_> {
        Element { tree: self, id: 0, data: self.element_data(0) }
    }

    /// Bytes of the document, and of the values that had to be rewritten.
    pub(super) fn size(&self) -> usize {
        self.text.len()
    }

    pub(super) fn prefix_text(&self, prefix: Prefix) -> &str {
        if prefix == Prefix::XML {
            "xml"
        } else {
            self.prefixes.get(prefix.index()).map_or("", |span| self.slice(*span))
        }
    }

    pub(super) fn prefix_named(&self, name: &str) -> Option<Prefix> {
        (0..self.prefixes.len())
            .filter_map(|index| u16::try_from(index).ok())
            .map(Prefix)
            .find(|prefix| self.prefix_text(*prefix) == name)
    }

    pub(super) fn prefix_count(&self) -> usize {
        self.prefixes.len()
    }

    pub(super) fn namespace_text(&self, namespace: Namespace) -> &str {
        let index = usize::from(namespace.0);
        match WELL_KNOWN.get(index) {
            Some(name) => name,
            None => self.namespaces.get(index).map_or("", |span| self.slice(*span)),
        }
    }

    fn slice(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "node numbers come from this tree: handles carry it with them"
    )]
    fn node_data(&self, id: u32) -> &Node {
        &self.nodes[id as usize]
    }

    fn element_data(&self, id: u32) -> ElementData {
        match &self.node_data(id).content {
            Content::Element(data) => *data,
            Content::Comment(_) | Content::Text(_) => {
                unreachable!("element handles are made for elements only")
            }
        }
    }

    fn handle(&self, id: u32) -> NodeRef<'_> {
        match &self.node_data(id).content {
            Content::Comment(span) => NodeRef::Comment(self.slice(*span)),
            Content::Element(data) => NodeRef::Element(Element { tree: self, id, data: *data }),
            Content::Text(span) => NodeRef::Text(self.slice(*span)),
        }
    }
}

/// A node as the code outside sees it.
#[derive(Clone, Copy)]
pub(crate) enum NodeRef<'t> {
    Comment(&'t str),
    Element(Element<'t>),
    /// All adjacent character data, CDATA sections and references, joined (XPath data model).
    Text(&'t str),
}

/// An element together with its tree, so that it cannot be looked up in another one.
#[derive(Clone, Copy)]
pub(crate) struct Element<'t> {
    tree: &'t Tree,
    id: u32,
    data: ElementData,
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

impl<'t> Element<'t> {
    /// Whether this is `local` in `namespace`; prefixes do not matter.
    pub(crate) fn is(self, namespace: Namespace, local: &str) -> bool {
        self.data.name.namespace == namespace && self.local_name() == local
    }

    pub(crate) fn namespace(self) -> Namespace {
        self.data.name.namespace
    }

    pub(crate) fn local_name(self) -> &'t str {
        local_of(self.tree, self.data.name)
    }

    /// The name as written, for canonical output and for messages.
    pub(crate) fn qualified_name(self) -> &'t str {
        self.tree.slice(self.data.name.whole)
    }

    /// The value of the attribute `name` that is in no namespace.
    pub(crate) fn attribute(self, name: &str) -> Option<&'t str> {
        self.attributes()
            .find(|a| a.namespace() == Namespace::NONE && a.local_name() == name)
            .map(Attribute::value)
    }

    pub(crate) fn attributes(self) -> impl Iterator<Item = Attribute<'t>> {
        let (start, end) = self.data.attributes;
        let tree = self.tree;
        tree.attributes
            .get(start as usize..end as usize)
            .unwrap_or_default()
            .iter()
            .map(move |data| Attribute { tree, data })
    }

    /// Children in document order: elements, text, comments.
    pub(crate) fn children(self) -> impl Iterator<Item = NodeRef<'t>> {
        let tree = self.tree;
        let end = tree.node_data(self.id).end;
        let mut next = self.id + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let child = tree.handle(next);
            next = tree.node_data(next).end;
            Some(child)
        })
    }

    pub(crate) fn child_elements(self) -> impl Iterator<Item = Self> {
        self.children().filter_map(|node| match node {
            NodeRef::Element(element) => Some(element),
            NodeRef::Comment(_) | NodeRef::Text(_) => None,
        })
    }

    /// This element and everything below it, in document order.
    pub(crate) fn subtree(self) -> impl Iterator<Item = Self> {
        let tree = self.tree;
        (self.id..tree.node_data(self.id).end).filter_map(move |id| match tree.handle(id) {
            NodeRef::Element(element) => Some(element),
            NodeRef::Comment(_) | NodeRef::Text(_) => None,
        })
    }

    pub(crate) fn parent(self) -> Option<Self> {
        let parent = self.tree.node_data(self.id).parent;
        (parent != self.id).then(|| Element {
            tree: self.tree,
            id: parent,
            data: self.tree.element_data(parent),
        })
    }

    /// The content, if it is exactly one text node or nothing: no element, no comment in between.
    pub(crate) fn only_text(self) -> Option<&'t str> {
        let mut children = self.children();
        match (children.next(), children.next()) {
            (None, _) => Some(""),
            (Some(NodeRef::Text(text)), None) => Some(text),
            _ => None,
        }
    }

    /// Whether there is character data other than white space directly in this element.
    pub(crate) fn has_own_text(self) -> bool {
        self.children().any(|node| match node {
            NodeRef::Text(text) => text.bytes().any(|byte| !is_xml_space(byte)),
            NodeRef::Comment(_) | NodeRef::Element(_) => false,
        })
    }

    pub(super) fn tree(self) -> &'t Tree {
        self.tree
    }

    pub(super) fn id(self) -> u32 {
        self.id
    }

    pub(super) fn end(self) -> u32 {
        self.tree.node_data(self.id).end
    }

    pub(super) fn prefix(self) -> Prefix {
        self.data.name.prefix
    }

    pub(super) fn declarations(self) -> &'t [Declaration] {
        let (start, end) = self.data.declarations;
        self.tree.declarations.get(start as usize..end as usize).unwrap_or_default()
    }
}

impl Tree {
    /// The node with this number, and the number after its subtree: for the canonicaliser's linear walk.
    pub(super) fn at(&self, id: u32) -> (NodeRef<'_>, u32) {
        (self.handle(id), self.node_data(id).end)
    }
}

/// An attribute that is not a namespace declaration.
#[derive(Clone, Copy)]
pub(crate) struct Attribute<'t> {
    tree: &'t Tree,
    data: &'t AttributeData,
}

impl<'t> Attribute<'t> {
    pub(crate) fn namespace(self) -> Namespace {
        self.data.name.namespace
    }

    pub(crate) fn local_name(self) -> &'t str {
        local_of(self.tree, self.data.name)
    }

    pub(crate) fn qualified_name(self) -> &'t str {
        self.tree.slice(self.data.name.whole)
    }

    pub(crate) fn value(self) -> &'t str {
        self.tree.slice(self.data.value)
    }

    pub(super) fn prefix(self) -> Prefix {
        self.data.name.prefix
    }
}

fn local_of(tree: &Tree, name: QualifiedName) -> &str {
    tree.slice(Span { start: name.local_start, end: name.whole.end })
}

/// XML 1.0 §2.3, production S.
pub(crate) const fn is_xml_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Gate, then tree: the only way from bytes to a [`Tree`], except for our own canonical output.
pub(super) fn gated_tree(xml: &[u8], max_bytes: usize) -> Result<Tree, Rejection> {
    let limits = Limits { max_bytes, ..Limits::RESPONSE };
    Ok(Tree::parse(gate::check(xml, &limits)?)?)
}

impl From<GateError> for Rejection {
    fn from(error: GateError) -> Self {
        if let GateError::TooLarge { limit } = error {
            Self::ResponseTooLarge { limit }
        } else {
            Self::Xml { reason: error.code() }
        }
    }
}

impl From<TreeError> for Rejection {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Malformed(_) => Self::Xml { reason: "xml_not_well_formed" },
            TreeError::RelativeNamespace(received) => Self::NamespaceRelative { received },
            TreeError::TooManyNames => Self::Xml { reason: "xml_too_many_names" },
        }
    }
}
