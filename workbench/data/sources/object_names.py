"""One set of options for object storage: polars' names, said to fsspec in its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.data.sources.declared import Declared
from workbench.errors import MissingExtraError

__all__ = ["file_system"]

_DRIVERS = {
    "s3": ("s3fs", "s3"),
    "s3a": ("s3fs", "s3"),
    "gs": ("gcsfs", "gcs"),
    "gcs": ("gcsfs", "gcs"),
    "az": ("adlfs", "azure"),
    "azure": ("adlfs", "azure"),
    "abfs": ("adlfs", "azure"),
    "abfss": ("adlfs", "azure"),
    "adl": ("adlfs", "azure"),
    "hf": ("huggingface_hub", "huggingface"),
}
"""What each scheme needs installed, and our extra with it."""

_PREFIXES = ("aws_", "azure_storage_", "azure_", "google_")

_NAMES = {
    "access_key_id": "key",
    "secret_access_key": "secret",
    "session_token": "token",
    "endpoint_url": "endpoint_url",
    "endpoint": "endpoint_url",
    "skip_signature": "anon",
    "service_account": "token",
    "service_account_path": "token",
    "application_credentials": "token",
    "account_name": "account_name",
    "account_key": "account_key",
    "sas_token": "sas_token",
    "client_id": "client_id",
    "client_secret": "client_secret",
    "tenant_id": "tenant_id",
}


def file_system(declared: Declared) -> Any:
    """Make the fsspec file system that an address is in; options are named as polars names them.

    Raises
    ------
    MissingExtraError
        If the package for this storage isn't installed.
    """
    driver, extra = _DRIVERS.get(declared.scheme, ("fsspec", "files"))
    known = declared.scheme in _DRIVERS
    options = _renamed(declared.options) if known else dict(declared.options)
    try:
        import fsspec

        files, _ = fsspec.url_to_fs(declared.address, **options)
    except ImportError as error:
        if known:
            raise MissingExtraError.of(driver, extra) from error
        raise MissingExtraError(f"{declared.shown}: {error}") from error
    files.invalidate_cache()  # what it listed before may be gone
    return files


def _renamed(options: Mapping[str, Any]) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for key, value in options.items():
        name = key.lower()
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        if name in _NAMES:
            renamed[_NAMES[name]] = value
        elif name in ("region", "default_region"):
            renamed["client_kwargs"] = {"region_name": value}
    return renamed
