"""The action's files as GitHub would check them out, and its environment as the cache would have it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from tests.action.runner import ACT, Runner, checked_out
from tests.servers.github import GitHub
from tests.servers.github_server import GitHubServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The action as it is checked out."""
    return checked_out(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="session")
def cache(house: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the environment: with the packages of the tests, since to install them needs a network."""
    folder = tmp_path_factory.mktemp("cache")
    script = [sys.executable, "-Es", str(house / "scripts" / "action.py")]
    output = folder / "output"
    said = {**os.environ, "RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(output)}
    subprocess.run([*script, "locate"], env=said, check=True, stdout=subprocess.DEVNULL)
    made = dict(line.split("=", 1) for line in output.read_text("utf-8").splitlines())
    environment = folder / made["key"]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    library = sysconfig.get_path("purelib", vars={"base": str(environment)})
    packages = sysconfig.get_path("purelib")
    with open(f"{library}/packages.pth", "w", encoding="utf-8") as file:  # noqa: PTH123  # sysconfig's paths are text
        file.write(f"import site; site.addsitedir({packages!r})\n")
    fingerprint = subprocess.run(
        [sys.executable, "-c", "import environment, action; print(environment.fingerprint(*action.LOCKS, copy=True))"],
        cwd=house / "scripts", capture_output=True, text=True, check=True,
    )  # fmt: skip
    (environment / "installed").write_text(fingerprint.stdout, "utf-8")
    return folder


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer(GitHub()) as server:
        yield server


@pytest.fixture
def runner(house: Path, cache: Path, tmp_path: Path, github: GitHubServer) -> Runner:
    """A repository at the GitHub that is there."""
    if sys.platform != "linux" or not ACT.exists():
        pytest.skip("act runs workflows made for ubuntu-latest on Linux; it comes with the development packages")
    repo = github.service.repo
    token = github.service.workflow_token(repo, contents="read").text
    made = Runner(tmp_path, house, cache, {"GITHUB_API_URL": github.url}, token)
    repo.git = made.remote
    return made
