"""`streamvq plan`."""

from __future__ import annotations

from streamvq.cli.parameters import Inputs, PrintOptions, with_options
from streamvq.options import PlanOptions

EXAMPLES = """\b
Examples:
  streamvq plan film.mkv --workers 20
  streamvq plan photos/ -r --block 4 -k 4096 --workers 100 --network 10"""


@with_options(json="One JSON object.")
def plan(inputs: Inputs, options: PlanOptions, printing: PrintOptions) -> None:
    """Say what compress --cluster would take with so many workers: time, memory, and bytes over the wire.

    A share of the inputs is counted and coded here, and nothing is kept.
    """
    from dataclasses import asdict

    from streamvq.cli.printing import print_json
    from streamvq.cluster import planning
    from streamvq.errors import bytes_text, counted

    found = planning.plan(inputs, **vars(options))
    if printing.json:
        print_json({"inputs": inputs} | asdict(found))
    elif not printing.quiet:
        costs = found.costs
        print(f"{counted(costs.frames, 'frame')} on {counted(found.workers, 'worker')}, about:")
        print(f"  {found.seconds:.1f} s, of which {found.learn_seconds:.1f} s to learn; limited by {found.limit}")
        wire, output = bytes_text(found.wire_bytes), bytes_text(costs.bytes_out)
        print(f"  {wire} over the wire, besides inputs and {output} of output")
        print(f"  {bytes_text(found.worker_bytes)} of memory for each worker, and for the caller")
        print(f"  beyond {counted(found.useful_workers, 'worker')}, twice as many save less than a tenth of the time")
