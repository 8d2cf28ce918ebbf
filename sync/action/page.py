"""Writes the page, if the workflow requests it, from the schedule of the run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sync.reports.publishing import Publishing
from sync.reports.site import site
from sync.run import site_folder
from sync.run.deadline_history import deadlines

if TYPE_CHECKING:
    from sync.schedule.model import Schedule


def write(value: Schedule) -> None:
    """Write the site into the folder that the input `page` names, if any."""
    folder, url = (os.environ.get(name, "").strip() for name in ("INPUT_PAGE", "INPUT_PAGE_URL"))
    if folder:
        publishing = Publishing(deadlines(value), url=url.rstrip("/"))
        site_folder.write(Path(folder), site(value, publishing))
        print(f"wrote {folder}/index.html")
