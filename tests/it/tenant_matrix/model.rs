//! The rules of DESIGN §2 said again, as plainly as they can be, knowing nothing of the broker.

/// Whose app asks. `Own` is one organization, `Other` another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// First-party.
    Ours,
    /// First-party, tied to `Own`.
    OursOfOwn,
    /// Third-party, of `Own`.
    TheirsOfOwn,
}

/// Whose the connection is, or which organization a request names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    Nobody,
    Other,
    Own,
}

/// To whose third-party clients the connection is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Promotion {
    All,
    No,
    Other,
    Own,
}

/// What the lists of both sides say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum List {
    Absent,
    NotByClient,
    NotByConnection,
    Present,
}

/// What is disabled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Off {
    Client,
    Connection,
    Nothing,
    Other,
    Own,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) kind: Kind,
    pub(super) owner: Owner,
    pub(super) promotion: Promotion,
    pub(super) list: List,
    pub(super) off: Off,
}

impl Cell {
    /// Whether the client is there at all.
    pub(super) fn has_client(self) -> bool {
        self.off != Off::Client && (self.off != Off::Own || self.kind == Kind::Ours)
    }

    fn owner_allows(self) -> bool {
        match (self.kind, self.owner) {
            (Kind::Ours, _) | (Kind::TheirsOfOwn, Owner::Own) => true,
            (Kind::OursOfOwn, owner) => owner != Owner::Other,
            (Kind::TheirsOfOwn, Owner::Nobody | Owner::Other) => {
                matches!(self.promotion, Promotion::All | Promotion::Own)
            }
        }
    }

    /// Whether the client may use the connection.
    pub(super) fn is_open(self) -> bool {
        let listed = matches!(self.list, List::Absent | List::Present);
        let on = match self.off {
            Off::Nothing => true,
            Off::Client | Off::Connection => false,
            Off::Other => self.owner != Owner::Other,
            Off::Own => self.owner != Owner::Own && self.kind == Kind::Ours,
        };
        self.owner_allows() && listed && on
    }

    /// The same where the request names an organization too.
    pub(super) fn is_open_for(self, asked: Owner) -> bool {
        let enabled = match asked {
            Owner::Nobody => true,
            Owner::Other => self.off != Off::Other,
            Owner::Own => self.off != Off::Own,
        };
        let known = match self.kind {
            Kind::Ours => true,
            Kind::OursOfOwn => asked == Owner::Own,
            Kind::TheirsOfOwn => asked == Owner::Own || asked == self.owner,
        };
        let fits = self.owner == Owner::Nobody || self.owner == asked;
        self.is_open() && (asked == Owner::Nobody || enabled && known && fits)
    }

    /// The setting that a trace must name, where it is the only one in the way.
    pub(super) fn in_the_way(self) -> Option<&'static str> {
        let only_list = self.off == Off::Nothing && self.owner_allows();
        let only_owner =
            self.off == Off::Nothing && matches!(self.list, List::Absent | List::Present);
        match (self.list, self.promotion) {
            (List::NotByClient, _) if only_list => Some("`connections` of the client"),
            (List::NotByConnection, _) if only_list => Some("`clients` of the connection"),
            (_, Promotion::No) if only_owner && !self.owner_allows() => {
                Some("`is_domain_connection` is false")
            }
            (_, Promotion::Other) if only_owner && !self.owner_allows() => {
                Some("`domain_connection_organizations`")
            }
            _ => None,
        }
    }
}
