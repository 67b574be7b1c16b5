//! Load: many connections, many messages, how long they took, and whether every byte came back.
