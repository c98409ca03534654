//! Every target over its corpus, and over seeded changes to it.

mod corpus;
