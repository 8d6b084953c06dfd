"""What is left of a plan, from steps and readings in a list, without a sitting around it."""

from assistant.quota import meter
from assistant.quota.estimate import ordered
from assistant.quota.plan_page import read_plan
from assistant.quota.tariff import Burn


def estimate(plan, entries, now, readings=()):
    """Return the estimate of each meter of a plan, the binding one first."""
    return ordered([gauge.estimate(now) for gauge in meter.gauges(plan, entries, now, readings)])


def first_use(burns, now, hours=5, **more):
    """Return start and end of the first-use window that is open at `now` after steps at some instants."""
    terms = {"name": "m", "unit": "requests", "window": "first_use", "hours": hours, "limit": 100, **more}
    plan = read_plan({"name": "p", "meters": [terms]}, "p.toml")
    (found,) = estimate(plan, [Burn(at) for at in burns if at <= now], now)
    return found.start, found.end
