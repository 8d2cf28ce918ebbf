"""One run: reads the apps, plans, writes, and keeps a journal. The only input and output."""
