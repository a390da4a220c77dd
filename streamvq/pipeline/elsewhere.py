"""Work that is done on a cluster: handed up to the room that knows how, and only when it is asked for.

That room stands above this one and is optional, so it is found by its name. Nothing else here looks up.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from streamvq.options import ClusterOption


def cluster_asked(options: ClusterOption) -> Any | None:
    """The module that does the work of these options in shares; None where it is to be done as a whole, here."""
    in_shares = options.cluster or options.client is not None or getattr(options, "resume", False)
    return import_module("streamvq.cluster.dask_run") if in_shares else None
