"""Reads and checks the settings of a service: the variables of a run, and the lines of files `.env`. Slow to import."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, create_model
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pydantic_settings import PydanticBaseSettingsSource

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _safe_address(value: str) -> str:
    parts = urlsplit(value)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise ValueError("expected an address that begins with https://, since a token is sent to it")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(_safe_address)]


class _Lines(DotEnvSettingsSource):
    """Lines of files `.env`, as they are written."""

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        """Return the lines of a file that have a value. The base class would replace `${` in values."""
        lines = dotenv_values(file_path, interpolate=False, encoding="utf-8")
        return {name: value for name, value in lines.items() if value}


class Variables(BaseSettings):
    """The variables of one service. A model for it gives each field the name of its variable."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, case_sensitive=True)

    url: Address
    token: SecretStr | None
    token_file: Path | None
    time_budget: float

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources by precedence: the variables of the run (passed as arguments), then the files."""
        del env_settings, file_secret_settings
        files = dotenv_settings.env_file if isinstance(dotenv_settings, DotEnvSettingsSource) else None
        return init_settings, _Lines(settings_cls, env_file=files)


def read(
    names: Mapping[str, str], also: Collection[str], own: Mapping[str, Any], files: Sequence[Path]
) -> tuple[Variables, dict[str, str]]:
    """Return the variables of a service, and the further ones of `also`. Raises pydantic's ValidationError.

    names: the names of the variables, by field. own: the variables of the run; None hides a line of the files, of
    which a later one takes precedence.
    """
    model: Any = _model(tuple(names.items()), tuple(also))
    found: Variables = model(_env_file=tuple(files), **own)
    return found, {name: getattr(found, name.lower()) for name in also}


@lru_cache(maxsize=64)
def _model(names: tuple[tuple[str, str], ...], also: tuple[str, ...]) -> type[Variables]:
    """Return the model of a service's variables. It takes longer to build than to fill."""
    variable = dict(names)
    fields: dict[str, Any] = {
        "url": (Address, Field(validation_alias=variable["url"])),
        "token": (SecretStr | None, Field(None, validation_alias=variable["token"])),
        "token_file": (Path | None, Field(None, validation_alias=variable["token_file"])),
        "time_budget": (float, Field(300, gt=0, validation_alias=variable["time_budget"])),
        **{name.lower(): (str, Field("", validation_alias=name)) for name in also},
    }
    return create_model("VariablesOfService", __base__=Variables, **fields)
