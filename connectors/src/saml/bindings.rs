//! What each prefix is bound to at one place of a document, with a way back to an earlier place.

use super::names::{Namespace, Prefix};

/// `xmlns:prefix="namespace"` on one element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declaration {
    pub(super) prefix: Prefix,
    pub(super) namespace: Namespace,
}

/// Bindings by prefix. Each declaration is remembered, so that the end of an element restores what it shadowed.
pub(super) struct Bindings {
    bound: Vec<Option<Namespace>>,
    before: Vec<(Prefix, Option<Namespace>)>,
}

impl Bindings {
    /// Nothing declared: the default namespace is none. There is room for so many prefixes without allocating again.
    pub(super) fn with_room(prefixes: usize) -> Self {
        let mut bound = Vec::with_capacity(prefixes.max(1));
        bound.push(Some(Namespace::NONE));
        Self { bound, before: Vec::with_capacity(16) }
    }

    pub(super) fn get(&self, prefix: Prefix) -> Option<Namespace> {
        self.bound.get(prefix.index()).copied().flatten()
    }

    pub(super) fn declare(&mut self, declaration: Declaration) {
        let index = declaration.prefix.index();
        if index >= self.bound.len() {
            self.bound.resize(index + 1, None);
        }
        if let Some(slot) = self.bound.get_mut(index) {
            self.before.push((declaration.prefix, *slot));
            *slot = Some(declaration.namespace);
        }
    }

    pub(super) fn declare_all(&mut self, declarations: &[Declaration]) {
        for declaration in declarations {
            self.declare(*declaration);
        }
    }

    /// Where [`Bindings::restore`] can come back to.
    pub(super) fn mark(&self) -> usize {
        self.before.len()
    }

    pub(super) fn restore(&mut self, mark: usize) {
        for (prefix, before) in self.before.drain(mark..).rev() {
            if let Some(slot) = self.bound.get_mut(prefix.index()) {
                *slot = before;
            }
        }
    }
}
