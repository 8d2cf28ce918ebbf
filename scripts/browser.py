"""Takes pages through a real browser, with scripts/browser.mjs, and keeps the pictures. Needs node, npm and a network.

    .venv/bin/python scripts/browser.py PICTURES

Where one of them is missing, it says that it did not run and why, and is no failure.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import environment
import pages

MODULES = ("puppeteer-core@24.43.1", "axe-core@4.14.1", "html-validate@10.17.0")
BROWSER = "@sparticuz/chromium@147.0.0"  # where none is installed
INSTALLED = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 300  # for a browser that hangs


def main() -> None:
    """Install what looks at the pages into a folder of its own, write the pages, and look."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        print("The pages were not looked at in a browser: node or npm is not installed.")
        return
    browser = next(filter(None, map(shutil.which, INSTALLED)), None)
    modules = MODULES if browser else (*MODULES, BROWSER)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "package.json").write_text("{}", "utf-8")
        install = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", *modules]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"The pages were not looked at in a browser: npm could not install {' '.join(modules)}:")
            print(done.stderr)
            return
        pages.write(folder / "pages")
        look = shutil.copy(environment.ROOT / "scripts" / "browser.mjs", folder)  # it finds its modules beside itself
        command = [node, look, str(folder / "pages"), str(Path(sys.argv[1]).resolve()), *([browser] if browser else [])]
        sys.exit(subprocess.run(command, check=False, timeout=SECONDS).returncode)


if __name__ == "__main__":
    main()
