"""Many accounts in one run: a coach's participants, the people of an organisation."""
