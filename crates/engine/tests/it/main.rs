//! The engine from outside: deliveries in, views out.

mod order_of_arrival;
mod scenarios;
mod world;
