//! The cases, by subject. There is no order between them: each has a database of its own.

/// Makes of each case two tests, `sqlite::NAME` and `postgres::NAME`.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::support::Bench::sqlite()).await; })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::support::Bench::postgres().await).await; })+
        }
    };
}

mod accounts;
mod arrivals;
mod audit;
mod ballots;
mod bounces;
mod chase;
mod console;
mod control;
mod dispatcher;
mod drafts;
mod law;
mod log;
mod mails;
mod opening;
mod people;
mod seeds;
mod two_people;
