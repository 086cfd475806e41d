//! Claim mapping presets: for each of our claims the upstream names that a vendor uses, best first (EXAMPLES 2.13).
//!
//! A vendor's own table comes first, the generic one of the protocol after it, so that an attribute under its standard name
//! is found whoever sends it. `roles` and `email_verified` have no row: they are not the IdP's to state (RULES 19, 22).

use crate::catalog::{Connection, ConnectionOptions, Vendor};

/// A claim that can be mapped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names of OIDC Core §5.1, and groups")]
pub enum Claim {
    Email,
    FamilyName,
    GivenName,
    Groups,
    Locale,
    MiddleName,
    Name,
    Nickname,
    PhoneNumber,
    Picture,
    PreferredUsername,
    Profile,
    Website,
    Zoneinfo,
}

/// Which names an IdP speaks in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// Members of a userinfo answer.
    OAuth2,
    /// OIDC claims.
    Oidc,
    /// Our own words for a password account: those of OIDC.
    Password,
    /// SAML attributes.
    Saml,
}

impl Protocol {
    /// The connection's.
    pub const fn of(connection: &Connection) -> Self {
        match connection.options {
            ConnectionOptions::OAuth2(_) => Self::OAuth2,
            ConnectionOptions::Oidc(_) => Self::Oidc,
            ConnectionOptions::Password(_) => Self::Password,
            ConnectionOptions::Saml(_) => Self::Saml,
        }
    }
}

type Table = &'static [(Claim, &'static [&'static str])];

impl Claim {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Email,
        Self::FamilyName,
        Self::GivenName,
        Self::Groups,
        Self::Locale,
        Self::MiddleName,
        Self::Name,
        Self::Nickname,
        Self::PhoneNumber,
        Self::Picture,
        Self::PreferredUsername,
        Self::Profile,
        Self::Website,
        Self::Zoneinfo,
    ];

    /// Our name for it; the key of a connection's own table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::FamilyName => "family_name",
            Self::GivenName => "given_name",
            Self::Groups => "groups",
            Self::Locale => "locale",
            Self::MiddleName => "middle_name",
            Self::Name => "name",
            Self::Nickname => "nickname",
            Self::PhoneNumber => "phone_number",
            Self::Picture => "picture",
            Self::PreferredUsername => "preferred_username",
            Self::Profile => "profile",
            Self::Website => "website",
            Self::Zoneinfo => "zoneinfo",
        }
    }
}

/// The upstream names of a claim, best first.
pub fn upstream_names(
    vendor: Vendor,
    protocol: Protocol,
    claim: Claim,
) -> impl Iterator<Item = &'static str> {
    let generic = match protocol {
        Protocol::OAuth2 | Protocol::Oidc | Protocol::Password => OIDC,
        Protocol::Saml => SAML,
    };
    let rows = vendor_table(vendor, protocol).iter().chain(generic);
    rows.filter(move |(c, _)| *c == claim).flat_map(|(_, names)| names.iter().copied())
}

const fn vendor_table(vendor: Vendor, protocol: Protocol) -> Table {
    match (protocol, vendor) {
        (Protocol::Saml, Vendor::Adfs) => ADFS_SAML,
        (Protocol::Saml, Vendor::Auth0) => AUTH0_SAML,
        (Protocol::Saml, Vendor::Entra) => ENTRA_SAML,
        (Protocol::Saml, Vendor::Keycloak) => KEYCLOAK_SAML,
        (Protocol::Saml, Vendor::Google | Vendor::Okta) => OKTA_SAML,
        (Protocol::Saml, Vendor::Shibboleth) => SHIBBOLETH_SAML,
        (Protocol::Oidc, Vendor::Adfs) => ADFS_OIDC,
        (Protocol::OAuth2, Vendor::Github) => GITHUB_OAUTH2,
        (Protocol::Saml, Vendor::Generic | Vendor::Github)
        | (Protocol::OAuth2, Vendor::Adfs)
        | (Protocol::Password, _)
        | (
            Protocol::OAuth2 | Protocol::Oidc,
            Vendor::Auth0
            | Vendor::Entra
            | Vendor::Generic
            | Vendor::Google
            | Vendor::Keycloak
            | Vendor::Okta
            | Vendor::Shibboleth,
        )
        | (Protocol::Oidc, Vendor::Github) => &[],
    }
}

/// OIDC Core §5.1; every one of these vendors keeps to it.
const OIDC: Table = &[
    (Claim::Email, &["email"]),
    (Claim::FamilyName, &["family_name"]),
    (Claim::GivenName, &["given_name"]),
    (Claim::Groups, &["groups"]),
    (Claim::Locale, &["locale"]),
    (Claim::MiddleName, &["middle_name"]),
    (Claim::Name, &["name"]),
    (Claim::Nickname, &["nickname"]),
    (Claim::PhoneNumber, &["phone_number"]),
    (Claim::Picture, &["picture"]),
    (Claim::PreferredUsername, &["preferred_username"]),
    (Claim::Profile, &["profile"]),
    (Claim::Website, &["website"]),
    (Claim::Zoneinfo, &["zoneinfo"]),
];

/// ADFS names the user by `upn` and `unique_name`, and puts groups under `group`.
const ADFS_OIDC: Table = &[
    (Claim::Groups, &["groups", "group"]),
    (Claim::PreferredUsername, &["preferred_username", "upn", "unique_name"]),
];

/// GitHub's API (`GET /user`); a `login` can be changed and taken over, so it is a name to show and no more.
const GITHUB_OAUTH2: Table = &[
    (Claim::Picture, &["avatar_url"]),
    (Claim::PreferredUsername, &["login"]),
    (Claim::Profile, &["html_url"]),
    (Claim::Website, &["blog"]),
];

/// Plain names as administrators type them, the identity claim URIs of Microsoft's products, and the OIDs of LDAP
/// attributes (RFC 4519, RFC 2798, eduPerson).
const SAML: Table = &[
    (
        Claim::Email,
        &[
            "email",
            "mail",
            "emailAddress",
            "emailaddress",
            "Email",
            "user.email",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
            "urn:oid:0.9.2342.19200300.100.1.3",
            "urn:oid:1.2.840.113549.1.9.1",
        ],
    ),
    (
        Claim::FamilyName,
        &[
            "family_name",
            "lastName",
            "surname",
            "sn",
            "LastName",
            "last_name",
            "user.lastName",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
            "urn:oid:2.5.4.4",
        ],
    ),
    (
        Claim::GivenName,
        &[
            "given_name",
            "firstName",
            "givenName",
            "givenname",
            "FirstName",
            "first_name",
            "user.firstName",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
            "urn:oid:2.5.4.42",
        ],
    ),
    (
        Claim::Groups,
        &[
            "groups",
            "memberOf",
            "member",
            "isMemberOf",
            "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
            "http://schemas.xmlsoap.org/claims/Group",
            "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
        ],
    ),
    (Claim::Locale, &["locale", "preferredLanguage", "urn:oid:2.16.840.1.113730.3.1.39"]),
    (Claim::MiddleName, &["middle_name", "middleName"]),
    (
        Claim::Name,
        &[
            "name",
            "displayName",
            "display_name",
            "displayname",
            "cn",
            "http://schemas.microsoft.com/identity/claims/displayname",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
            "http://schemas.xmlsoap.org/claims/CommonName",
            "urn:oid:2.16.840.1.113730.3.1.241",
            "urn:oid:2.5.4.3",
        ],
    ),
    (Claim::Nickname, &["nickname", "http://schemas.auth0.com/nickname"]),
    (
        Claim::PhoneNumber,
        &[
            "phone_number",
            "telephoneNumber",
            "mobile",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/mobilephone",
            "urn:oid:2.5.4.20",
            "urn:oid:0.9.2342.19200300.100.1.41",
        ],
    ),
    (Claim::Picture, &["picture", "http://schemas.auth0.com/picture"]),
    (
        Claim::PreferredUsername,
        &[
            "preferred_username",
            "username",
            "login",
            "uid",
            "eduPersonPrincipalName",
            "userPrincipalName",
            "upn",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
            "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
            "urn:oid:0.9.2342.19200300.100.1.1",
        ],
    ),
    (Claim::Profile, &["profile"]),
    (Claim::Website, &["website", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/webpage"]),
    (Claim::Zoneinfo, &["zoneinfo", "timezone"]),
];

/// Entra sends the user principal name under `…/claims/name`; the display name has a URI of its own.
const ENTRA_SAML: Table = &[
    (Claim::Email, &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"]),
    (Claim::FamilyName, &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"]),
    (Claim::GivenName, &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"]),
    (Claim::Groups, &["http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"]),
    (Claim::Name, &["http://schemas.microsoft.com/identity/claims/displayname"]),
    (
        Claim::PreferredUsername,
        &[
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
        ],
    ),
];

/// ADFS by its built-in claim descriptions.
const ADFS_SAML: Table = &[
    (Claim::Email, &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"]),
    (Claim::FamilyName, &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"]),
    (Claim::GivenName, &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"]),
    (Claim::Groups, &["http://schemas.xmlsoap.org/claims/Group"]),
    (
        Claim::Name,
        &[
            "http://schemas.xmlsoap.org/claims/CommonName",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
        ],
    ),
    (
        Claim::PreferredUsername,
        &[
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
            "http://schemas.microsoft.com/ws/2008/06/identity/claims/windowsaccountname",
        ],
    ),
];

/// Auth0's SAML add-on maps its profile to the identity claim URIs and the rest below its own.
const AUTH0_SAML: Table = &[
    (Claim::Email, &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"]),
    (Claim::FamilyName, &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"]),
    (Claim::GivenName, &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"]),
    (Claim::Groups, &["http://schemas.auth0.com/groups"]),
    (Claim::Locale, &["http://schemas.auth0.com/locale"]),
    (Claim::Name, &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"]),
    (Claim::Nickname, &["http://schemas.auth0.com/nickname"]),
    (Claim::Picture, &["http://schemas.auth0.com/picture"]),
    (Claim::PreferredUsername, &["http://schemas.auth0.com/username"]),
];

/// Okta and Google let the administrator type the names; these are the ones that their guides type.
const OKTA_SAML: Table = &[
    (Claim::Email, &["email", "user.email", "Email"]),
    (Claim::FamilyName, &["lastName", "user.lastName", "last_name"]),
    (Claim::GivenName, &["firstName", "user.firstName", "first_name"]),
    (Claim::Groups, &["groups"]),
    (Claim::Name, &["displayName", "user.displayName", "name"]),
    (Claim::PreferredUsername, &["login", "user.login"]),
];

/// Keycloak's built-in mappers: X.500 OIDs, `member` for groups.
const KEYCLOAK_SAML: Table = &[
    (Claim::Email, &["urn:oid:1.2.840.113549.1.9.1", "email"]),
    (Claim::FamilyName, &["urn:oid:2.5.4.4", "lastName"]),
    (Claim::GivenName, &["urn:oid:2.5.4.42", "firstName"]),
    (Claim::Groups, &["member", "groups"]),
    (Claim::PreferredUsername, &["username"]),
];

/// Shibboleth and most of higher education: LDAP and eduPerson OIDs.
const SHIBBOLETH_SAML: Table = &[
    (Claim::Email, &["urn:oid:0.9.2342.19200300.100.1.3"]),
    (Claim::FamilyName, &["urn:oid:2.5.4.4"]),
    (Claim::GivenName, &["urn:oid:2.5.4.42"]),
    (Claim::Groups, &["urn:oid:1.3.6.1.4.1.5923.1.5.1.1"]),
    (Claim::Locale, &["urn:oid:2.16.840.1.113730.3.1.39"]),
    (Claim::Name, &["urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:2.5.4.3"]),
    (
        Claim::PreferredUsername,
        &["urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "urn:oid:0.9.2342.19200300.100.1.1"],
    ),
];
