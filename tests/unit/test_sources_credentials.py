"""Credentials come from the environment or the keyring, and go nowhere else."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import polars as pl
import pytest
import tomlkit
from sqlalchemy import create_engine

from tests.servers import object_storage, postgresql
from workbench.data import list_datasets, read, stamp
from workbench.data.sources import open_source
from workbench.data.sources.credentials import refuse_literal
from workbench.errors import ConfigError, DataError
from workbench.project import Project

SECRET = "p@ss/w:rd %41 'of\" ada"
QUOTED = "p%40ss%2Fw%3Ard"


def declare(root: Path, address: str, **declared: Any) -> Project:
    document = {"name": "x", "sources": {"rows": {"address": address, **declared}}}
    (root / "workbench.toml").write_text(tomlkit.dumps(document), "utf-8")
    return Project.find(root)


class Drawer(keyring.backend.KeyringBackend):
    """A keyring that holds one password."""

    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        return SECRET if (service, username) == ("shop", "ada") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def drawer() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(Drawer())
    yield
    keyring.set_keyring(before)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a PostgreSQL that asks ada for her password; give host, port and database."""
    lines = "host all ada 127.0.0.1/32 scram-sha-256", "host all all 127.0.0.1/32 trust"
    rules = "(VALUES ('{}'), ('{}'), ('local all all trust')) AS rules".format(*lines)
    with postgresql(tmp_path_factory.mktemp("postgresql")) as address:
        engine = create_engine(address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            run = connection.exec_driver_sql
            run("CREATE TABLE rows AS SELECT 1 AS id")
            escaped = SECRET.replace("'", "''").replace("%", "%%")
            run(f"CREATE ROLE ada LOGIN PASSWORD '{escaped}'")
            run("GRANT SELECT ON rows TO ada")
            file = run("SHOW hba_file").scalar()
            run(f"COPY (SELECT * FROM {rules}) TO '{file}'")
            run("SELECT pg_reload_conf()")
        engine.dispose()
        yield address.partition("@")[2]


def leaks(project: Project, error: BaseException | None, log: str) -> list[str]:
    """List where the secret got to: the error, its traceback, the log, the records."""
    trace = "".join(traceback.format_exception(error)) if error else ""
    records = str(list_datasets(project)) + project.settings.model_dump_json()
    files = [file for file in project.state.rglob("*") if file.is_file()]
    places = {"error": f"{error!r} {error}", "trace": trace, "log": log, "records": records}
    places.update({str(file): file.read_bytes().decode("latin-1") for file in files})
    return [place for place, text in places.items() if SECRET in text or QUOTED in text]


@pytest.mark.parametrize(
    "password", ["${SHOP_PASSWORD}", "${env:SHOP_PASSWORD}", "${keyring:shop/ada}"]
)
@pytest.mark.usefixtures("drawer")
def test_a_password_is_used_and_seen_nowhere(
    tmp_path: Path,
    server: str,
    password: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    address = f"postgresql://ada:{password}@{server}"
    project = declare(tmp_path, address, table="rows")
    assert read("rows", project).to_dict(as_series=False) == {"id": [1]}
    lazy = read("rows", project, lazy=True)
    assert [dataset.address for dataset in list_datasets(project)] == [f"{address}#rows"]
    assert password in stamp("rows", project)
    plan = lazy.explain() + repr(open_source("rows", project)) + stamp("rows", project)
    assert SECRET not in plan
    assert leaks(project, None, caplog.text) == []


def test_a_wrong_password_is_refused_without_being_repeated(
    tmp_path: Path,
    server: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SHOP_PASSWORD", SECRET + " almost")
    for address in (
        f"postgresql://ada:${{SHOP_PASSWORD}}@{server}",
        f"postgresql+psycopg://ada@{server}?password=${{SHOP_PASSWORD}}",
    ):
        project = declare(tmp_path, address, table="rows")
        with pytest.raises(DataError, match="password authentication failed") as raised:
            read("rows", project)
        assert leaks(project, raised.value, caplog.text) == []


def test_a_whole_address_may_be_a_secret(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", f"postgresql://ada:never-{QUOTED}@{server}")
    project = declare(tmp_path, "env:SHOP", table="rows")
    with pytest.raises(DataError, match=r"^env:SHOP#rows: can't be read: ") as raised:
        read("rows", project)
    assert leaks(project, raised.value, "") == []
    monkeypatch.setenv("SHOP", f"postgresql://postgres@{server}")
    assert read("rows", project).height == 1
    assert [dataset.address for dataset in list_datasets(project)] == ["env:SHOP#rows"]


def test_object_storage_refuses_a_wrong_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with object_storage(tmp_path, "shop") as storage:
        caplog.clear()  # of what made the key
        caplog.set_level(logging.DEBUG)
        rows = pl.DataFrame({"id": [1, 2]})
        rows.write_parquet("s3://shop/rows.parquet", storage_options=storage.options)
        options = {**storage.options, "aws_secret_access_key": "env:SHOP_PASSWORD"}
        project = declare(tmp_path, "s3://shop/rows.parquet", options=options)
        monkeypatch.setenv("SHOP_PASSWORD", storage.secret)
        assert read("rows", project).equals(rows)
        assert storage.secret not in caplog.text + str(list_datasets(project))
        monkeypatch.setenv("SHOP_PASSWORD", SECRET)
        source = open_source("rows", project)
        for ask in (source.schema, source.stamp, source.digest, lambda: read("rows", project)):
            with pytest.raises(DataError, match=r"^s3://shop/rows.parquet: access refused") as said:
                ask()
            assert leaks(project, said.value, caplog.text) == []
        options["aws_endpoint_url"] = "http://127.0.0.1:1"
        away = declare(tmp_path, "s3://shop/rows.parquet", options={**options, "max_retries": 0})
        with pytest.raises(DataError, match=r"^s3://shop/rows.parquet: can't be read") as said:
            read("rows", away)
        assert leaks(away, said.value, caplog.text) == []


@pytest.mark.parametrize(
    ("address", "options", "said"),
    [
        ("postgresql://ada:hunter2@host/shop", {}, "sources.rows.address: a credential can't"),
        ("https://host/rows.csv?token=hunter2", {}, "sources.rows.address: a credential can't"),
        ("https://h/r.csv?X-Amz-Signature=hunter2", {}, "sources.rows.address: a credential can't"),
        (
            "s3://shop/rows.parquet",
            {"aws_secret_access_key": "hunter2"},
            "sources.rows.options.aws_secret_access_key: a credential can't stand here",
        ),
        ("https://h/r.csv", {"Authorization": "Bearer hunter2"}, "sources.rows.options.Auth"),
        ("az://shop/rows.csv", {"account_key": "hunter2"}, "sources.rows.options.account_key: a"),
        ("postgresql://ada:hunter2$$x@host/shop", {}, "sources.rows.address: a credential can't"),
        ("postgresql://ada:x/hunter2@host/shop", {}, "sources.rows.address: a credential can't"),
        ("postgresql://ada:1/hunter2@host/shop", {}, "sources.rows.address: a credential can't"),
        ("http://ada:hunter$2@host/rows.csv", {}, "sources.rows.address: a credential can't"),
        ("https://hunter2@host/rows.csv", {}, "sources.rows.address: a credential can't"),
        ("https://host/rows.csv?key=hunter2", {}, "sources.rows.address: a credential can't"),
        (
            "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BPWD%3Dhunter2",
            {},
            "sources.rows.address: a credential can't",
        ),
        (
            "az://shop/rows.csv",
            {"connection_string": "AccountKey=hunter2"},
            "sources.rows.options.connection_string: a",
        ),
        ("postgresql://h/shop", {"dsn": "password=hunter2"}, "sources.rows.options.dsn: a"),
        ("s3://hunter2[1]/rows.csv", {}, "sources.rows.address: can't be parsed as an address"),
        ("https://[hunter2/rows.csv", {}, "sources.rows.address: can't be parsed as an address"),
    ],
)
def test_a_credential_in_the_file_is_refused_and_not_repeated(
    tmp_path: Path, address: str, options: dict[str, str], said: str
) -> None:
    project = declare(tmp_path, address, options=options)
    with pytest.raises(ConfigError) as raised:
        read("rows", project)
    assert str(raised.value).startswith(said)
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    "address",
    [
        "https://host:8080/of@home/rows.csv",
        "https://host:8080?mail=ada@home",
        "https://host/ada:1@home.csv",
        "https://ada:${PASSWORD}@host/rows.csv",
        "https://${TOKEN}@host/rows.csv",
        "postgresql://ada:${keyring:shop/ada@home}@host/shop",
        "postgresql://ada@host/shop",
        "s3://shop/ada:1@home.parquet",
    ],
)
def test_what_is_no_credential_may_stand_in_the_file(address: str) -> None:
    refuse_literal(address, {"aws_access_key_id": "ada"}, "sources.rows")


def test_an_address_that_cannot_be_parsed_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    address = "postgresql://ada:${SHOP_PASSWORD}@host:port/shop"
    with pytest.raises(ConfigError, match=r"^sources.rows.address: can't be parsed as a") as raised:
        read("rows", declare(tmp_path, address, table="rows"))
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("address", "options", "said"),
    [
        ("https://ada:${NOT_SET}@h/r.csv", {}, "sources.rows.address: $NOT_SET isn't set in the"),
        ("s3://b/r.csv", {"a": "env:NOT_SET"}, "sources.rows.options.a: $NOT_SET isn't set in the"),
        (
            "https://ada:${keyring:shop/eve}@h/r.csv",
            {},
            "sources.rows.address: the keyring has no entry for 'eve' of 'shop'",
        ),
    ],
)
@pytest.mark.usefixtures("drawer")
def test_a_credential_that_is_not_there_is_named(
    tmp_path: Path, address: str, options: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        read("rows", declare(tmp_path, address, options=options))
    assert str(raised.value).startswith(said)
