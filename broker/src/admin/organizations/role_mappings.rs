//! `role_mappings` of an organization.

use crate::admin::fields::Fields;
use crate::catalog::{Name, RoleMapping};

/// Longer is neither a group nor a role.
const LONGEST: usize = 256;

/// Reads them. A connection need not exist yet: whoever applies a whole document makes organizations first.
pub(super) fn read(fields: &mut Fields) -> Vec<RoleMapping> {
    let mut mappings: Vec<RoleMapping> = Vec::new();
    for mut inner in fields.objects("role_mappings").unwrap_or_default() {
        let group = inner.parsed("group", word);
        let group = inner.require("group", group);
        let role = inner.parsed("role", word);
        let role = inner.require("role", role);
        let connection = inner.parsed("connection", Name::try_from);
        if let (Some(group), Some(role)) = (group, role) {
            let mapping = RoleMapping { group, role, connection };
            if mappings.contains(&mapping) {
                inner.refuse("group", "is mapped to this role twice");
            }
            mappings.push(mapping);
        }
        fields.absorb(inner);
    }
    mappings
}

fn word(text: String) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err("must be text of one line, 256 bytes at most");
    }
    Ok(text)
}
