"""What is left of a plan, from steps and readings in a list, without a sitting around it."""

from assistant.quota import meter
from assistant.quota.estimate import ordered


def estimate(plan, entries, now, readings=()):
    """Return the estimate of each meter of a plan, the binding one first."""
    return ordered([gauge.estimate(now) for gauge in meter.gauges(plan, entries, now, readings)])
