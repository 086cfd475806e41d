//! From quick-xml events to a [`Tree`].

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::bindings::{Bindings, Declaration};
use super::super::names::{Namespace, Prefix, WELL_KNOWN};
use super::lexical::{
    declared_prefix, index, is_absolute, malformed, number, push_with_line_ends, resolve,
};
use super::{
    AttributeData, Content, ElementData, MAX_NAMES, Node, QualifiedName, Span, Tree, TreeError,
};

pub(super) fn build(source: &str) -> Result<Tree, TreeError> {
    // A document of more than 4 GiB never gets here; the gate's limit is far below.
    if u32::try_from(source.len()).is_err() {
        return Err(malformed("too large"));
    }
    let mut reader = Reader::from_str(source);
    reader.config_mut().check_comments = true;
    let mut builder = Builder::new(source);
    loop {
        match reader.read_event().map_err(|error| malformed(&error.to_string()))? {
            Event::Start(start) => builder.start(&start)?,
            Event::Empty(start) => {
                builder.start(&start)?;
                builder.end()?;
            }
            Event::End(_) => builder.end()?,
            Event::Text(text) => builder.text(&text, Escaping::Done)?,
            Event::CData(text) => builder.text(&text, Escaping::Done)?,
            Event::GeneralRef(name) => builder.text(&name, Escaping::Reference)?,
            Event::Comment(text) => builder.comment(&text)?,
            Event::Decl(_) if builder.tree.nodes.is_empty() => {}
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                return Err(malformed("declaration or instruction"));
            }
            Event::Eof => return builder.finish(),
        }
    }
}

struct Builder<'s> {
    source: &'s str,
    /// Values that differ from the source text; their spans begin at `source.len()`.
    rewritten: String,
    tree: Tree,
    /// The prefixes by number; what the tree keeps as spans.
    prefixes: Vec<&'s str>,
    open: Vec<Open>,
    /// What prefixes mean where the reader stands.
    scope: Bindings,
    run: Run,
}

struct Open {
    node: u32,
    scope: usize,
}

/// Character data that has been read and is not yet a node.
#[derive(Clone, Copy)]
enum Run {
    Nothing,
    /// One stretch of the source, as it stands.
    Source(Span),
    /// From here to the end of `rewritten`.
    Rewritten(usize),
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Escaping {
    Done,
    Reference,
}

impl<'s> Builder<'s> {
    fn new(source: &'s str) -> Self {
        let nodes = source.len() / 48 + 8;
        let tree = Tree {
            text: String::new(),
            nodes: Vec::with_capacity(nodes),
            attributes: Vec::with_capacity(nodes),
            declarations: Vec::with_capacity(nodes / 2),
            prefixes: vec![Span::default(); 2],
            namespaces: vec![Span::default(); WELL_KNOWN.len()],
        };
        let mut scope = Bindings::with_room(16);
        scope.declare(Declaration { prefix: Prefix::XML, namespace: Namespace::XML });
        Self {
            source,
            rewritten: String::new(),
            tree,
            prefixes: vec!["", "xml"],
            open: Vec::with_capacity(16),
            scope,
            run: Run::Nothing,
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), TreeError> {
        self.flush()?;
        let node = self.push_node()?;
        self.open.push(Open { node, scope: self.scope.mark() });
        let first_attribute = index(self.tree.attributes.len())?;
        let first_declaration = index(self.tree.declarations.len())?;
        // The gate has seen to it that no attribute occurs twice.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| malformed(&error.to_string()))?;
            self.attribute(attribute.key.0, &attribute.value)?;
        }
        let name = self.element_name(start.name().0)?;
        for position in first_attribute as usize..self.tree.attributes.len() {
            self.resolve_attribute(position)?;
        }
        let content = Content::Element(ElementData {
            name,
            attributes: (first_attribute, index(self.tree.attributes.len())?),
            declarations: (first_declaration, index(self.tree.declarations.len())?),
        });
        match self.tree.nodes.get_mut(node as usize) {
            Some(slot) => slot.content = content,
            None => return Err(malformed("lost element")),
        }
        Ok(())
    }

    fn push_node(&mut self) -> Result<u32, TreeError> {
        let node = index(self.tree.nodes.len())?;
        let parent = match self.open.last() {
            Some(open) => open.node,
            None if node == 0 => 0,
            None => return Err(malformed("content outside the root element")),
        };
        self.tree.nodes.push(Node {
            parent,
            end: node + 1,
            content: Content::Text(Span::default()),
        });
        Ok(node)
    }

    fn end(&mut self) -> Result<(), TreeError> {
        self.flush()?;
        let open = self.open.pop().ok_or_else(|| malformed("end without start"))?;
        let end = index(self.tree.nodes.len())?;
        if let Some(node) = self.tree.nodes.get_mut(open.node as usize) {
            node.end = end;
        }
        self.scope.restore(open.scope);
        Ok(())
    }

    fn attribute(&mut self, key: &str, value: &str) -> Result<(), TreeError> {
        let value = self.attribute_value(value)?;
        if let Some(prefix) = declared_prefix(key) {
            return self.declare(prefix, value);
        }
        let name = self.split_name(key)?;
        self.tree.attributes.push(AttributeData { name, value });
        Ok(())
    }

    fn declare(&mut self, prefix: &str, value: Span) -> Result<(), TreeError> {
        let prefix = self.intern_prefix(prefix)?;
        let namespace = self.intern_namespace(value)?;
        if prefix == Prefix::XML {
            // Namespaces in XML 1.0 §3: `xml` may be declared, but only as what it is; C14N never writes it.
            return if namespace == Namespace::XML {
                Ok(())
            } else {
                Err(malformed("xml prefix rebound"))
            };
        }
        if namespace == Namespace::NONE && prefix != Prefix::DEFAULT {
            return Err(malformed("prefix without a namespace"));
        }
        let declaration = Declaration { prefix, namespace };
        self.scope.declare(declaration);
        self.tree.declarations.push(declaration);
        Ok(())
    }

    fn element_name(&mut self, key: &str) -> Result<QualifiedName, TreeError> {
        let mut name = self.split_name(key)?;
        name.namespace = self.lookup(name.prefix)?;
        Ok(name)
    }

    fn resolve_attribute(&mut self, position: usize) -> Result<(), TreeError> {
        let Some(prefix) =
            self.tree.attributes.get(position).map(|attribute| attribute.name.prefix)
        else {
            return Ok(());
        };
        if prefix != Prefix::DEFAULT {
            let namespace = self.lookup(prefix)?;
            if let Some(attribute) = self.tree.attributes.get_mut(position) {
                attribute.name.namespace = namespace;
            }
        }
        Ok(())
    }

    fn lookup(&self, prefix: Prefix) -> Result<Namespace, TreeError> {
        self.scope.get(prefix).ok_or_else(|| malformed("undeclared prefix"))
    }

    fn split_name(&mut self, key: &str) -> Result<QualifiedName, TreeError> {
        let whole = self.span(key)?;
        let (prefix, local_start) = match key.split_once(':') {
            None => (Prefix::DEFAULT, whole.start),
            Some((prefix, local))
                if !local.contains(':') && !local.is_empty() && !prefix.is_empty() =>
            {
                (self.intern_prefix(prefix)?, whole.start + index(prefix.len())? + 1)
            }
            Some(_) => return Err(malformed("name with a misplaced colon")),
        };
        Ok(QualifiedName { prefix, namespace: Namespace::NONE, whole, local_start })
    }

    fn intern_prefix(&mut self, text: &str) -> Result<Prefix, TreeError> {
        // Most elements have the prefix of the one before them: the latest names first.
        if let Some(position) = self.prefixes.iter().rposition(|known| *known == text) {
            return number(position).map(Prefix);
        }
        if self.prefixes.len() >= MAX_NAMES {
            return Err(TreeError::TooManyNames);
        }
        let prefix = number(self.prefixes.len()).map(Prefix)?;
        let span = self.span(text)?;
        self.tree.prefixes.push(span);
        self.prefixes
            .push(self.source.get(span.start as usize..span.end as usize).unwrap_or_default());
        Ok(prefix)
    }

    fn intern_namespace(&mut self, value: Span) -> Result<Namespace, TreeError> {
        let text = self.read(value);
        let own = self.tree.namespaces.get(WELL_KNOWN.len()..).unwrap_or_default();
        let known = own
            .iter()
            .rposition(|span| self.read(*span) == text)
            .map(|position| position + WELL_KNOWN.len())
            .or_else(|| WELL_KNOWN.iter().position(|name| *name == text));
        if let Some(position) = known {
            return number(position).map(Namespace);
        }
        if !is_absolute(text) {
            return Err(TreeError::RelativeNamespace(text.chars().take(100).collect()));
        }
        if self.tree.namespaces.len() >= MAX_NAMES {
            return Err(TreeError::TooManyNames);
        }
        let namespace = number(self.tree.namespaces.len()).map(Namespace)?;
        self.tree.namespaces.push(value);
        Ok(namespace)
    }

    /// XML 1.0 §3.3.3: references replaced, literal white space becomes a space each (a CR LF pair is one, §2.11).
    fn attribute_value(&mut self, raw: &str) -> Result<Span, TreeError> {
        // Without an early way out, so that it becomes vector code: control characters here are white space.
        let plain = raw.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'&'));
        if plain {
            return self.span(raw);
        }
        let from = self.rewritten.len();
        let mut rest = raw;
        while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
            let (plain, special) = rest.split_at(at);
            self.rewritten.push_str(plain);
            if let Some(reference) = special.strip_prefix('&') {
                let (name, after) = reference
                    .split_once(';')
                    .ok_or_else(|| malformed("reference without an end"))?;
                self.rewritten.push(resolve(name)?);
                rest = after;
            } else {
                self.rewritten.push(' ');
                rest =
                    special.strip_prefix("\r\n").or_else(|| special.get(1..)).unwrap_or_default();
            }
        }
        self.rewritten.push_str(rest);
        self.rewritten_from(from)
    }

    fn text(&mut self, piece: &str, escaping: Escaping) -> Result<(), TreeError> {
        if self.open.is_empty() {
            let blank = escaping == Escaping::Done && piece.bytes().all(super::is_xml_space);
            return if blank { Ok(()) } else { Err(malformed("text outside the root element")) };
        }
        if matches!(self.run, Run::Nothing) && escaping == Escaping::Done && !piece.contains('\r') {
            if !piece.is_empty() {
                self.run = Run::Source(self.span(piece)?);
            }
            return Ok(());
        }
        self.start_rewriting();
        if escaping == Escaping::Reference {
            self.rewritten.push(resolve(piece)?);
        } else {
            push_with_line_ends(&mut self.rewritten, piece);
        }
        Ok(())
    }

    /// From now on the run is in `rewritten`, with what it held so far.
    fn start_rewriting(&mut self) {
        let from = self.rewritten.len();
        match self.run {
            Run::Rewritten(_) => return,
            Run::Nothing => {}
            Run::Source(span) => {
                let source: &'s str = self.source;
                self.rewritten.push_str(
                    source.get(span.start as usize..span.end as usize).unwrap_or_default(),
                );
            }
        }
        self.run = Run::Rewritten(from);
    }

    fn flush(&mut self) -> Result<(), TreeError> {
        let span = match std::mem::replace(&mut self.run, Run::Nothing) {
            Run::Nothing => return Ok(()),
            Run::Source(span) => span,
            Run::Rewritten(from) => self.rewritten_from(from)?,
        };
        if span.start == span.end {
            return Ok(());
        }
        self.leaf(Content::Text(span))
    }

    fn comment(&mut self, text: &str) -> Result<(), TreeError> {
        if self.open.is_empty() {
            // Outside the root: not part of any element's canonical form.
            return Ok(());
        }
        self.flush()?;
        let span = if text.contains('\r') {
            let from = self.rewritten.len();
            push_with_line_ends(&mut self.rewritten, text);
            self.rewritten_from(from)?
        } else {
            self.span(text)?
        };
        self.leaf(Content::Comment(span))
    }

    fn leaf(&mut self, content: Content) -> Result<(), TreeError> {
        let node = self.push_node()?;
        if let Some(slot) = self.tree.nodes.get_mut(node as usize) {
            slot.content = content;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Tree, TreeError> {
        if !self.open.is_empty() || self.tree.nodes.is_empty() {
            return Err(malformed("truncated or empty"));
        }
        let mut text = String::with_capacity(self.source.len() + self.rewritten.len());
        text.push_str(self.source);
        text.push_str(&self.rewritten);
        self.tree.text = text;
        Ok(self.tree)
    }

    /// Where `part`, borrowed from the source by the reader, stands in it.
    fn span(&self, part: &str) -> Result<Span, TreeError> {
        let start = (part.as_ptr() as usize).checked_sub(self.source.as_ptr() as usize);
        let end = start.and_then(|start| start.checked_add(part.len()));
        match (start, end) {
            (Some(start), Some(end)) if end <= self.source.len() => {
                Ok(Span { start: index(start)?, end: index(end)? })
            }
            _ => Err(malformed("text that is not from the source")),
        }
    }

    fn rewritten_from(&self, from: usize) -> Result<Span, TreeError> {
        let base = self.source.len();
        Ok(Span { start: index(base + from)?, end: index(base + self.rewritten.len())? })
    }

    fn read(&self, span: Span) -> &str {
        let (start, end) = (span.start as usize, span.end as usize);
        let base = self.source.len();
        let found = if start >= base && end > base {
            self.rewritten.get(start - base..end - base)
        } else {
            self.source.get(start..end)
        };
        found.unwrap_or_default()
    }
}
