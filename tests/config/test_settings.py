"""Tokens as people paste them: what is around them is taken off, and what no token has is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from config.errors import CredentialsError
from config.settings import Environment, Settings
from connectors.github.api import GITHUB
from connectors.gitlab import GITLAB
from connectors.todoist.api import TODOIST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person

TOKEN = "0123456789abcdef" * 2
STRANGE = {
    f"“{TOKEN}”": "a quotation mark at the beginning",
    f"„{TOKEN}“": "a quotation mark at the beginning",
    f"«{TOKEN}»": "a quotation mark at the beginning",
    f"'{TOKEN}'": "a quotation mark at the beginning",
    f'{TOKEN}"': "a quotation mark at the end",
    f"{TOKEN[:9]} {TOKEN[9:]}": "a blank within",
    f"{TOKEN[:9]}\N{NO-BREAK SPACE}{TOKEN[9:]}": "a blank within",
    f"{TOKEN[:9]}\n{TOKEN[9:]}": "a line end within",
    f"{TOKEN[:9]}\r\n{TOKEN[9:]}": "a line end within",
    f"{TOKEN[:9]}é{TOKEN[9:]}": "a letter that is not ASCII within",
    f"{TOKEN[:9]}\N{ZERO WIDTH SPACE}{TOKEN[9:]}": "a sign that is not ASCII within",
    f"{TOKEN[:9]}\x07{TOKEN[9:]}": "a sign that is not ASCII within",
}
CREDENTIALS = {service.credential.variable: service.credential for service in (TODOIST, GITHUB, GITLAB)}


@pytest.fixture(params=sorted(CREDENTIALS))
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The variable of a service, unset."""
    for one in CREDENTIALS:
        monkeypatch.delenv(one, raising=False)
        monkeypatch.delenv(f"{one}_FILE", raising=False)
    return str(request.param)


def read(name: str, folder: Path) -> str:
    return Environment.of_process(folder).settings(CREDENTIALS[name]).secret().get_secret_value()


@pytest.mark.parametrize("around", ["{}", " {}", "{}\n", "\t{} \r\n", "\ufeff{}\n", "\N{NO-BREAK SPACE}{}"])
def test_white_space_around_a_token_is_taken_off(
    name: str, around: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, around.format(TOKEN))
    assert read(name, tmp_path) == TOKEN
    monkeypatch.delenv(name)
    (tmp_path / "token").write_text(around.format(TOKEN), encoding="utf-8", newline="")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "token"))
    assert read(name, tmp_path) == TOKEN


@pytest.mark.parametrize("text", STRANGE)
def test_what_no_token_has_is_named_and_never_the_token(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(CredentialsError) as told:
        read(name, tmp_path)
    said = f"the token in {name} contains an invalid character ({STRANGE[text]}); copy it again"
    assert str(told.value).startswith(said)
    monkeypatch.delenv(name)
    (tmp_path / "token").write_text(text, encoding="utf-8", newline="")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "token"))
    with pytest.raises(CredentialsError, match=f"the token in the file that {name}_FILE names contains"):
        read(name, tmp_path)


@given(st.text(min_size=1))
def test_whatever_a_token_holds_it_can_be_sent_or_is_refused(text: str) -> None:
    made = Settings(TODOIST.credential, "https://x.invalid", 300, SecretStr(text))
    try:
        token = made.secret().get_secret_value()
    except CredentialsError:
        return
    assert token.encode("ascii").isalnum() or token.isprintable()


GOALS = "namespace: me/goals\nsync: [{}]\ngoals: [{{title: Be, deadline: 2027-09-30}}]\n"


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ("TODOIST_API_TOKEN", "todoist"),
        ("GITHUB_TOKEN", "{github: {repo: me/goals}}"),
        ("GITLAB_TOKEN", "{gitlab: {project: me/goals}}"),
    ],
)
@pytest.mark.parametrize("token", [f"“{TOKEN}”", f"{TOKEN}é", "\udcff" + TOKEN])
def test_the_command_ends_with_77(person: Person, variable: str, place: str, token: str) -> None:
    person.writes(GOALS.format(place))
    done = person.run("sync", env={variable: token})
    assert done.code == 77
    assert f"the token in {variable} contains an invalid character" in done.err
    assert TOKEN not in done.out + done.err
