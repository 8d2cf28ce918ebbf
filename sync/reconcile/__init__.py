"""Pure differences: what people did, what has to change in each app, and what must not."""
