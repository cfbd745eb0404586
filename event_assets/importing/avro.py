"""Rows of Avro files as JSON objects, one a row: what BigQuery, Snowflake and Kafka's connectors export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

AVRO = b"Obj\x01"
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


class NoAvro(ImportError):
    """The library that reads Avro is not installed. The message is the way out."""


def avro_rows(file: Any) -> Iterator[bytes]:
    """Each row of an open file, whichever codec its blocks are packed with.

    Times are RFC 3339, without an offset where Avro calls them local; bytes are text where they are UTF-8, else base64.
    A row that is no record is the object's member `value`. Raises `NoAvro`; `EOFError` where the file is damaged.
    """
    try:
        import fastavro
    except ModuleNotFoundError:
        raise NoAvro("needs fastavro: pip install 'event-assets[avro]'") from None
    try:
        for row in fastavro.reader(file, return_record_name=False):
            yield _encode(_as_text(row if isinstance(row, dict) else {"value": row}))
    except Exception as error:  # the library raises what its parts raise: of zlib, struct, its own, KeyError
        raise EOFError(f"its Avro is damaged ({type(error).__name__}: {error})") from error


def _as_text(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, dict):
        return {name: _as_text(inner) for name, inner in value.items()}
    return [_as_text(inner) for inner in value] if isinstance(value, list) else value
