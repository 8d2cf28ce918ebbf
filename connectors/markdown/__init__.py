"""A list in a Markdown file."""
