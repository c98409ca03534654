//! Small facts, and a receiver that keeps what it is told.

use engine::{
    Admitted, Arrival, Authority, Fact, FactId, Id, LedgerRow, Source, StoredConversation, Time, UserRow,
    What, Word,
};
use std::path::Path;
use store::{Damaged, Inherited, LoggedBatch, Opened, Recover, Recovered, Store};

pub const START: i64 = 1_780_000_000_000_000_000;

/// All that a recovery hands over.
#[derive(Debug, Default, PartialEq)]
pub struct Kept {
    pub users: Vec<UserRow>,
    pub ledger: Vec<LedgerRow>,
    pub cells: Vec<(i64, u64)>,
    pub conversations: Vec<StoredConversation>,
    pub inherited: Vec<Inherited>,
    pub damaged: Vec<Damaged>,
}

impl Recover for Kept {
    type Prepared = StoredConversation;

    fn prepare(stored: StoredConversation) -> StoredConversation {
        stored
    }

    fn user(&mut self, row: UserRow) {
        self.users.push(row);
    }
    fn ledger(&mut self, row: LedgerRow) {
        self.ledger.push(row);
    }
    fn cell(&mut self, minute: i64, count: u64) {
        self.cells.push((minute, count));
    }
    fn conversation(&mut self, stored: StoredConversation) {
        self.conversations.push(stored);
    }
    fn inherited(&mut self, row: Inherited) {
        self.inherited.push(row);
    }
    fn damaged(&mut self, what: Damaged) {
        self.damaged.push(what);
    }
}

pub fn open(folder: &Path) -> Store {
    let Opened { store, .. } = Store::open(folder, 1).expect("opened");
    store
}

pub fn recover(store: &mut Store) -> (Recovered, Kept) {
    let mut kept = Kept::default();
    let recovered = store.recover(&mut kept).expect("recovered");
    (recovered, kept)
}

pub fn replay(store: &Store) -> Vec<LoggedBatch> {
    let next = |position| store.replay_after(position).expect("read");
    std::iter::successors(next(0), |batch| next(batch.position)).collect()
}

pub fn id(number: u64) -> Id {
    match number % 3 {
        0 => Id::new(&format!("call-{number}")).expect("an id"),
        _ => Id::from_uuid((u128::from(number) << 64).to_be_bytes()),
    }
}

pub fn fact(number: u64) -> (Fact, Arrival) {
    let received = START + number.cast_signed() * 1_000_003;
    let mut fact = Fact::new(What::State);
    fact.id = FactId::of_event(&format!("event {number}"));
    fact.participant = Some(id(number / 2));
    fact.at = Some(Time::from_millis(received / 1_000_000 - 40));
    fact.authority = Authority::Recorded;
    fact.state = Word::new("alerting");
    fact.role = Word::new("agent");
    (
        fact,
        Arrival {
            received,
            feed: 0,
            source: Source::Events,
            incarnation: 1,
            late: number.is_multiple_of(2),
            published: received,
            waits: false,
        },
    )
}

/// The batch that belongs to a position: `facts` facts that no other position has.
pub fn batch(position: u64, facts: u64) -> Vec<Admitted> {
    let admitted = |n| {
        let (fact, arrival) = fact(position * 1_000_000 + n);
        Admitted { conversation: id(n), fact, arrival }
    };
    (0..facts).map(admitted).collect()
}

pub fn conversation(number: u64, resident: bool) -> StoredConversation {
    StoredConversation {
        id: id(number),
        resident,
        active: resident,
        started_at: Some(Time::from_nanos(START)),
        ended_at: (!resident).then(|| Time::from_millis(START / 1_000_000 + 5)),
        dropped: number % 2,
        facts: (0..number % 5).map(fact).collect(),
    }
}
