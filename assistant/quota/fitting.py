"""Whether a plan can pay for what is sent to a seller: by its terms, by the address that is asked, and by the key.

If it cannot, each request is billed by the token, or refused; to call it included would hide the money, and lift the
caps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from assistant.quota.terms import Plan

_SIGNED_IN = "eyJ"
"""How the token of a sign-in begins: it is a JSON web token, and no key is one."""
_PLAIN = {"", "/v1"}
"""Paths that any server may have: they do not identify a vendor."""


class Seller(NamedTuple):
    """The provider that is asked, as far as it matters to a plan.

    `address` is asked over `wire`; `own` is the address in its page, the same unless the user has set another. `billed`
    says that requests there cost money by default, so that no plan need be behind it. `key` is the key at hand, else
    empty, and `key_is` says in words whose it looks like.
    """

    name: str
    wire: str
    address: str
    own: str
    billed: bool
    key: str = ""
    key_is: str = ""


def unfit(plan: Plan, seller: Seller) -> str:
    """Say why a plan pays nothing there, as the rest of a sentence; empty if it may pay, or if nothing tells."""
    if not plan.may_send:
        return "its terms exclude other programs"
    if plan.client == "own_sign_in" and not (plan.addresses and seller.key.startswith(_SIGNED_IN)):
        return "it is used by a sign-in of its vendor's, and pays for no key"
    if seller.name in plan.default_for:
        return ""
    return _wrong_address(plan, seller) or _wrong_key(plan, seller)


def _wrong_address(plan: Plan, seller: Seller) -> str:
    known = (*plan.addresses.values(), *plan.also_at)
    if not known:
        return ""
    place, own = urlsplit(seller.address), urlsplit(seller.own)
    hosts = {urlsplit(each).netloc for each in known}
    if place.netloc not in hosts and seller.address != seller.own:
        # An address set by the user may be any relay: it is the vendor's own only if its path says so.
        if place.path.rstrip("/") != own.path.rstrip("/") or own.path.rstrip("/") in _PLAIN:
            return ""
        place = own
    if not seller.billed:
        here = {_domain(each) for each in hosts} & {_domain(place.netloc)}
    else:
        same = [plan.addresses[seller.wire], *plan.also_at] if seller.wire in plan.addresses else []
        here = {each for each in same or known if _at(each, f"//{place.netloc}{place.path}", host_only=not same)}
    if here:
        return ""
    return f"it is reached at {' or '.join(dict.fromkeys(known))}, not at {seller.address}"


def _at(address: str, asked: str, *, host_only: bool) -> bool:
    """Say whether two addresses have the same host and, unless `host_only`, one path begins with the other."""
    one, other = urlsplit(address), urlsplit(asked)
    paths = sorted((f"{one.path.rstrip('/')}/", f"{other.path.rstrip('/')}/"), key=len)
    return one.netloc == other.netloc and (host_only or paths[1].startswith(paths[0]))


def _domain(host: str) -> str:
    return ".".join((host.rpartition("@")[2].partition(":")[0]).split(".")[-2:])


def _wrong_key(plan: Plan, seller: Seller) -> str:
    shape = plan.key_shape.partition("...")[0].partition("<")[0]
    if not shape or not seller.billed or not seller.key or seller.key.startswith(shape):
        return ""
    if seller.address != seller.own and not seller.key_is:
        return ""  # a relay may take keys of its own
    return f"its keys begin with {shape}, and the one that is used is {seller.key_is or 'another'}"
