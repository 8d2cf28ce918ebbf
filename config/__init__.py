"""What a person writes: goals files, calendars, durations and templates. Imports nothing of ours."""
