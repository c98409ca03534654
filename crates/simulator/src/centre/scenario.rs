//! What happens to the people who call, write and wait.
//!
//! Each function is one kind of contact, told in order. The shares are those of a busy service desk, with the rare
//! courses made common enough that every one of them comes up in a run of a few hundred conversations: re-routes,
//! consults, conferences and role changes are where pictures of a conversation go wrong. Every course passes through a
//! queue, because a conversation that lives in a flow alone is on no topic of the platform.

use super::script::{Join, Leg, Script, Seat, Step};
use super::words::{Direction, Medium, Purpose, Reason, State};

/// Writes a whole conversation and says in which medium it began.
pub fn write(script: &mut Script<'_>, queues: usize) -> Medium {
    let queue = script.rng.usize(..queues);
    let medium = match script.rng.u32(..100) {
        0..=54 => Medium::Voice,
        55..=66 => Medium::Chat,
        67..=78 => Medium::Message,
        79..=89 => Medium::Email,
        _ => Medium::Callback,
    };
    script.then(Step::Start);
    match medium {
        Medium::Voice => inbound_call(script, queue, queues),
        Medium::Callback => callback(script, queue),
        Medium::Email => email(script, queue),
        Medium::Chat | Medium::Message => written(script, queue, medium),
    }
    medium
}

fn inbound_call(script: &mut Script<'_>, queue: usize, queues: usize) {
    let customer = script.join(Join { state: State::Offering, ..customer(Medium::Voice) });
    script.lag(60, 180);
    script.then(Step::Connect(customer));
    script.lag(5, 40);
    let flow = script.join(Join { purpose: Purpose::Ivr, state: State::Connected, ..base(Medium::Voice) });
    script.wait(8.0, 30.0);
    script.then(Step::End(flow, Reason::Transfer));
    script.lag(5, 30);
    let acd = enqueue(script, queue, Medium::Voice);
    if script.chance(0.08) {
        return abandon(script, customer, acd);
    }
    let agent = answer(script, queue, Medium::Voice, acd);
    talk(script, agent);
    let last = match script.rng.u32(..100) {
        0..=13 => blind_transfer(script, agent, (queue + 1) % queues, Medium::Voice),
        14..=25 => consult_transfer(script, agent, queue),
        26..=35 => conference(script, agent, queue),
        36..=45 => monitored(script, agent, queue),
        46..=57 => promoted(script, agent),
        _ => agent,
    };
    hang_up(script, customer, last);
}

fn written(script: &mut Script<'_>, queue: usize, medium: Medium) {
    let customer = script.join(customer(medium));
    script.lag(5, 60);
    let acd = enqueue(script, queue, medium);
    if script.chance(0.06) {
        return abandon(script, customer, acd);
    }
    let mut agent = answer(script, queue, medium, acd);
    script.wait(60.0, 200.0);
    if script.chance(0.12) {
        agent = blind_transfer(script, agent, queue, medium);
    }
    hang_up(script, customer, agent);
}

fn email(script: &mut Script<'_>, queue: usize) {
    let customer = script.join(customer(Medium::Email));
    script.lag(5, 60);
    let acd = enqueue(script, queue, Medium::Email);
    let agent = answer(script, queue, Medium::Email, acd);
    script.wait(30.0, 90.0);
    if script.chance(0.5) {
        script.then(Step::Park(agent));
        script.wait(60.0, 120.0);
        script.then(Step::Resume(agent));
        script.wait(20.0, 60.0);
    }
    hang_up(script, customer, agent);
}

fn callback(script: &mut Script<'_>, queue: usize) {
    let customer = script.join(Join { direction: Direction::Outbound, ..customer(Medium::Callback) });
    script.lag(5, 60);
    let acd = enqueue(script, queue, Medium::Callback);
    let agent = answer(script, queue, Medium::Callback, acd);
    script.wait(5.0, 20.0);
    let calls = [agent, customer].map(|leg| {
        script.then(Step::Dial(leg.participant, Medium::Voice, Direction::Outbound));
        script.lag(20, 90);
        Leg { communication: 1, ..leg }
    });
    script.wait(5.0, 20.0);
    script.then(Step::Connect(calls[0]));
    script.lag(5, 40);
    script.then(Step::Connect(calls[1]));
    talk(script, calls[0]);
    script.then(Step::End(calls[0], Reason::Client));
    script.lag(1, 4);
    script.then(Step::End(calls[1], Reason::Peer));
    script.wait(3.0, 15.0);
    hang_up(script, customer, agent);
}

fn enqueue(script: &mut Script<'_>, queue: usize, medium: Medium) -> Leg {
    script.join(Join { purpose: Purpose::Acd, queue: Some(queue), ..base(medium) })
}

/// Rings at one desk after the other until somebody answers; then the queue lets go, a moment later, as in life.
fn answer(script: &mut Script<'_>, queue: usize, medium: Medium, acd: Leg) -> Leg {
    script.wait(2.0, 45.0);
    let mut seat = Seat::Agent;
    for _ in 0..3 {
        let agent = script.join(Join { seat, queue: Some(queue), ..ringing(medium) });
        let fate = script.rng.u32(..100);
        if fate >= 22 {
            return pick_up(script, agent, acd);
        }
        let reason = match fate {
            0..=7 if medium != Medium::Chat => Reason::NoAnswerTransfer,
            15..=17 if medium == Medium::Voice => Reason::DndEndpoint,
            _ => Reason::Client,
        };
        script.wait(6.0, 15.0);
        script.then(Step::End(agent, reason));
        script.lag(20, 200);
        seat = if script.chance(0.3) { Seat::SameAs(agent.participant) } else { Seat::Agent };
    }
    let agent = script.join(Join { seat: Seat::Agent, queue: Some(queue), ..ringing(medium) });
    pick_up(script, agent, acd)
}

fn pick_up(script: &mut Script<'_>, agent: Leg, acd: Leg) -> Leg {
    script.wait(2.0, 8.0);
    script.then(Step::Connect(agent));
    script.lag(5, 40);
    script.then(Step::End(acd, Reason::Transfer));
    agent
}

fn talk(script: &mut Script<'_>, agent: Leg) {
    script.wait(20.0, 90.0);
    let holds = script.rng.u32(..4).saturating_sub(1);
    for _ in 0..holds {
        script.then(Step::Hold(agent));
        script.wait(10.0, 40.0);
        script.then(Step::Unhold(agent));
        script.wait(10.0, 50.0);
    }
    if script.chance(0.2) {
        script.then(Step::Mute(agent));
        script.wait(3.0, 20.0);
        script.then(Step::Unmute(agent));
        script.wait(5.0, 20.0);
    }
}

fn blind_transfer(script: &mut Script<'_>, agent: Leg, queue: usize, medium: Medium) -> Leg {
    leave(script, agent, Reason::Transfer);
    script.lag(5, 60);
    let acd = enqueue(script, queue, medium);
    let next = answer(script, queue, medium, acd);
    script.wait(20.0, 60.0);
    next
}

/// The agent holds the customer, asks a colleague, and leaves the two to each other.
fn consult_transfer(script: &mut Script<'_>, agent: Leg, queue: usize) -> Leg {
    script.then(Step::Hold(agent));
    let colleague = call_in(script, agent, queue);
    script.wait(15.0, 40.0);
    script.then(Step::Unhold(agent));
    leave(script, agent, Reason::ConsultTransfer);
    script.wait(20.0, 60.0);
    colleague
}

/// The same, but all of them talk for a while and the colleague leaves.
fn conference(script: &mut Script<'_>, agent: Leg, queue: usize) -> Leg {
    script.then(Step::Hold(agent));
    let colleague = call_in(script, agent, queue);
    script.wait(5.0, 15.0);
    script.then(Step::Unhold(agent));
    script.wait(20.0, 60.0);
    leave(script, colleague, Reason::Client);
    script.wait(5.0, 20.0);
    agent
}

fn call_in(script: &mut Script<'_>, agent: Leg, queue: usize) -> Leg {
    script.wait(2.0, 6.0);
    let consults = Some(agent.participant);
    let colleague = script.join(Join { queue: Some(queue), consults, ..ringing(Medium::Voice) });
    script.wait(2.0, 8.0);
    script.then(Step::Connect(colleague));
    colleague
}

fn monitored(script: &mut Script<'_>, agent: Leg, queue: usize) -> Leg {
    let supervisor = script.join(Join {
        purpose: Purpose::User,
        seat: Seat::Supervisor,
        queue: Some(queue),
        monitors: Some(agent.participant),
        ..base(Medium::Voice)
    });
    script.wait(20.0, 60.0);
    script.then(Step::End(supervisor, Reason::Client));
    script.wait(5.0, 20.0);
    agent
}

fn promoted(script: &mut Script<'_>, agent: Leg) -> Leg {
    script.then(Step::Role(agent.participant, "supervisor"));
    script.wait(10.0, 40.0);
    if script.chance(0.5) {
        script.then(Step::Role(agent.participant, "agent"));
        script.wait(5.0, 20.0);
    }
    agent
}

/// The customer gives up before anybody answers.
fn abandon(script: &mut Script<'_>, customer: Leg, acd: Leg) {
    script.wait(20.0, 120.0);
    script.then(Step::End(customer, Reason::Endpoint));
    script.lag(1, 30);
    script.then(Step::End(acd, Reason::Peer));
    script.lag(1, 2);
    script.then(Step::Close);
}

/// One side ends the contact and the other follows within a few milliseconds.
fn hang_up(script: &mut Script<'_>, customer: Leg, agent: Leg) {
    if script.chance(0.6) {
        leave(script, agent, Reason::Client);
        script.lag(1, 4);
        script.then(Step::End(customer, Reason::Peer));
    } else {
        script.then(Step::End(customer, Reason::Endpoint));
        script.lag(1, 4);
        leave(script, agent, Reason::Peer);
    }
    script.lag(1, 2);
    script.then(Step::Close);
}

/// Ends an agent's leg; the after-call work goes on beside whatever the conversation does next.
fn leave(script: &mut Script<'_>, agent: Leg, reason: Reason) {
    script.then(Step::End(agent, reason));
    script.then(Step::StartWork(agent.participant));
    script.meanwhile(5.0, 30.0, Step::WrapUp(agent.participant));
}

fn customer(medium: Medium) -> Join {
    Join { purpose: Purpose::Customer, ..base(medium) }
}

fn ringing(medium: Medium) -> Join {
    Join { purpose: Purpose::Agent, seat: Seat::Agent, state: State::Alerting, ..base(medium) }
}

fn base(medium: Medium) -> Join {
    Join {
        purpose: Purpose::Ivr,
        seat: Seat::Nobody,
        queue: None,
        medium,
        direction: Direction::Inbound,
        state: State::Connected,
        monitors: None,
        consults: None,
    }
}
