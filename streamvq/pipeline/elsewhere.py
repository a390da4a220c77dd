"""Work that is done on a cluster: handed up to the room that knows how, and only when it is asked for.

That room stands above this one and is optional, so it is found by its name. Nothing else here looks up.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from streamvq.options import ClusterOption


def cluster_asked(options: ClusterOption) -> Any | None:
    """The module that does the work of these options on a cluster; None where it is to be done here."""
    return import_module("streamvq.cluster.dask_run") if options.cluster or options.client is not None else None
