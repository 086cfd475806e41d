//! What Microsoft Entra does differently: issuers with the tenant inside, users named by `tid` and `oid`.

use serde_json::Value;

use super::Rejection;
use super::id_token::claims::Claims;

/// Stands for the tenant in the issuer of the discovery documents that all tenants share.
const PLACEHOLDER: &str = "{tenantid}";

/// The issuers of a set of tenants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Tenants {
    template: String,
    allowed: Vec<String>,
}

impl Tenants {
    pub(super) fn new(authority: &str, tenant: &str, listed: &[String]) -> Self {
        let is_allowed = |listed: &[String]| {
            listed.is_empty() || listed.iter().any(|t| t.eq_ignore_ascii_case(tenant))
        };
        let allowed = match tenant {
            _ if is_shared(tenant) => listed.to_vec(),
            _ if is_allowed(listed) => vec![tenant.to_owned()],
            _ => Vec::new(),
        };
        Self { template: Self::base(authority, PLACEHOLDER), allowed }
    }

    pub(super) fn base(authority: &str, tenant: &str) -> String {
        format!("{}/{}/v2.0", authority.trim_end_matches('/'), tenant.to_ascii_lowercase())
    }

    pub(super) fn discovery_issuer(authority: &str, tenant: &str) -> String {
        Self::base(authority, if is_shared(tenant) { PLACEHOLDER } else { tenant })
    }

    pub(super) fn template(&self) -> &str {
        &self.template
    }

    /// The issuer of this tenant, if its users may sign in.
    pub(super) fn issuer_of(&self, tid: &str) -> Result<String, Rejection> {
        if self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(tid)) {
            return Ok(self.template.replace(PLACEHOLDER, tid));
        }
        Err(Rejection::Tenant { expected: self.allowed.clone(), received: tid.to_owned() })
    }

    /// Whether this is the issuer of a tenant whose users may sign in.
    pub(super) fn admits_issuer(&self, issuer: &str) -> bool {
        self.allowed
            .iter()
            .any(|tid| self.template.replace(PLACEHOLDER, &tid.to_ascii_lowercase()) == issuer)
    }
}

/// Entra's aliases for any tenant.
fn is_shared(tenant: &str) -> bool {
    tenant.eq_ignore_ascii_case("organizations") || tenant.eq_ignore_ascii_case("common")
}

/// A key of Entra's shared key set signs for one issuer, or, with the placeholder, for that of any tenant.
pub(super) fn key_signs_for(key_issuer: &str, issuer: &str, tid: Option<&str>) -> bool {
    key_issuer.replace(PLACEHOLDER, tid.unwrap_or(PLACEHOLDER)) == issuer
}

/// `oid` names a user within one tenant only, `sub` another one in each application: both parts are needed.
pub(super) fn subject(claims: &Claims) -> Result<String, Rejection> {
    let tid = claims.identifier("tid")?;
    let oid = claims.identifier("oid")?;
    Ok(format!("{tid}:{oid}"))
}

/// An administrator of a tenant can write any address into `email`. Only `xms_edov` says that its domain was proven.
pub(super) fn is_email_verified(claims: &Claims) -> bool {
    match claims.get("xms_edov") {
        Some(Value::Bool(is_verified)) => *is_verified,
        Some(Value::String(text)) => text == "1" || text.eq_ignore_ascii_case("true"),
        Some(Value::Number(number)) => number.as_u64() == Some(1),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => false,
    }
}
