"""NATS: doorbells, streams, outbox, inbox, feeds."""
