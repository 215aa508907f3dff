//! Seed mailboxes (`seeds.csv`): mailboxes of one's own at recipients' domains, into which somebody looks.
//!
//! They are nobody's seat and get no form. What was found in them is not here; the log holds that.

use crate::address::{RespondentEmail, mended};
use crate::fault::Fault;

/// The file's name in the campaign folder.
pub const FILE: &str = "seeds.csv";

/// The header.
const COLUMNS: [&str; 2] = ["mailbox", "holder"];

/// A mailbox of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The mailbox.
    pub mailbox: RespondentEmail,
    /// Who can look into it.
    pub holder: String,
}

impl Seed {
    /// The domain it stands for.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.mailbox.expose().rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// Reads the file: UTF-8, commas, the header `mailbox,holder`.
///
/// # Errors
/// Every fault, with its line.
pub fn read(file: &str, bytes: &[u8]) -> Result<Vec<Seed>, Vec<Fault>> {
    let fault = |line, field: &str, code, reason: String, remedy: &str| Fault {
        line,
        field: field.to_owned(),
        ..Fault::of_file(file, code, reason, remedy)
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(vec![fault(0, "", "not-utf8", "the file is not in UTF-8".into(), "save it as CSV in UTF-8")]);
    };
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().map(|row| row.iter().map(str::to_owned).collect()).unwrap_or_default();
    if header != COLUMNS {
        let reason = format!("the columns are '{}'", header.join(","));
        return Err(vec![fault(1, "", "bad-header", reason, "write the header mailbox,holder")]);
    }
    let (mut seeds, mut faults) = (Vec::<Seed>::new(), Vec::new());
    for record in reader.records() {
        let position = match &record {
            Ok(record) => record.position(),
            Err(error) => error.position(),
        };
        let line = position.map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        let Some(record) = record.ok().filter(|record| record.len() == COLUMNS.len()) else {
            faults.push(fault(line, "", "ragged-row", "the row has not two cells".into(), "write MAILBOX,HOLDER"));
            continue;
        };
        match RespondentEmail::parse(&mended(&record[0])) {
            Ok(mailbox) if seeds.iter().any(|seed| seed.mailbox.key() == mailbox.key()) => {
                faults.push(fault(line, "mailbox", "twice", "the mailbox stands twice".into(), "keep it once"));
            }
            Ok(mailbox) => seeds.push(Seed { mailbox, holder: record[1].to_owned() }),
            Err(error) => faults.push(fault(line, "mailbox", "bad-address", error.to_string(), "correct the address")),
        }
    }
    if faults.is_empty() { Ok(seeds) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn mailboxes_are_read_and_every_fault_is_told() {
        let seeds = read("seeds.csv", "mailbox,holder\nthu@SoYTe.example, Tổ khảo sát\n".as_bytes()).expect("no fault");
        assert_eq!((seeds[0].domain(), seeds[0].holder.as_str()), ("soyte.example", "Tổ khảo sát"));
        let lines = |text: &str| -> Vec<(usize, &'static str)> {
            let faults = read("seeds.csv", text.as_bytes()).err().unwrap_or_default();
            faults.into_iter().map(|fault| (fault.line, fault.code)).collect()
        };
        let text = "mailbox,holder\nnobody,x\na@b.example\nc@b.example,x\nC@b.example,x\n";
        assert_eq!(lines(text), [(2, "bad-address"), (3, "ragged-row"), (5, "twice")]);
        assert_eq!(lines("email\na@b.example\n"), [(1, "bad-header")]);
        assert_eq!(lines(""), [(1, "bad-header")]);
    }
}
