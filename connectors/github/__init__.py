"""GitHub Issues: goals are issues, and steps their sub-issues."""
