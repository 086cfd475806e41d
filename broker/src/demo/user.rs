//! The people of the demo.

/// Someone whom a sample IdP signs in by a click.
#[derive(Clone, Debug)]
pub struct SampleUser {
    /// NameID or `sub`.
    pub subject: String,
    /// Address in the company's domain.
    pub email: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Where they work.
    pub company: String,
}

impl SampleUser {
    /// Of Acme, which speaks SAML.
    pub fn alice() -> Self {
        Self {
            subject: "acme-0001".to_owned(),
            email: "alice@acme.example".to_owned(),
            given_name: "Alice".to_owned(),
            family_name: "Ashworth".to_owned(),
            company: "Acme".to_owned(),
        }
    }

    /// Of Globex, which speaks OpenID Connect.
    pub fn bob() -> Self {
        Self {
            subject: "globex-0001".to_owned(),
            email: "bob@globex.example".to_owned(),
            given_name: "Bob".to_owned(),
            family_name: "Barlow".to_owned(),
            company: "Globex".to_owned(),
        }
    }

    /// Given and family name.
    pub fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }
}
