//! What a page says: what happened, whose turn it is, what to do. No protocol words, no blame (PAGES.md).

use homerealm_connectors::error::ConnectorError;

use super::{Barred, Failure};
use crate::login::claims::ClaimRefusal;
use crate::login::email::EmailRefusal;
use crate::login::home_realm::Refusal;
use crate::login::transaction::TransactionError;

/// A page's heading and its paragraph.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Words {
    /// Also the page's title.
    pub title: &'static str,
    /// One to three sentences.
    pub text: &'static str,
}

const NOT_ACCEPTED: Words = Words {
    title: "We could not accept this sign-in",
    text: "Your company's sign-in answered, but the answer did not pass our checks. Start again from the app. If it happens again, give the reference to your IT team.",
};
const START_AGAIN: &str = "Start again from the app.";
const AWAY: Words = Words {
    title: "Sign-in is not available right now",
    text: "This is on our side, and nothing was lost. Try again in a minute.",
};

impl Failure {
    /// For the person in front of the page.
    pub fn words(&self) -> Words {
        match self {
            Self::Barred(barred) => barred.words(),
            Self::Claims(ClaimRefusal::Email(EmailRefusal::Foreign { .. })) => Words {
                title: "This account cannot sign in here",
                text: "Your e-mail address is not one of your company's addresses that this app accepts. Ask your IT team and give them the reference.",
            },
            Self::Claims(
                ClaimRefusal::AcrNotMet { .. }
                | ClaimRefusal::Email(EmailRefusal::Invisible)
                | ClaimRefusal::GroupsElsewhere
                | ClaimRefusal::InvisibleSubject,
            )
            | Self::Replayed(_) => NOT_ACCEPTED,
            Self::Connector(error) => connector_words(error),
            Self::CallbackMalformed | Self::ResponseMissing => Words {
                title: "This page opens only after a sign-in",
                text: "It was opened without a complete answer from your company's sign-in. Start again from the app.",
            },
            Self::FormNotOurs => Words {
                title: "We could not tell that this form is yours",
                text: "It came from another page or another browser. Start again from the app.",
            },
            Self::Closed(_) => home_realm_words(Refusal::UnknownConnection),
            Self::HomeRealm(refusal) => home_realm_words(*refusal),
            Self::Misconfigured(_) => Words {
                title: "This sign-in is not set up correctly",
                text: "Your company's sign-in cannot be used as it is set up here. Ask your IT team and give them the reference.",
            },
            Self::Transaction(error) => transaction_words(error),
            Self::UnsolicitedWithoutApp => Words {
                title: "Start from the app",
                text: "Your company's sign-in worked, but it did not say which app you want. Open the app and sign in there.",
            },
            Self::Unavailable(_) => AWAY,
        }
    }
}

impl Barred {
    const fn words(self) -> Words {
        match self {
            Self::Client => Words {
                title: "This app is switched off",
                text: "Sign-in for this app is switched off. Ask the people who run it and give them the reference.",
            },
            Self::Connection(_) => Words {
                title: "This sign-in is switched off",
                text: "Your company's sign-in is switched off for this app. Ask your IT team and give them the reference.",
            },
            Self::Organization => Words {
                title: "Your company's access is switched off",
                text: "Your company's access is switched off at the moment. Ask your IT team and give them the reference.",
            },
            Self::OrganizationForeign => Words {
                title: "You are not a member of this company",
                text: "Your sign-in worked, but this account does not belong to the company that the app asked for. Sign in with another account, or ask your IT team and give them the reference.",
            },
            Self::RedirectUri => Words {
                title: "This app cannot take the answer any more",
                text: "The app was changed while you signed in. Start again from the app.",
            },
            Self::UserAmbiguous => Words {
                title: "We could not tell which account is yours",
                text: "Your sign-in worked, but more than one account here could be yours. Ask your IT team and give them the reference.",
            },
            Self::UserUninvited => Words {
                title: "You need an invitation",
                text: "Your sign-in worked, but this account has not been invited here. Ask your IT team for an invitation and give them the reference.",
            },
            Self::UserUnknown => Words {
                title: "There is no account for you here",
                text: "Your sign-in worked, but nobody has set up an account for you here. Ask your IT team and give them the reference.",
            },
            Self::Login(_) | Self::User => Words {
                title: "Your access is blocked",
                text: "Your sign-in worked, but this account is blocked here. Ask your IT team and give them the reference.",
            },
        }
    }
}

const fn home_realm_words(refusal: Refusal) -> Words {
    match refusal {
        Refusal::Conflict => Words {
            title: "This sign-in link does not fit together",
            text: "It names a company and another company's sign-in. Go back to the app, and give the reference to the people who run it.",
        },
        Refusal::UnknownConnection => Words {
            title: "This company sign-in is not available",
            text: "The app asked for a company sign-in that it cannot use. Go back to the app, and give the reference to the people who run it.",
        },
        Refusal::UnknownOrganization => Words {
            title: "This company is not available",
            text: "The app asked for a company that it cannot use. Go back to the app, and give the reference to the people who run it.",
        },
    }
}

const fn connector_words(error: &ConnectorError) -> Words {
    match error {
        ConnectorError::Denied { .. } => Words { title: "You did not sign in", text: START_AGAIN },
        ConnectorError::Rejected(_) => NOT_ACCEPTED,
        ConnectorError::StoreUnavailable => AWAY,
        ConnectorError::Unreachable { .. } => Words {
            title: "Your company's sign-in does not answer",
            text: "We could not reach your company's identity provider. Try again in a minute. If it happens again, give the reference to your IT team.",
        },
        ConnectorError::UpstreamError { .. } => Words {
            title: "Your company's sign-in reported a problem",
            text: "Your company's identity provider could not sign you in. Ask your IT team and give them the reference.",
        },
    }
}

const fn transaction_words(error: &TransactionError) -> Words {
    match error {
        TransactionError::AlreadyReceived => Words {
            title: "This sign-in was already received",
            text: "We have the answer of your company's sign-in already. Continue in the browser in which you started.",
        },
        TransactionError::Completed => Words {
            title: "Login already completed",
            text: "This sign-in was used already. Go back to the app; if you are not signed in there, start again.",
        },
        TransactionError::CookieMissing => Words {
            title: "This browser did not start the sign-in",
            text: "We did not get the cookie that was set when the sign-in began. Allow cookies for this site, then start again from the app in this browser.",
        },
        TransactionError::Expired => Words {
            title: "This sign-in has expired",
            text: "It was started too long ago, or was never started here. Start again from the app.",
        },
        TransactionError::NotAnswered => Words {
            title: "This sign-in is not finished",
            text: "Finish it on your company's sign-in page, or start again from the app.",
        },
        TransactionError::OtherBrowser => Words {
            title: "This sign-in belongs to another browser",
            text: "It was started in another browser or another profile. Start again from the app in this one.",
        },
        TransactionError::OtherConnection => NOT_ACCEPTED,
        TransactionError::Store(_) => AWAY,
        TransactionError::Superseded => Words {
            title: "This sign-in was started again",
            text: "The answer belongs to an earlier start of it. Continue on the page that you opened last, or start again from the app.",
        },
        TransactionError::TooManyAttempts => {
            Words { title: "This sign-in was started too often", text: START_AGAIN }
        }
    }
}
