"""Bringing in files of events: history from another system, on the same way as live events, from a trusted source.

What an event must be is the contract's to say: what does not fit is sent on all the same and ends in quarantine.
"""

from event_assets.importing.files import ImportFile, files_at
from event_assets.importing.importer import (
    ImportProgress,
    ImportResult,
    ImportStopped,
    Rules,
    import_file,
    import_files,
)
from event_assets.importing.mapping import FieldMapping, find_mapping
from event_assets.importing.mapping_file import MappingError
from event_assets.importing.sinks import ApiSink, FileAside, Preview, Sink, StreamAside, StreamSink, Written
from event_assets.importing.translating import Format, Translator, protocol_of
from event_assets.importing.unpacking import UnreadableFile

__all__ = [
    "ApiSink",
    "FieldMapping",
    "FileAside",
    "Format",
    "ImportFile",
    "ImportProgress",
    "ImportResult",
    "ImportStopped",
    "MappingError",
    "Preview",
    "Rules",
    "Sink",
    "StreamAside",
    "StreamSink",
    "Translator",
    "UnreadableFile",
    "Written",
    "files_at",
    "find_mapping",
    "import_file",
    "import_files",
    "protocol_of",
]
