//! `[chase]` of `campaign.toml`: who chases the units, how its letters are headed, and the mail to coordinators.
//!
//! The table may be left out; then there are no letters. Who the coordinators are stands in `units.csv`.

use std::collections::BTreeMap;

use super::Chasing;
use super::address::check_address;
use super::head::read_templates;
use super::load::{check_contacts, composed, template_place, word};
use super::place::{Document, Faults};
use super::walk::Table;
use crate::chase::{ChaseMail, variables};
use crate::template::{LINK, Part, Values, render, used_variables};

/// What the table says, before its templates are taken over.
pub(super) struct Chased {
    superior: Option<String>,
    agency: String,
    place: String,
    symbol: String,
    signer: String,
    operator: Option<String>,
    /// File name and source of subject, text and HTML; no entry where the file is missing.
    pub(super) templates: BTreeMap<Part, (String, String)>,
}

/// Reads the table.
pub(super) fn read(table: Table<'_>, files: &BTreeMap<String, Vec<u8>>, faults: &Faults) -> Chased {
    let operator = table.optional_text("operator");
    if let Some(operator) = &operator {
        check_address(operator, &table.place_of("operator"), faults);
    }
    let template = table.text("template");
    let chased = Chased {
        superior: table.optional_text("superior"),
        agency: table.text("agency"),
        place: table.text("place"),
        symbol: table.text("symbol"),
        signer: table.text("signer"),
        operator,
        templates: read_templates(&template, &table.place_of("template"), files, faults),
    };
    table.finish();
    chased
}

impl Chased {
    /// As the rest of the program uses it; the digest goes to `reply_to` where no operator is named.
    pub(super) fn settled(mut self, reply_to: &str) -> Chasing {
        let mut source = |part| self.templates.remove(&part).map(|(_, source)| composed(&source)).unwrap_or_default();
        let mail = ChaseMail { subject: source(Part::Subject), text: source(Part::Text), html: source(Part::Html) };
        Chasing {
            superior: self.superior,
            agency: self.agency,
            place: self.place,
            symbol: self.symbol,
            signer: self.signer,
            operator: self.operator.unwrap_or_else(|| reply_to.to_owned()),
            mail,
        }
    }
}

/// Records what is wrong with a template of the mail to coordinators.
pub(super) fn check_template(part: Part, document: &Document<'_>) {
    let (source, faults) = (document.text, document.faults);
    let allowed = variables();
    let used = match used_variables(part, source) {
        Ok(used) => used,
        Err(error) => {
            faults.add(template_place(document, error.span, error.line).fault(
                "broken-template",
                format!("the template cannot be read: {}", error.reason),
                "close every {{ … }} and {% … %}",
            ));
            return;
        }
    };
    let mut known = true;
    for name in used.iter().filter(|name| !allowed.contains(&name.as_str())) {
        known = false;
        let place = document.place(word(source, name).unwrap_or(0..0), name);
        let nearest = allowed.iter().min_by_key(|other| strsim::damerau_levenshtein(other, name));
        faults.add(if name == LINK {
            place.fault(
                "link-in-chase",
                "a coordinator has no form to open, and no person's link may reach another person",
                "remove it; only invitations and reminders carry a link",
            )
        } else {
            place.fault(
                "unknown-variable",
                format!("'{name}' is not a variable of this mail"),
                format!("did you mean '{}'?", nearest.copied().unwrap_or_default()),
            )
        });
    }
    if let Some(at) = source.find("://") {
        faults.add(document.place(at..at + 3, "").fault(
            "link-in-chase",
            "a mail to a coordinator carries no link: that is how it is told from a forgery",
            "name the domain as text instead",
        ));
    }
    if part != Part::Subject && !used.iter().any(|name| name == "names") {
        faults.add(document.place(0..0, "").fault(
            "names-missing",
            "on the organiser's order to name people, this mail would name nobody",
            "write {% if names %}{{ names }}{% endif %} where they belong",
        ));
    }
    if !known {
        return;
    }
    check_contacts(part, source, document);
    match render(part, source, &Values::stand_ins_of(variables())) {
        Ok(text) if text.trim().is_empty() => faults.add(document.place(0..0, "").fault(
            "empty-text",
            "the template gives an empty text",
            "write the text",
        )),
        Ok(_) => {}
        Err(error) => faults.add(template_place(document, error.span, error.line).fault(
            "template-does-not-render",
            format!("the template cannot be rendered: {}", error.reason),
            "use only variables, {% if %} and short loops",
        )),
    }
}
