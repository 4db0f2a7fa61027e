"""Settings: where they come from, who wins, and what is said of a wrong one."""

import os
from pathlib import Path

import pytest

from services.common import config
from services.common.config import Settings

pytestmark = pytest.mark.unit
NEEDED = {
    "PARLEY_PORT": "7000",
    "PARLEY_OPERATIONS_PORT": "7001",
    "PARLEY_MESH_KEY_FILE": "key.pem",
    "PARLEY_MESH_JWKS_FILE": "mesh.json",
    "PARLEY_PAGE_TOKEN_SECRET": "page-secret",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in list(os.environ):
        if name.startswith("PARLEY_"):
            monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refusal() -> str:
    with pytest.raises(SystemExit) as ended:
        config.load(Settings)
    return str(ended.value.code)


def test_the_environment_is_enough(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PARLEY_SESSION_ADDRESS", "dns:///session:7000")
    settings = config.load(Settings)
    assert settings.port == 7000
    assert settings.address("session") == "dns:///session:7000"
    assert settings.address("engine") == ""


def test_the_environment_wins_over_secrets_and_those_over_the_file(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, folder = tmp_path / "settings.yaml", tmp_path / "secrets"
    folder.mkdir()
    file.write_text("port: 1\nlog_level: DEBUG\npostgres_dsn: from-file\n")
    (folder / "PARLEY_POSTGRES_DSN").write_text("from-secret")
    environment.setenv("PARLEY_SETTINGS_FILE", str(file))
    environment.setenv("PARLEY_SECRETS_DIR", str(folder))
    settings = config.load(Settings)
    assert settings.port == 7000
    assert settings.log_level == "DEBUG"
    assert settings.postgres_dsn is not None
    assert settings.postgres_dsn.get_secret_value() == "from-secret"


def test_no_secret_is_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PARLEY_POSTGRES_DSN", "postgresql://app:very-secret@host/db")
    shown = repr(config.load(Settings))
    assert "very-secret" not in shown
    assert "page-secret" not in shown


def test_each_wrong_setting_has_its_line(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PARLEY_PORT", "not-a-port")
    environment.setenv("PARLEY_PROCESSES", "0")
    environment.delenv("PARLEY_PAGE_TOKEN_SECRET")
    lines = refusal().splitlines()
    assert [line.split(":")[0] for line in lines] == ["PARLEY_PORT", "PARLEY_PROCESSES", "PARLEY_PAGE_TOKEN_SECRET"]
    assert "not-a-port" not in "".join(lines)


@pytest.mark.parametrize("name", ["PARLEY_SETTINGS_FILE", "PARLEY_SECRETS_DIR"])
def test_what_is_named_must_be_there(environment: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    environment.setenv(name, str(tmp_path / "nowhere"))
    assert refusal().startswith(f"{name}:")


def test_a_file_that_is_not_yaml_is_named(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("port: [")
    environment.setenv("PARLEY_SETTINGS_FILE", str(file))
    assert refusal().startswith("PARLEY_SETTINGS_FILE:")
