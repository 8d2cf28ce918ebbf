"""Linear: goals and steps are issues of a team."""
