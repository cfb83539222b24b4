"""A settings file that can't be used is answered in one line: file, key, expectation."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from workbench.errors import ConfigError
from workbench.settings import Settings, load_settings, load_toml, validate


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "workbench.toml"


def refused(file: Path, content: str | bytes) -> str:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as raised:
        load_settings(file)
    assert raised.value.exit_code == 2
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_a_name_is_enough_and_the_rest_has_defaults(file: Path) -> None:
    file.write_text('name = "flights"\n')
    settings = load_settings(file)
    assert settings.name == "flights"
    assert settings.state_dir == Path(".workbench")
    assert settings.workers == 2
    assert settings.sources == {}


def test_every_key_has_its_help() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_an_unknown_key_is_answered_with_the_nearest_one(file: Path) -> None:
    message = refused(file, 'name = "x"\nworkres = 3\n')
    assert message.startswith(f"{file}: workres: unknown key; did you mean workers?")


def test_a_misspelt_key_explains_the_missing_one(file: Path) -> None:
    message = refused(file, 'name = "x"\n[sources.weather]\nadress = "w.csv"\n')
    assert "sources.weather.adress: unknown key; did you mean address?" in message
    assert message.endswith("(and 1 more)")


@pytest.mark.parametrize("key", ["_env_file", "_secrets_dir", "model_config", "__pydantic_self__"])
def test_a_key_that_only_the_library_knows_is_unknown_too(file: Path, key: str) -> None:
    assert f"{file}: {key}: unknown key" in refused(file, f'name = "x"\n{key} = "y"\n')


@pytest.mark.parametrize(
    ("content", "key", "expectation", "found"),
    [
        ('name = "x"\nworkers = "many"', "workers", "valid integer", "'many'"),
        ('name = "x"\nworkers = 2.5', "workers", "valid integer", "2.5"),
        ('name = "x"\nworkers = 0', "workers", "greater than or equal to 1", "0"),
        ('name = "x"\nworkers = 100000', "workers", "less than or equal to 256", "100000"),
        ("name = 3", "name", "valid string", "3"),
        ('name = ""', "name", "at least 1 character", "''"),
        ('name = "x"\nsources = 3', "sources", "valid dictionary", "3"),
        ('name = "x"\n[sources.a]\naddress = 1', "sources.a.address", "valid string", "1"),
        ('name = "x"\ntrusted_types = ["a", 2]', "trusted_types.1", "valid string", "2"),
    ],
)
def test_a_wrong_type_names_key_expectation_and_what_was_found(
    file: Path, content: str, key: str, expectation: str, found: str
) -> None:
    message = refused(file, content)
    assert message.startswith(f"{file}: {key}: ")
    assert expectation in message
    assert message.endswith(f"found {found}")


def test_a_missing_name_says_so(file: Path) -> None:
    assert refused(file, "workers = 1\n") == f"{file}: name: missing, and it has no default"


def test_broken_toml_names_the_line(file: Path) -> None:
    message = refused(file, 'name = "x"\nworkers = \n')
    assert message.startswith(f"{file}: not valid TOML: ")
    assert "line 2" in message


def test_text_that_is_not_utf8_names_the_byte(file: Path) -> None:
    assert refused(file, b'name = "caf\xe9"\n') == f"{file}: not UTF-8 text (byte 11)"


def test_a_folder_or_nothing_in_the_files_place(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"can't be read: No such file"):
        load_toml(file)
    file.mkdir()
    with pytest.raises(ConfigError, match=r"can't be read: Is a directory"):
        load_toml(file)


def test_the_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('name = "x"\nworkers = 2\n[sources.a]\naddress = "old"\ndescription = "kept"\n')
    monkeypatch.setenv("WORKBENCH_WORKERS", "7")
    monkeypatch.setenv("WORKBENCH_STATE_DIR", "/fast/disk")
    monkeypatch.setenv("WORKBENCH_SOURCES__A__ADDRESS", "new")
    settings = load_settings(file)
    assert settings.workers == 7
    assert settings.state_dir == Path("/fast/disk")
    assert settings.sources["a"].address == "new"
    assert settings.sources["a"].description == "kept"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("WORKBENCH_WORKERS", "many", "$WORKBENCH_WORKERS: workers: input should be a valid int"),
        ("WORKBENCH_TRUSTED_TYPES", "a,b", "$WORKBENCH_TRUSTED_TYPES: a list or a table"),
        ("WORKBENCH_SOURCES__A__NULL_VALUES", "NA", "$WORKBENCH_SOURCES__A__NULL_VALUES: a list"),
        ("WORKBENCH_SOURCES__A__ADRESS", "y", "$WORKBENCH_SOURCES__A__ADRESS: sources.a.adress: "),
    ],
)
def test_a_wrong_value_in_the_environment_names_the_variable_not_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    message = refused(file, 'name = "x"\n[sources.a]\naddress = "y"\n')
    assert message.startswith(said)


def test_settings_do_not_change_once_read(file: Path) -> None:
    file.write_text('name = "x"\n')
    with pytest.raises(ValueError, match="frozen"):
        load_settings(file).workers = 3  # type: ignore[misc]


toml_values = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='"\\')),
)


@given(st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz_0123456789-"), min_size=1), toml_values)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_single_wrong_key_gets_through_or_out_as_another_error(
    file: Path, key: str, value: int | str
) -> None:
    assume(key not in Settings.model_fields)
    literal = f'"{value}"' if isinstance(value, str) else str(value).lower()
    assert f"{file}: {key}: unknown key" in refused(file, f'name = "x"\n{key} = {literal}\n')


class Check(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: str
    at_least: float | None = None


class Spec(BaseModel):
    model_config = ConfigDict(extra="forbid")
    checks: list[Check] = []
    by_name: dict[str, Check] = {}


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ({"checks": [{"code": "a"}, {"code": "b", "atleast": 1}]}, "checks.1.atleast"),
        ({"by_name": {"first": {"code": "a", "atleast": 1}}}, "by_name.first.atleast"),
    ],
)
def test_an_unknown_key_deep_in_a_specification_lists_the_keys_of_that_place(
    content: dict[str, object], where: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        validate(Spec, content, "spec.toml")
    assert str(raised.value) == (
        f"spec.toml: {where}: unknown key; did you mean at_least? There are: at_least, code"
    )
