"""Where a feed's rows wait for its archive."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spark_engine.feeds.settings import FeedSettings


def state_directory(settings: FeedSettings) -> Path:
    """Beside the archive where that is a directory, so that both are on one disk."""
    uri = settings.archive_uri
    place = Path(settings.provider) / settings.name
    if "://" not in uri or uri.startswith("file://"):
        from spark_engine.data.source import file_path

        return Path(file_path(uri) if "://" in uri else uri) / ".journal" / place
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "spark-trading" / "feeds" / place
