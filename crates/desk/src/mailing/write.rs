//! What a mail says: the campaign's templates with a person, a link and the deadline in force.

use jiff::Timestamp;
use parsurvey_dispatch::{Composed, Correspondent, Letter, compose, message_id};
use parsurvey_ledger::LeasedMail;
use parsurvey_survey::campaign::{Contact, MailKind};
use parsurvey_survey::plan::Owed;
use parsurvey_survey::template::{self, Addressee, Templates};

use crate::{Desk, DeskError};

impl Desk {
    /// A mail as a person would get it, with a dummy link and a made-up person.
    ///
    /// # Errors
    /// The campaign has no such contact.
    pub fn preview(&self, kind: MailKind, wave: u32) -> Result<template::Mail, DeskError> {
        let campaign = &self.campaign;
        let found = campaign
            .contacts
            .iter()
            .find(|other| other.kind == kind && (kind != MailKind::Reminder || other.wave == wave));
        let contact = match kind {
            MailKind::Link => Some(&campaign.lost_link.mail),
            MailKind::Prenotice | MailKind::Invitation | MailKind::Reminder => found,
        };
        let contact = contact.ok_or_else(|| {
            DeskError::refused("the campaign has no such contact", "look at its contacts in campaign.toml")
        })?;
        let seat = campaign.groups.iter().find_map(|group| {
            let target = group.forms.keys().next()?;
            Some((group, target, campaign.units.first()?))
        });
        let (group, target, unit) =
            seat.ok_or_else(|| DeskError::refused("the campaign has no group with a form", "add one to groups.toml"))?;
        let addressee =
            Addressee { name: "Nguyễn Văn A", group: &group.code, unit: &unit.code, target: &target.clone() };
        let link = (kind != MailKind::Prenotice).then(|| format!("{}/f/{}", self.link_base, "x".repeat(43)));
        let values = template::values(campaign, contact, addressee, link.as_deref(), &self.link_base, campaign.closes);
        template::render_mail(contact, &values)
            .map_err(|error| DeskError::refused(error.to_string(), "mend the template and run `parsurvey check`"))
    }

    /// A contact's mail with a dummy link, to one of the campaign's own mailboxes.
    pub(super) fn write_copy(
        &self,
        contact: &Contact,
        mailbox: &str,
        place: usize,
        now: Timestamp,
    ) -> Result<Composed, DeskError> {
        let rendered = self.preview(contact.kind, contact.wave)?;
        let sender = &self.campaign.sender;
        let domain = sender.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        // No form has the number 0; the moment keeps two copies apart, which a mail server would take for one.
        let (place, moment) = (u32::try_from(place).unwrap_or(0), u32::try_from(now.as_second() / 60).unwrap_or(0));
        compose(&Letter {
            from: Correspondent { name: sender.name.vi.clone(), address: sender.address.clone() },
            return_path: None,
            reply_to: sender.reply_to.clone(),
            to: Correspondent { name: String::new(), address: mailbox.to_owned() },
            subject: format!("[THỬ] {}", rendered.subject),
            text: rendered.text,
            html: rendered.html,
            message_id: message_id(&self.campaign.id, 0, place, moment, contact.kind, contact.wave, domain),
            date: now,
            language: "vi, en".to_owned(),
            link_secret: None,
        })
        .map_err(|error| DeskError::refused(format!("the mail cannot be put together: {error}"), "mend what it names"))
    }

    pub(crate) fn message_id(&self, owed: &Owed) -> String {
        let domain = self.campaign.sender.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        message_id(&self.campaign.id, owed.form, owed.holder, owed.address_version, owed.kind, owed.wave, domain)
    }

    /// The templates of a contact of which mails stand in the outbox.
    pub(super) fn templates(&self, kind: MailKind, wave: u32) -> Result<Templates, DeskError> {
        Templates::of(self.contact_of(kind, wave)?)
            .map_err(|error| DeskError::refused(error.to_string(), "mend the template and run `parsurvey check`"))
    }

    pub(super) fn contact_of(&self, kind: MailKind, wave: u32) -> Result<&Contact, DeskError> {
        // However often it was asked for, it is one mail; its waves only count the requests.
        if kind == MailKind::Link {
            return Ok(&self.campaign.lost_link.mail);
        }
        let contacts = &self.campaign.contacts;
        contacts.iter().find(|contact| contact.kind == kind && contact.wave == wave).ok_or_else(|| {
            DeskError::refused(
                format!("the outbox holds a {} of wave {wave}, which the campaign no longer has", kind.as_str()),
                "put the contact back into campaign.toml",
            )
        })
    }

    pub(super) fn write(
        &self,
        mail: &LeasedMail,
        templates: &Templates,
        closes: Timestamp,
    ) -> Result<Composed, DeskError> {
        let campaign = &self.campaign;
        let contact = self.contact_of(mail.kind, mail.wave)?;
        let token = self.link_secret.token(&campaign.id, mail.form, mail.link_version);
        let link = (mail.kind != MailKind::Prenotice).then(|| format!("{}/f/{}", self.link_base, token.expose()));
        let addressee = Addressee { name: &mail.name, group: &mail.group, unit: &mail.unit, target: &mail.target };
        let values = template::values(campaign, contact, addressee, link.as_deref(), &self.link_base, closes);
        let rendered = templates
            .render(&values)
            .map_err(|error| DeskError::refused(error.to_string(), "mend the template and run `parsurvey check`"))?;
        let owed = Owed {
            form: mail.form,
            holder: mail.holder,
            address_version: mail.address_version,
            kind: mail.kind,
            wave: mail.wave,
        };
        compose(&Letter {
            from: Correspondent { name: campaign.sender.name.vi.clone(), address: campaign.sender.address.clone() },
            return_path: self.return_path(mail.mail)?,
            reply_to: campaign.sender.reply_to.clone(),
            to: Correspondent { name: mail.name.clone(), address: mail.email.clone() },
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            message_id: self.message_id(&owed),
            // Of the first lease, so that every attempt sends the same bytes.
            date: mail.dated,
            language: "vi, en".to_owned(),
            link_secret: Some(token.expose().to_owned().into()),
        })
        .map_err(|error| {
            DeskError::refused(
                format!("the mail cannot be put together: {error}"),
                "mend what it names and run the command again",
            )
        })
    }
}
