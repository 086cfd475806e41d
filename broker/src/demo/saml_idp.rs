//! A sample SAML IdP: one user, signed in by a click, and answers with one fault each for those who want to see a login fail.
//!
//! Its rules are a real IdP's where they protect anyone: it answers only service providers that it was told of, and only at
//! the ACS that was registered for them.

mod fault;
mod request;
mod response;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, PoisonError, RwLock};

use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use homerealm_certs::{Random, SpKey};
use homerealm_metadata::xml_text::{escape_attribute, escape_text};

use super::DemoError;
use super::pages::{self, FaultChoice, IdpPage, PostPage};
use super::server::{self, Served};
use super::user::SampleUser;
use crate::clock::Clock;
use crate::ids;
use crate::oauth::params::Params;
use request::AuthnRequest;
use response::{Says, Signed};

pub use fault::SamlFault;

/// The running IdP.
#[derive(Clone, Debug)]
pub struct SamlIdp {
    served: Served,
    state: Data<State>,
}

/// Entity id → ACS.
type Providers = RwLock<BTreeMap<String, String>>;

struct State {
    entity_id: String,
    sso: String,
    key: SpKey,
    /// Not in the metadata.
    other_key: SpKey,
    user: SampleUser,
    providers: Providers,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// Days of the sample certificates.
const LIFETIME_DAYS: i64 = 30;

impl SamlIdp {
    /// Serves on this socket; the entity id is the metadata's address.
    ///
    /// # Errors
    /// [`DemoError`].
    pub fn start(
        listener: TcpListener,
        user: SampleUser,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, DemoError> {
        let origin = server::origin(&listener).map_err(super::system("a socket"))?;
        let key = || {
            SpKey::generate("sample-idp.example", clock.now(), LIFETIME_DAYS)
                .map_err(|e| DemoError::Key(e.to_string()))
        };
        let state = Data::new(State {
            entity_id: format!("{origin}/metadata"),
            sso: format!("{origin}/sso"),
            key: key()?,
            other_key: key()?,
            user,
            providers: RwLock::default(),
            clock,
            random,
        });
        let data = state.clone();
        let served = server::serve(listener, move |routes| {
            routes.app_data(data.clone()).route("/metadata", web::get().to(metadata)).service(
                web::resource("/sso").route(web::get().to(ask)).route(web::post().to(answer)),
            );
        });
        Ok(Self { served: served.map_err(super::system("a server"))?, state })
    }

    /// Answers this service provider from now on.
    pub fn trust(&self, entity_id: &str, acs: &str) {
        let mut providers = self.state.providers.write().unwrap_or_else(PoisonError::into_inner);
        providers.insert(entity_id.to_owned(), acs.to_owned());
    }

    /// Where its metadata is; also its entity id.
    pub fn metadata_url(&self) -> &str {
        &self.state.entity_id
    }

    /// Where it answers.
    pub fn served(&self) -> &Served {
        &self.served
    }
}

/// `GET /metadata`
async fn metadata(state: Data<State>) -> HttpResponse {
    let certificate = STANDARD.encode(state.key.certificate().der());
    let (entity_id, sso) = (escape_attribute(&state.entity_id), escape_attribute(&state.sso));
    let company = escape_text(&state.user.company);
    HttpResponse::Ok().content_type("application/samlmetadata+xml").body(format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing">
      <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo>
    </KeyDescriptor>
    <NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso}"/>
  </IDPSSODescriptor>
  <Organization>
    <OrganizationName xml:lang="en">{company} (sample)</OrganizationName>
    <OrganizationDisplayName xml:lang="en">{company} (sample)</OrganizationDisplayName>
    <OrganizationURL xml:lang="en">{entity_id}</OrganizationURL>
  </Organization>
</EntityDescriptor>
"#
    ))
}

/// `GET /sso`: the page with the one user.
async fn ask(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string()).unwrap_or_default();
    let message = params.get("SAMLRequest").unwrap_or_default();
    if state.read(message).is_none() {
        return unreadable();
    }
    // under other names, for the page is no SAML message
    let mut hidden = vec![("request", message)];
    hidden.extend(params.get("RelayState").map(|relay| ("relay", relay)));
    let faults: Vec<_> = SamlFault::ALL
        .iter()
        .map(|fault| FaultChoice { value: fault.as_str(), label: fault.label() })
        .collect();
    pages::page(
        StatusCode::OK,
        &IdpPage {
            protocol: "SAML 2.0",
            user: &state.user,
            action: "/sso",
            hidden: &hidden,
            faults: &faults,
        },
    )
}

/// `POST /sso`: what the click sends to the ACS.
async fn answer(state: Data<State>, body: String) -> HttpResponse {
    let params = Params::parse(&body).unwrap_or_default();
    let message = params.get("request").unwrap_or_default();
    let Some((asked, acs)) = state.read(message) else { return unreadable() };
    let xml = match params.get("answer") {
        Some("sign_in") => state.respond(&asked, &acs, None),
        Some("decline") => Ok(state.says(&asked, &acs).declined()),
        Some(other) => match SamlFault::parse(other) {
            Some(fault) => state.respond(&asked, &acs, Some(fault)),
            None => return unreadable(),
        },
        None => return unreadable(),
    };
    let Ok(xml) = xml else {
        let text = "Start the demo again.";
        return pages::problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The sample could not sign",
            text,
        );
    };
    let mut fields = vec![("SAMLResponse", STANDARD.encode(xml))];
    fields.extend(params.get("relay").map(|relay| ("RelayState", relay.to_owned())));
    pages::page(StatusCode::OK, &PostPage { action: &acs, fields: &fields })
}

impl State {
    /// The request of a known service provider, and its registered ACS, which the answer goes to.
    fn read(&self, message: &str) -> Option<(AuthnRequest, String)> {
        let request = AuthnRequest::from_redirect(message)?;
        let providers = self.providers.read().unwrap_or_else(PoisonError::into_inner);
        let acs = providers.get(&request.issuer).cloned()?;
        let fits = request.acs.as_ref().is_none_or(|asked| *asked == acs);
        fits.then_some((request, acs))
    }

    /// A good answer.
    fn says(&self, asked: &AuthnRequest, acs: &str) -> Says {
        Says {
            response_id: format!("_{}", ids::transaction(self.random.as_ref())),
            assertion_id: format!("_{}", ids::transaction(self.random.as_ref())),
            in_response_to: asked.id.clone(),
            issuer: self.entity_id.clone(),
            acs: acs.to_owned(),
            audience: asked.issuer.clone(),
            name_id_format: response::PERSISTENT,
            user: self.user.clone(),
            issued: self.clock.now(),
        }
    }

    fn respond(
        &self,
        asked: &AuthnRequest,
        acs: &str,
        fault: Option<SamlFault>,
    ) -> Result<String, homerealm_certs::SigningError> {
        let mut says = self.says(asked, acs);
        if let Some(fault) = fault {
            fault.change(&mut says, self.random.as_ref());
        }
        match fault {
            Some(SamlFault::Unsigned) => Ok(says.unsigned()),
            Some(SamlFault::OtherKey) => Ok(Signed::by(&self.other_key, says)?.xml()),
            Some(SamlFault::ChangedAfterSigning) => {
                let mut signed = Signed::by(&self.key, says)?;
                signed.says.user.email = "mallory@acme.example".to_owned();
                Ok(signed.xml())
            }
            Some(_) | None => Ok(Signed::by(&self.key, says)?.xml()),
        }
    }
}

fn unreadable() -> HttpResponse {
    pages::problem(
        StatusCode::BAD_REQUEST,
        "This page opens only from a sign-in",
        "It was opened without a request of the demo's broker. Start at the sample app.",
    )
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SamlIdp({})", self.entity_id)
    }
}
