"""Dates: from a deadline back to the first step."""
