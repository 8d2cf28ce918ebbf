"""Todoist: goals are tasks with their steps below them."""
