"""Taskwarrior: goals and steps are tasks of the program `task` on this machine, versions 2.6 and 3."""
