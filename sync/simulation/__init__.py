"""Whole lives of a plan, replayed in memory: its file, people in their apps, runs, and all that goes wrong."""
