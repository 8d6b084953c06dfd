"""What is set up, who would pay, what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from assistant.context import language
from assistant.errors import AssistantError
from assistant.headless.output import dump, out
from assistant.models import keys as keys_of

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--offline", action="store_true", help="do not look for local model servers")


def run(session: Session, options: Namespace) -> int:
    """Run the command; return the exit code."""
    data = asyncio.run(_look(session, offline=options.offline))
    if options.json:
        dump(data)
        return 0
    out(f"root      {data['root']} ({'git' if data['git'] else 'no git: a plain folder'})")
    out(f"model     {data['model'] or 'none chosen'}")
    seller = max(map(len, session.roster.sellers()))
    for role, name in data["roles"].items():
        out(f"role      {role:<12} {name}")
    for each in data["keys"]:
        out(f"key       {each['provider']:<{seller}} {each['key']} from {each['source']}; {each['payer']}")
    for name, variables in data["keys_missing"].items():
        out(f"no key    {name:<{seller}} {' or '.join(variables)}, or in the keyring")
    for server in data["local"]:
        models = ", ".join(server["models"]) or "no model loaded"
        out(f"local     {server['provider']:<{seller}} {server['address']}: {models}")
    for name, value in data["addresses"].items():
        out(f"address   {name:<{seller}} {value['address']} (from {value['from']})")
    for name, value in data["places"].items():
        out(f"{name:<9} {value}")
    for problem in data["problems"]:
        out(f"!         {problem}")
    return 0


async def _look(session: Session, *, offline: bool) -> dict[str, Any]:
    broken = [str(error) for error in session.accounts.leave_out()]
    keys = [
        {
            "provider": each.provider.name,
            "source": each.source,
            "key": each.masked,
            "payer": session.roster.payer(each.provider),
        }
        for each in session.roster.found()
    ]
    servers = [
        {"provider": each.name, "address": each.base_url, "models": [model.id for model in each.models]}
        for each in ([] if offline else await session.roster.find_local())
    ]
    problems = [*session.config.warnings, *broken]
    root, is_git = "", False
    try:
        root, is_git = str(session.root), session.repo.is_git
        problems += session.recover()
    except AssistantError as error:
        problems.append(str(error))
    strays = keys_of.strays(session.roster.catalogue, session.env)
    problems += strays
    if not keys and not servers and not strays:
        problems.append("No key and no local server was found. Set a key, start a local server, or try `wattson demo`.")
    missing = language.missing()
    if missing:
        problems.append(
            f"No grammar is installed for {', '.join(missing)}: their files are read as plain text. Install Wattson again."
        )
    problems += _miscast(session)
    problems += session.accounts.misnamed()
    problems += filter(None, map(session.accounts.unpaid, session.config.plans))
    problems += _book(session)
    addresses = {
        each.name: {"address": each.base_url, "from": each.address_from}
        for each in session.roster.catalogue.providers.values()
        if each.address_from
    }
    await session.close()
    return {
        "root": root,
        "git": is_git,
        "model": session.config.model,
        "roles": dict(session.config.roles),
        "keys": keys,
        "keys_missing": {
            each.name: list(each.key_names)
            for each in session.roster.catalogue.providers.values()
            if each.key_needed and session.roster.lacks_key(each)
        },
        "local": servers,
        "addresses": addresses,
        "places": {name: str(getattr(session.places, name)) for name in ("config", "data", "cache")},
        "grammars_missing": list(missing),
        "problems": problems,
    }


def _book(session: Session) -> list[str]:
    """Say what is wrong with the ledger: that it is unreadable, was set aside, or is damaged inside.

    All of it is read for that, which takes some seconds for a million steps: damage in the middle of a large ledger
    shows nowhere else until a report happens to meet it.
    """
    ledger = session.accounts.ledger
    try:
        ledger.in_flight()
        said = ledger.store.check()
    except AssistantError as error:
        return [str(error)]
    if said == "ok":
        return ledger.warnings
    return [
        *ledger.warnings,
        f"{ledger.path} is damaged ({said}): sums may be wrong. Keep a copy of it; when a command meets the damage it sets the "
        "file aside, and what can be read lives on in a new one.",
    ]


def _miscast(session: Session) -> list[str]:
    """Say which wishes in the config cannot be met: for the model that is asked first, and for the roles."""
    wishes = {"model": session.config.model, **{f"role {role}": name for role, name in session.config.roles.items()}}
    keys = {each.provider.name for each in session.roster.found()}
    problems = []
    for what, name in wishes.items():
        try:
            provider = session.roster.catalogue.pick(name).provider if name else None
        except AssistantError as error:
            problems.append(f"{what}: {error}")
            continue
        if provider is not None and provider.key_needed and provider.name not in keys:
            names = " or ".join(provider.key_names)
            problems.append(f"{what}: there is no key for {provider.title}; set {names}, or keep one in the keyring.")
    return problems
