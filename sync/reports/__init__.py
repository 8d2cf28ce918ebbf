"""How schedules and plans are shown: one small renderer a file."""
