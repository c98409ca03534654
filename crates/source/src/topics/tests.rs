//! Topics: parsed and combined.

use super::*;

#[test]
fn a_list_survives_being_written_and_read() {
    let topics: Topics = " queue:q-1, user:6f1b9a3e-0d6f-4a57-9e0f-0a1b2c3d4e5f ,".parse().unwrap();
    assert_eq!(topics.to_string(), "queue:q-1,user:6f1b9a3e-0d6f-4a57-9e0f-0a1b2c3d4e5f");
    assert_eq!(topics.to_string().parse::<Topics>().unwrap(), topics);
    assert_eq!("Discover".parse::<Topics>().unwrap(), Topics::Discover);
}

#[test]
fn an_error_names_the_item() {
    let error = |text: &str| text.parse::<Topics>().unwrap_err().to_string();
    assert!(error("queue:q,team:t").contains("\"team:t\""));
    assert!(error("queue:q,u-17").contains("\"u-17\""));
    assert!(error("user:a?b&c").contains("\"user:a?b&c\""));
    assert!(error("user:").contains("empty"));
    assert!(error(" , ").contains("discover"));
}

#[test]
fn a_combined_topic_keeps_within_200_characters() {
    let id = Id::new(&"x".repeat(engine::ID_BYTES_MAX)).unwrap();
    assert!(TopicTarget::User(id).topic().len() <= 200);
}
