//! Who gets which events, once and again.

use std::sync::Arc;

use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::*;

fn outbox(id: u64) -> (Outbox, Receiver<Parcel>) {
    Outbox::new(id, CancellationToken::new(), Arc::default())
}

fn received(parcels: &mut Receiver<Parcel>) -> Vec<String> {
    let mut texts = Vec::new();
    while let Ok(parcel) = parcels.try_recv() {
        match parcel {
            Parcel::Frame(_, text) => texts.push(text.to_string()),
            Parcel::Many(many) => texts.extend(many.iter().map(|text| text.to_string())),
            Parcel::Goodbye => {}
        }
    }
    texts
}

#[test]
fn a_new_subscriber_gets_the_last_ten_seconds_after_its_confirmation() {
    let mut gateway = Gateway::new(true);
    for (at, text) in [(0, "old"), (5_000, "first"), (9_000, "second")] {
        gateway.emit(at, 1, None, text.into());
    }
    gateway.forget(12_000);
    let (outbox, mut parcels) = outbox(1);
    gateway.subscribe(&outbox, &[], "confirmed".to_owned());
    gateway.emit(12_500, 1, None, "new".into());
    assert_eq!(received(&mut parcels), ["confirmed", "first", "second", "new"]);
}

#[test]
fn only_the_types_that_were_named_are_sent() {
    let mut gateway = Gateway::new(true);
    let (outbox, mut parcels) = outbox(1);
    gateway.subscribe(&outbox, &[TYPES[1].to_owned()], "confirmed".to_owned());
    gateway.emit(0, 1, None, "joined".into());
    gateway.emit(0, 2, None, "left".into());
    assert_eq!(received(&mut parcels), ["confirmed", "left"]);
}

#[test]
fn what_nobody_came_back_for_in_time_is_lost() {
    let mut gateway = Gateway::new(true);
    let (first, _parcels) = outbox(1);
    gateway.subscribe(&first, &[], String::new());
    gateway.disconnect(1);
    let conversation = Uuid::new_v4();
    assert!(gateway.emit(0, 1, Some(conversation), "missed".into()).is_empty());
    assert!(!gateway.is_settled());
    assert!(gateway.forget(10_000).is_empty());
    assert_eq!(gateway.forget(10_001), [conversation]);
    assert!(gateway.is_settled());
}

#[test]
fn without_resend_it_is_lost_at_once() {
    let mut gateway = Gateway::new(false);
    let (first, _parcels) = outbox(1);
    gateway.subscribe(&first, &[], String::new());
    gateway.disconnect(1);
    let conversation = Uuid::new_v4();
    assert_eq!(gateway.emit(0, 1, Some(conversation), "missed".into()), [conversation]);
    let (again, mut parcels) = outbox(2);
    gateway.subscribe(&again, &[], "confirmed".to_owned());
    assert_eq!(received(&mut parcels), ["confirmed"]);
}
