"""The commands: options in, one of the reports out. What a command does is in the modules that it calls."""
