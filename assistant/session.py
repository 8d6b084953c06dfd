"""The state of a sitting: who is asked, what was said, what it burnt; the one mutable object of the core.

A session counts (ledger and meters), applies (patches, with the journal) and remembers (the transcript). It is made
cheaply and reaches for a room only when that room is needed, so that a face can paint before anything is read.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from assistant import events, prompts, tokens, turn
from assistant.errors import Auth, BudgetError, ConfigError, PatchError, StateError
from assistant.models.message import Message, said
from assistant.transcript import Transcript, latest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from pathlib import Path

    from assistant.config import Config, Places
    from assistant.context.repo import Repo
    from assistant.context.section import Context
    from assistant.edits.edit import Edit, Misfit
    from assistant.edits.journal import Journal, Step
    from assistant.edits.match import Fitted
    from assistant.edits.patch import Hunk, Patch
    from assistant.models.catalogue import Catalogue, Pick
    from assistant.models.client import Client
    from assistant.models.keys import Found, Key
    from assistant.models.provider import Payer, Provider
    from assistant.models.wire import Chunk, Request, Wire
    from assistant.quota.ledger import Ledger
    from assistant.quota.meter import Estimate
    from assistant.quota.plan import Plan
    from assistant.tokens import Cost, TokenUsage

_OUTPUT_GUESS = 700
"""Tokens an answer is expected to have before this session has seen one."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What the next question would cost: input tokens (low, likely, high), money, and the share of the plan (0 to 1)."""

    low: int
    likely: int
    high: int
    cost: Cost
    share: float | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a review decided about the hunks of `full`: those to write now, those left for later; the others are skipped."""

    full: Patch
    taken: tuple[Hunk, ...]
    undecided: tuple[Hunk, ...] = ()
    skipped: tuple[Hunk, ...] = ()
    edited: tuple[Hunk, ...] = ()
    comments: tuple[tuple[str, int, str], ...] = ()


class Session:
    """One sitting in one folder. `folder` is where the user stands; the root is found when it is first needed."""

    def __init__(
        self,
        folder: Path,
        *,
        places: Places,
        config: Config,
        env: Mapping[str, str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        client: Client | None = None,
    ) -> None:
        self.folder = folder
        self.places = places
        self.config = config
        self.env = env
        self.now = now
        self.id = uuid.uuid4().hex[:12]
        self.pick: Pick | None = None
        self.history: list[Message] = []
        self.pinned: list[str] = []
        self.context: Context | None = None
        self.proposed: Patch | None = None
        self.answer = ""
        self.usage = tokens.TokenUsage()
        self.costs: dict[str, Cost] = {}
        self.turn = 0
        self.stopped = asyncio.Event()
        self._outputs: list[int] = []
        self._news: list[str] = []
        self._client = client
        self._asking = False
        self._locals: dict[str, Provider] = {}
        self._transcript: Transcript | None = None

    # What it stands on, each made when first used.

    @cached_property
    def repo(self) -> Repo:
        """The repository, or plain folder, the user stands in."""
        from assistant.context.repo import Repo

        return Repo.open(self.folder)

    @property
    def root(self) -> Path:
        """The folder that edits may write in."""
        return self.repo.root

    @cached_property
    def ledger(self) -> Ledger:
        """Our own book of what was burnt."""
        from assistant.quota.ledger import Ledger

        ledger = Ledger(self.places.data / "ledger.sqlite")
        ledger.recover(self.now(), _alive)
        return ledger

    @cached_property
    def journal(self) -> Journal:
        """What was written in this root, so that it can be undone."""
        from assistant.edits.journal import Journal

        return Journal(self.places.data / "journal" / _mark(self.root), self.root)

    @cached_property
    def _catalogue(self) -> Catalogue:
        from assistant.models import catalogue

        return catalogue.load(self.env, self.places.config / "providers", self.config.providers)

    @property
    def catalogue(self) -> Catalogue:
        """Providers and models, those found on this machine included."""
        return self._catalogue.including(self._locals.values())

    @cached_property
    def plans(self) -> Mapping[str, Plan]:
        """Plans by name, ours and the user's."""
        from assistant.quota.plan import load_plans

        return load_plans(self.places.config / "plans")

    @property
    def client(self) -> Client:
        """The one door to the network, opened when first used."""
        if self._client is None:
            from assistant.models.client import Client

            self._client = Client()
        return self._client

    async def close(self) -> None:
        """Let go of connections and files."""
        if self._client is not None:
            await self._client.aclose()
        if "ledger" in self.__dict__:
            self.ledger.close()

    # Who is asked, and who pays.

    def found(self) -> Sequence[Found]:
        """List the keys that are there, masked, and who would pay with each."""
        from assistant.models import keys

        return keys.found(self.catalogue, self.env, self.config)

    async def find_local(self) -> Sequence[Provider]:
        """Ask this machine's own addresses for model servers; a few hundred milliseconds."""
        from assistant.models import local

        found = await local.probe(lambda: self.client.get_json, self._catalogue)
        self._locals = {provider.name: provider for provider in found}
        return found

    def payer(self, provider: Provider) -> Payer:
        """Say who pays this provider: a plan where the user has named one."""
        return "plan" if provider.name in self.config.plans else provider.payer

    def plan(self) -> Plan | None:
        """Return the plan or balance that the present model burns; None where there is none.

        Raises ConfigError when the user's config names a plan that does not exist.
        """
        if self.pick is None:
            return None
        provider = self.pick.provider.name
        name = self.config.plans.get(provider)
        if name is None:
            return next((plan for plan in self.plans.values() if provider in plan.default_for), None)
        if name not in self.plans:
            raise ConfigError(
                f"Your config names the plan {name!r} for {provider}, and there is none of that name.",
                f"Choose one of: {', '.join(sorted(self.plans))}; or write plans/{name}.toml in {self.places.config}.",
            )
        return self.plans[name]

    def key(self, provider: Provider) -> str:
        """Return the key for a provider, empty where none is needed; raises Auth when it is missing."""
        from assistant.models import keys

        found: Key | None = keys.find_key(provider, self.env, self.config)
        if found is None and provider.key_needed:
            raise Auth(
                f"There is no key for {provider.title}.",
                f"Set {' or '.join(provider.key_names)} in the environment, or choose another model with /model.",
                provider=provider.name,
            )
        return found.value if found else ""

    def switch(self, name: str) -> events.ModelChanged:
        """Ask another model from now on; the conversation goes along. Raises UnknownModel with the nearest names."""
        from assistant import config

        self.pick = self.catalogue.pick(name)
        config.remember(self.places, model=self.pick.model.name)
        return self._changed(self.pick)

    def _changed(self, pick: Pick) -> events.ModelChanged:
        return events.ModelChanged(
            pick.provider.name, pick.model.id, self.payer(pick.provider), pick.model.context_window
        )

    # What is shown.

    def add(self, path: str) -> str:
        """Pin a file of the repository, so that every turn shows it; returns its path as it is known."""
        from assistant.context import mention

        paths = [file.path for file in self.repo.files()]
        wanted = path.strip().removeprefix("@").removeprefix("./")
        if wanted not in paths:
            near = mention.complete(paths, wanted, 4)
            ending = [each for each in paths if each.endswith("/" + wanted)]
            if len(ending) != 1:
                raise PatchError(f"There is no file {wanted!r} here.", f"Near it: {', '.join(near)}." if near else "")
            wanted = ending[0]
        if wanted not in self.pinned:
            self.pinned.append(wanted)
        return wanted

    def drop(self, path: str) -> list[str]:
        """Unpin a file, or all of them for an empty path; returns what was unpinned."""
        wanted = path.strip().removeprefix("@").removeprefix("./")
        gone = [each for each in self.pinned if not wanted or each == wanted or each.endswith("/" + wanted)]
        self.pinned = [each for each in self.pinned if each not in gone]
        return gone

    def look(self, question: str) -> Context:
        """Gather what a question would show the model; nothing is sent."""
        from assistant.context.pack import pack

        self.context = pack(
            question,
            repo=self.repo,
            cache=self.places.cache / "tags.sqlite",
            budget=self.config.context_budget,
            pinned=tuple(self.pinned),
            now=self.now(),
        )
        return self.context

    def quote(self, text: str) -> Quote | None:
        """Say what sending `text` now would cost; None while no model is chosen. Counts tokens: call it in a thread."""
        if self.pick is None:
            return None
        model = self.pick.model
        words = tokens.count(text) + sum(tokens.count(each.text) + 4 for each in self.history)
        words += 800 + (self.context.tokens if self.context else 1_500)
        likely = round(words * model.token_factor)
        output = sum(self._outputs) // len(self._outputs) if self._outputs else _OUTPUT_GUESS
        usage = tokens.TokenUsage(fresh_input=likely, output=output, exact=False)
        return Quote(round(likely * 0.8), likely, round(likely * 1.3), self.price(usage), self._share(usage))

    def _share(self, usage: TokenUsage) -> float | None:
        from assistant.quota import meter

        plan = self.plan()
        if plan is None or self.pick is None:
            return None
        return meter.share_of(plan, usage, self.price(usage), self.pick.model.id)

    # A turn.

    async def ask(self, text: str) -> AsyncGenerator[events.Event, None]:
        """Run one turn. Raises ConfigError while no model is chosen and Auth without its key; then nothing was sent."""
        if self._asking:
            raise BudgetError("A turn is running.", "Wait for its end or stop it first.")
        if self.pick is None:
            raise ConfigError("No model is chosen yet.", "Choose one with /model (or -m provider/model).")
        pick = self.pick
        key = self.key(pick.provider)
        self._check_caps(text)
        self.turn += 1
        self._asking = True
        self.stopped = asyncio.Event()
        ask = turn.Ask(
            self.turn,
            text,
            pick.provider,
            pick.model,
            self.payer(pick.provider),
            pick.effort,
            tuple(self.history),
            self._outcome(),
            self.config.repairs,
        )
        desk = _Desk(self, ask, key)
        self._save({"kind": "user", "turn": self.turn, "text": text, "model": pick.model.name})
        pieces: list[str] = []
        ended: events.TurnEnded | None = None
        try:
            async with aclosing(turn.run(ask, desk)) as stream:
                async for event in stream:
                    match event:
                        case events.TextArrived(words):
                            pieces.append(words)
                            self._save({"kind": "assistant", "turn": self.turn, "text": words, "piece": True})
                        case events.PatchProposed(patch):
                            self.proposed = patch
                        case events.TurnEnded():
                            ended = event
                            self._remember(text, ended)
                        case _:
                            pass
                    yield event
        finally:
            self._asking = False
            if ended is None:  # closed from outside: what came is kept
                self.history.append(said("user", text))
                if pieces:
                    self.history.append(replace(said("assistant", "".join(pieces)), partial=True))

    def stop(self) -> None:
        """Stop the running turn; it ends by itself with what came so far."""
        self.stopped.set()

    @property
    def asking(self) -> bool:
        """Whether a turn runs."""
        return self._asking

    def _remember(self, text: str, ended: events.TurnEnded) -> None:
        if ended.reply is not None:
            self.history += [said("user", text), ended.reply]
            self.answer = ended.text
        self._news.clear()
        self.usage += ended.usage
        total = tokens.total_cost([*filter(None, [self.costs.get(ended.cost.currency)]), ended.cost])
        self.costs[ended.cost.currency] = total
        if ended.usage.exact and ended.usage.total_output:
            self._outputs = [*self._outputs[-7:], ended.usage.total_output]
        self._save({"kind": "end", "turn": ended.turn, "stop": ended.stop, "model": f"{ended.provider}/{ended.model}"})

    def _check_caps(self, text: str) -> None:
        quote = self.quote(text) if self.config.cap_turn or self.config.cap_session or self.config.cap_day else None
        if quote is None or quote.cost.amount is None:
            return
        today = self.now().replace(hour=0, minute=0, second=0, microsecond=0)
        caps = {"turn": self.config.cap_turn, "session": self.config.cap_session, "day": self.config.cap_day}
        for name, cap in caps.items():
            burnt = Decimal(0)
            if name == "session":
                burnt = sum((cost.amount or Decimal(0) for cost in self.costs.values()), burnt)
            elif name == "day":
                burnt = sum((entry.cost.amount or Decimal(0) for entry in self.ledger.entries(since=today)), burnt)
            if cap is not None and quote.cost.amount + burnt > cap:
                raise BudgetError(
                    f"This question would cost about {quote.cost.amount:.4f} {quote.cost.currency} and cross your cap "
                    f"of {cap} for a {name}.",
                    f"Choose a cheaper model with /model, or raise cap_{name} in your config.",
                )

    def price(self, usage: TokenUsage, reported: Decimal | None = None, pick: Pick | None = None) -> Cost:
        """Say what a usage costs now, with the present model or the one given."""
        from assistant.models import price

        pick = pick or self.pick
        if pick is None:
            return tokens.total_cost([])
        return price.cost(pick.model, usage, self.now(), self.payer(pick.provider), reported)

    def meters(self) -> tuple[Estimate, ...]:
        """Return the present plan's meters, the binding one first; a step in flight counts with its estimate."""
        plan = self.plan()
        return self.estimates(plan) if plan is not None else ()

    def estimates(self, plan: Plan) -> tuple[Estimate, ...]:
        """Return the meters of a plan as they stand now, the binding one first."""
        from assistant.quota import meter

        now = self.now()
        return meter.estimate(plan, self.ledger.entries(plan=plan.name, since=meter.horizon(plan, now)), now)

    # Deciding.

    def read_reply(self, reply: str) -> tuple[Patch, tuple[Misfit, ...]]:
        """Read the edits of a whole reply and find their places; nothing is written."""
        from assistant.edits import disk, match
        from assistant.edits import format as edit_format
        from assistant.edits.edit import Edit, Misfit

        parser = edit_format.open_parser()
        found = [*parser.feed(reply), *parser.close()]
        edits = [each for each in found if isinstance(each, Edit)]
        unread = tuple(each for each in found if isinstance(each, Misfit))
        fitted = match.fit(edits, lambda path: disk.read(self.root, path))
        return fitted.patch, (*unread, *fitted.misfits)

    def check(self, patch: Patch) -> None:
        """Make sure that a patch could be written now; raises PatchError."""
        from assistant.edits import disk

        disk.check(self.root, patch)

    async def apply(self, decision: Decision, *, label: str = "") -> AsyncGenerator[events.Event, None]:
        """Write what was kept, all or nothing; raises PatchError and writes nothing when the disk has moved on."""
        model = self.pick.model.name if self.pick else ""
        kept, left = decision.full.part(decision.taken, decision.undecided)
        if kept.files:
            await asyncio.to_thread(
                self.journal.apply,
                kept,
                label=label or f"turn {self.turn}",
                now=self.now(),
                turn=self.turn,
                model=model,
            )
        self.proposed = left if left.files else None
        self._news += _decisions(decision, kept)
        yield events.PatchApplied(kept, "applied", self.proposed)

    async def undo(self) -> AsyncGenerator[events.Event, None]:
        """Take back what was written last, never over what was typed since."""
        step: Step = await asyncio.to_thread(self.journal.undo, now=self.now())
        self._news.append(f"undid the changes of {step.label} in {', '.join(step.patch.paths)}")
        yield events.PatchApplied(step.patch, "undone")

    async def redo(self) -> AsyncGenerator[events.Event, None]:
        """Write again what was taken back last."""
        step: Step = await asyncio.to_thread(self.journal.redo, now=self.now())
        self._news.append(f"redid the changes of {step.label} in {', '.join(step.patch.paths)}")
        yield events.PatchApplied(step.patch, "redone")

    def _outcome(self) -> str:
        return prompts.fill("outcome", decisions="; ".join(self._news)) if self._news else ""

    # Remembering.

    def clear(self) -> None:
        """Begin a new conversation; the old one stays on disk."""
        self.history.clear()
        self._news.clear()
        self.proposed = None
        self._transcript = None

    def take_up(self) -> int:
        """Take up the last sitting in this folder; returns how many messages came back."""
        last = latest(self._sittings)
        if last is None:
            return 0
        self._transcript = last
        for record in last.read():
            role = record.get("kind")
            text = record.get("text")
            if role in {"user", "assistant"} and isinstance(text, str) and text:
                self.history.append(said(role, text))
                self.turn = max(self.turn, int(record.get("turn") or 0))
        return len(self.history)

    @property
    def _sittings(self) -> Path:
        return self.places.data / "sessions" / _mark(self.root)

    def _save(self, record: dict[str, Any]) -> None:
        if self._transcript is None:
            self._transcript = Transcript(self._sittings / f"{self.now():%Y%m%d-%H%M%S}-{self.id}.jsonl")
        try:
            self._transcript.append({**record, "at": self.now().isoformat()})
        except StateError as error:
            if str(error) not in self.warnings:
                self.warnings.append(str(error))

    @cached_property
    def warnings(self) -> list[str]:
        """What went wrong without stopping anything; a face shows it once."""
        return list(self.config.warnings)


class _Desk:
    """What the session lends to one turn: fixed to the model it began with, whatever is switched meanwhile."""

    def __init__(self, session: Session, ask: turn.Ask, key: str) -> None:
        assert session.pick is not None  # noqa: S101 - ask() has made sure
        self._session = session
        self._pick = session.pick
        self._ask = ask
        self._key = key
        self._meters: tuple[Estimate, ...] | None = None
        self.stopped = session.stopped

    def now(self) -> datetime:
        return self._session.now()

    def look(self, question: str) -> Context:
        return self._session.look(question)

    def fit(self, edits: Sequence[Edit], seen: Mapping[str, str]) -> Fitted:
        from assistant.edits import disk, match

        root = self._session.root
        return match.fit(edits, lambda path: disk.read(root, path), seen=seen)

    def describe(self, misfits: Sequence[Misfit]) -> str:
        from assistant.context import gate
        from assistant.edits import match

        return "\n\n".join(gate.mask(match.describe(each), each.edit.path)[0] for each in misfits)

    def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        from assistant import discover

        wire: Wire = discover.part("assistant.models.wires", self._ask.provider.wire)
        return self._session.client.stream(wire, request, self._ask.provider, self._key)

    def price(self, usage: TokenUsage, reported: Decimal | None = None) -> Cost:
        return self._session.price(usage, reported, self._pick)

    def book(self, step: int, purpose: str, usage: TokenUsage) -> str:
        from assistant.quota.ledger import Start

        plan = self._session.plan()
        return self._session.ledger.begin(
            Start(
                at=self.now(),
                session=self._session.id,
                turn=self._ask.number,
                step=step,
                purpose=purpose,
                project=str(self._session.root),
                provider=self._ask.provider.name,
                model=self._ask.model.id,
                payer=self._ask.payer,
                plan=plan.name if plan else "",
                usage_estimate=usage,
                cost_estimate=self.price(usage),
                pid=os.getpid(),
            )
        )

    def settle(self, entry: str, state: str, usage: TokenUsage, cost: Cost, served_model: str) -> None:
        self._session.ledger.settle(
            entry, at=self.now(), state=state, usage=usage, cost=cost, served_model=served_model
        )

    def burnt(self, usage: TokenUsage, cost: Cost) -> events.UsageMoved:
        costs = tuple(
            tokens.total_cost([each, cost]) if each.currency == cost.currency else each
            for each in (self._session.costs or {cost.currency: tokens.total_cost([])}).values()
        )
        return events.UsageMoved(usage, cost, self._session.usage + usage, costs)

    def meters(self, usage: TokenUsage, cost: Cost) -> events.MeterMoved:
        if self._meters is None or not usage.total:
            self._meters = self._session.meters()
        return events.MeterMoved(tuple(self._ahead(each, usage, cost) for each in self._meters))

    def _ahead(self, each: Estimate, usage: TokenUsage, cost: Cost) -> Estimate:
        """Move a meter by what has streamed beyond the estimate that the ledger holds for the step in flight."""
        plan = self._session.plan()
        known = next((meter for meter in plan.meters if meter.name == each.meter), None) if plan else None
        if known is None or each.used is None or not usage.total_output:
            return each
        ahead = known.burn(
            replace(usage, fresh_input=0, cache_read=0, cache_write_short=0, cache_write_long=0),
            cost,
            self._ask.model.id,
        )
        used = each.used + (ahead if known.unit == "tokens" else 0)
        return replace(
            each, used=used, remaining=max(each.limit - used, used * 0) if isinstance(each.limit, Decimal) else None
        )


def _decisions(decision: Decision, kept: Patch) -> list[str]:
    """Say in few words what a review decided."""
    words = []
    if decision.taken:
        words.append(f"took {len(decision.taken)} of {len(decision.full.hunks)} hunks ({', '.join(kept.paths)})")
    words += [f"skipped the hunk at {hunk.path}:{hunk.old_start}" for hunk in decision.skipped]
    words += [f"edited the hunk at {hunk.path}:{hunk.old_start} before taking it" for hunk in decision.edited]
    words += [f"comment on {path}:{line}: {text}" for path, line, text in decision.comments]
    return words


def _mark(root: Path) -> str:
    """Name a root in a file name: its last part for people, a hash for certainty."""
    import hashlib

    return f"{root.name[:40]}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
