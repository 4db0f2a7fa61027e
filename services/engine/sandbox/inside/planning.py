"""Which tree of files an order wants."""

from services.engine.sandbox.inside.order import Order
from services.engine.sandbox.inside.root import Plan


def plan_of(order: Order, owner: tuple[int, int], *, processes: bool) -> Plan:
    """owner: of the scratch folder; processes: whether /proc is there."""
    return Plan(
        readable=order.readable,
        folders=order.folders,
        size=order.bounds.scratch_bytes,
        files=order.bounds.scratch_files,
        owner=owner,
        processes=processes,
    )
