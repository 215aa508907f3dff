//! Questions about people: who holds which seat, and what became of every mail.
//!
//! Names are told to whoever may see them and to nobody else; a coordinator's list is what a letter to the unit may name
//! (`survey::chase`): on the organiser's order, once the last reminder is due, and only of whom nothing came back.

use jiff::Timestamp;
use parsurvey_ledger::{Attempt, LedgerError, MailRow, PeoplePage, PeopleQuery, PersonRow, SeatFilter};
use parsurvey_survey::account::{Right, Role, Scope};
use parsurvey_survey::chase::{NamesRefused, may_name};
use parsurvey_survey::roster::bare;
use parsurvey_survey::seat::{FormId, Seat};

use crate::accounts::login::Visitor;
use crate::{Desk, DeskError};

/// What a list of people gave.
pub enum PeopleList {
    /// The page.
    Page(PeoplePage),
    /// A coordinator may not see names now.
    NotNow(NamesRefused),
    /// The role never sees names.
    Never,
}

/// A seat with its person and every mail.
pub struct PersonFile {
    /// The seat.
    pub seat: Seat,
    /// The person who holds it now.
    pub person: PersonRow,
    /// Every mail, to former holders and addresses too, oldest first, each with its history.
    pub mails: Vec<(MailRow, Vec<Attempt>)>,
}

impl Desk {
    /// One page of the seats that a visitor may see with their people. The scope is the visitor's, whatever is asked.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn people(&self, visitor: &Visitor, query: PeopleQuery, now: Timestamp) -> Result<PeopleList, DeskError> {
        let role = visitor.account.role;
        if !role.may(Right::SeePeople) {
            return Ok(PeopleList::Never);
        }
        let mut query = PeopleQuery { scope: visitor.scope.clone(), ..query };
        if role == Role::Coordinator {
            let ordered = !self.ledger.chase_orders().await?.is_empty();
            if let Err(refused) = may_name(&self.campaign, ordered, now) {
                return Ok(PeopleList::NotNow(refused));
            }
            // Whatever state was asked for would tell who declined from who has begun.
            query.state = Some(SeatFilter::Quiet);
            return Ok(PeopleList::Page(self.people_by_name(query).await?));
        }
        Ok(PeopleList::Page(self.ledger.people_page(&query).await?))
    }

    /// The list of whoever may see names and no addresses: words are looked for in name and position only, because what is
    /// found by a piece of an address tells that piece.
    async fn people_by_name(&self, query: PeopleQuery) -> Result<PeoplePage, DeskError> {
        let (skip, most) = (query.skip as usize, query.most as usize);
        let text = bare(&query.text);
        let all = PeopleQuery { text: String::new(), skip: 0, most: u32::MAX, ..query };
        let mut seats = self.ledger.people_page(&all).await?.seats;
        seats.retain(|seat| {
            let shown = format!("{} {}", bare(&seat.name), bare(&seat.position));
            text.split(' ').all(|word| shown.contains(word))
        });
        let total = seats.len() as u64;
        Ok(PeoplePage { total, seats: seats.into_iter().skip(skip).take(most).collect() })
    }

    /// A seat with its person and what became of every mail; nothing where the visitor may not see it, or there is none.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn person_file(&self, visitor: &Visitor, form: FormId) -> Result<Option<PersonFile>, DeskError> {
        if !visitor.account.role.may(Right::SeeMails) {
            return Ok(None);
        }
        let seat = match self.ledger.seat(form).await {
            Err(LedgerError::NotFound(_)) => return Ok(None),
            seat => seat?,
        };
        let Scope { target, .. } = &visitor.scope;
        if target.as_ref().is_some_and(|own| *own != seat.target) {
            return Ok(None);
        }
        let person = self.ledger.person(seat.person).await?;
        let mut mails = Vec::new();
        for mail in self.ledger.mails_of(form).await? {
            let attempts = self.ledger.attempts(mail.mail).await?;
            mails.push((mail, attempts));
        }
        Ok(Some(PersonFile { seat, person, mails }))
    }
}
