"""CalDAV: goals and steps are tasks (VTODO) of one list on any server that speaks it."""
