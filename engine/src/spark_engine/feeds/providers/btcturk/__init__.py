"""BTCTurk spot. What is known of its protocol, and from where: docs/feeds.md."""
