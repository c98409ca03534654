//! What counters count, where a gateway names ever new regions.

use super::*;

fn first_of(region: u32) -> Stamp {
    let actor = Word::new(&format!("pod-{region}")).unwrap();
    let clock = [(actor.clone(), 1)].into_iter().collect();
    Stamp { dot: Dot { actor, counter: NonZeroU64::MIN }, clock }
}

#[test]
fn a_region_for_each_conversation_counts_by_conversation_and_is_not_kept() {
    let mut scopes = Scopes::default();
    let news: Vec<usize> = (0..1_000)
        .filter(|n| scopes.observe(&first_of(*n as u32), &mut OwnCounters::default(), false))
        .collect();
    assert_eq!((news[0], scopes.scope()), (REGIONS_MAX, Scope::Conversation));
    assert!(scopes.newest.len() <= REGIONS_MAX);
}
