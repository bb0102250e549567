"""From messages to what is archived: one symbol apart from the others. Pure."""
