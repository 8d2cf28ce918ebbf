"""Notion: goals and steps are pages of a database."""
