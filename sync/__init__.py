"""What happens between the goals file and the apps: schedule, plan, apply, report."""
