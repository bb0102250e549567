"""How often a feed does what nothing else calls for. The defaults are for venues; tests are quicker."""

from __future__ import annotations

from dataclasses import dataclass, field

from spark_engine.feeds.connection.session import ConnectionSettings
from spark_engine.feeds.pipeline.patience import Patience
from spark_engine.feeds.rest.client import RestSettings


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. turn: between proofs, closed bars and doubts. store: what comes within it shares one fsync.
    listing: until the venue is asked again for its symbols. reconcile: of each symbol, None as the venue's
    limits allow. history: between looks for minutes that are missing. clock: between samples of the venue's
    time, and clock_doubt while one contradicts the others. storage: until a journal or archive that failed is
    tried again. compact: between compactions."""

    turn: float = 0.2
    store: float = 0.05
    listing: float = 60.0
    reconcile: float | None = None
    history: float = 5.0
    clock: float = 15.0
    clock_doubt: float = 3.0
    storage: float = 2.0
    compact: float = 3600.0
    patience: Patience = field(default_factory=Patience)
    connection: ConnectionSettings = field(default_factory=ConnectionSettings)
    rest: RestSettings = field(default_factory=RestSettings)
