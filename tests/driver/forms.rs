//! Many forms that can be answered without a mail having left, and the shortest way through one.

use parsurvey_desk::DataFolder;
use parsurvey_survey::link::LinkSecret;

use crate::wire::{Reply, Wire};
use crate::{Survey, moments, read_folder};

/// A form as the one who holds its link reaches it.
#[derive(Debug, Clone)]
pub struct OpenForm {
    /// Its number in the ledger.
    pub number: i64,
    /// The path of its link.
    pub path: String,
}

impl Survey {
    /// Makes the forms of so many people, in order of their numbers. They are invited to a relay that is not there:
    /// every mail waits in the outbox, and every link is known.
    pub async fn open_forms(&mut self, people: usize) -> Vec<OpenForm> {
        self.with_people(people);
        self.set_up().await;
        self.at(moments::INVITATION);
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        self.run(&["invite", "--smtp", &nowhere]).await.done_with(3);
        let campaign = parsurvey_survey::campaign::load(&read_folder(&self.campaign)).expect("no fault").campaign;
        let key = std::fs::read_to_string(DataFolder::new(&self.data).link_key()).unwrap();
        let secret = LinkSecret::from_file(&key).expect("the secret of the links");
        (1..=i64::try_from(people).unwrap())
            .map(|number| {
                let path = format!("/f/{}", secret.token(&campaign.id, number, 1).expose());
                OpenForm { number, path }
            })
            .collect()
    }
}

impl OpenForm {
    /// Looks at the link.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn look(&self, wire: &mut Wire) -> std::io::Result<Reply> {
        wire.get(&self.path)
    }

    /// Sends the answers of the first page of the small campaign's form.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn begin(&self, wire: &mut Wire) -> std::io::Result<Reply> {
        wire.post(&format!("{}/page", self.path), "paper=short&at=1&go=next&q.q1=5&q.q2=4&q.q3=3")
    }

    /// Hands the small campaign's form in.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn hand_in(&self, wire: &mut Wire) -> std::io::Result<Reply> {
        let answers = "q.q1=5&q.q2=4&q.q3=3&q.q4=2&q.q5=1";
        wire.post(&format!("{}/page", self.path), &format!("paper=short&at=review&go=submit&{answers}"))
    }
}
