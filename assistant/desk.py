"""The session's side of one turn, bound to the model that the turn began with even if the user switches meanwhile."""

from __future__ import annotations

import contextlib
import os
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Protocol

from assistant import discover, events, tokens
from assistant.errors import BudgetError, Locked, PatchError, ProviderError, StateError
from assistant.models.wire import HeadersChunk, RetryChunk, ServedChunk
from assistant.receipts import Owed, told_in

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from assistant.accounts import Accounts
    from assistant.context.section import Context, Masked
    from assistant.edits.edit import Candidate, Edit, Misfit
    from assistant.edits.match import Fitted
    from assistant.edits.patch import Patch
    from assistant.models.catalogue import Pick
    from assistant.models.client import Client
    from assistant.models.wire import Chunk, Request, Wire
    from assistant.pricing import Pricing
    from assistant.quota.estimate import Estimate
    from assistant.roster import Roster
    from assistant.step import Partner
    from assistant.tokens import Cost, TokenUsage
    from assistant.turn import Ask


class Sees(Protocol):
    """What a desk needs of the session's sight."""

    def show(self, question: str, plan: str = "", masked: Sequence[Masked] = ()) -> Context:
        """Gather the context of a question, and of a plan for it, to be sent; `masked` are the secrets masked in it."""

    def private(self) -> Callable[[str], str]:
        """Return a function that says why no line of a path may be sent, empty where they may. Call it in a thread."""

    def let_through(self) -> frozenset[tuple[str, str, str]]:
        """Return the secrets that the user allowed to be sent, in the form that the gate takes."""


class Holds(Protocol):
    """What a desk needs of the session's limits."""

    def again(self, words: int, pick: Pick, costs: Sequence[Cost], answer: int = 0) -> str:
        """Say why another call of a turn may not be sent; empty where it may."""

    def outrun(self, entry: str, words: int, pick: Pick) -> None:
        """Raise BudgetError where calls that others booked earlier have used up the room for this one."""


class Sitting(Protocol):
    """What a desk needs of the session."""

    id: str

    @property
    def stopped(self) -> asyncio.Event:
        """Set when the running turn is to end with what has come so far."""

    @property
    def accounts(self) -> Accounts:
        """What was burnt and what is left."""

    @property
    def pricing(self) -> Pricing:
        """What things cost."""

    @property
    def sight(self) -> Sees:
        """What is shown."""

    @property
    def root(self) -> Path:
        """The folder that edits may write in."""

    @property
    def client(self) -> Client:
        """The one door to the network."""

    @property
    def roster(self) -> Roster:
        """Who is asked, and how they count."""

    @property
    def limits(self) -> Holds:
        """What holds a call back."""

    def now(self) -> datetime:
        """Return the instant, aware UTC."""


class Desk:
    """The session's side of one turn, as far as one partner is asked.

    `waiting` is a proposed patch that is not written yet: edits are fitted onto the files as it would leave them.
    """

    def __init__(self, sitting: Sitting, turn: int, who: Partner, key: str, waiting: Patch | None = None) -> None:
        self.stopped = sitting.stopped
        self.who = who
        self._sitting = sitting
        self._turn = turn
        self._key = key
        self._waiting = {file.target: file for file in waiting.files} if waiting else {}
        self._plan = sitting.accounts.plan(who.pick)
        self._hearing = sitting.accounts.listen(who.provider, key)
        self._meters: tuple[Estimate, ...] | None = None
        self._answer_id = ""

    def now(self) -> datetime:
        """Return the instant, aware UTC."""
        return self._sitting.now()

    def look(self, ask: Ask, plan: str = "") -> Context:
        """Gather the context of a question, and of what a plan for it names."""
        return self._sitting.sight.show(ask.text, plan, ask.masked)

    def fit(self, edits: Sequence[Edit], seen: Mapping[str, str], shown: Collection[str]) -> Fitted:
        """Find the places of edits in the files as they are now, or as the waiting patch would leave them.

        `shown` are the texts that the model has in front of it.
        """
        from assistant.context import gate
        from assistant.edits import disk, match

        lines: Collection[str] | None = None
        if any(edit.action == "whole" for edit in edits):
            lines = {line.strip() for text in shown for line in text.split("\n")}
        return match.fit(
            edits,
            self._read,
            seen=seen,
            shown=lines,
            namesakes=partial(disk.namesakes, self._sitting.root),
            private=self._private(),
            mask=lambda path, text: self._clean(text, path),
            masks=gate.is_mask,
        )

    def _private(self) -> Callable[[str], str]:
        """Return the function that says why no line of a path may be sent, also for files the waiting patch renames."""
        why = self._sitting.sight.private()

        def told(path: str) -> str:
            file = self._waiting.get(path)
            return why(path) or (why(file.path) if file is not None else "")

        return told

    def _read(self, path: str) -> tuple[bytes, int] | None:
        from assistant.edits import disk

        file = self._waiting.get(path)
        if file is None:
            return disk.read(self._sitting.root, path)
        return None if file.after is None else (file.after, file.mode_after or 0o644)

    def describe(self, misfits: Sequence[Misfit]) -> str:
        """Describe edits without a place, with the nearest lines, secrets masked.

        Where a file has become private, it only says that the edit is to be left out, and why.
        """
        from assistant.edits import match

        private = self._private()
        told = []
        for each in misfits:
            paths = dict.fromkeys((*each.edit.names, *(near.path for near in each.candidates)))
            if why := next(filter(None, map(private, paths)), ""):
                told.append(f"{each.edit.path}: leave this edit out. {why}.")
                continue
            near = tuple(replace(one, text=self._masked(one)) for one in each.candidates)
            told.append(self._clean(match.describe(replace(each, candidates=near)), next(iter(paths), "")))
        return "\n\n".join(told)

    def _masked(self, near: Candidate) -> str:
        """Return the lines of a candidate place, masked within the whole file: half a key may not look like a key."""
        with contextlib.suppress(PatchError):
            if found := self._read(near.path):
                text = found[0].decode("utf-8-sig", "replace").replace("\r\n", "\n")
                there = slice(near.start - 1, near.end)
                if text.split("\n")[there] == near.text.removesuffix("\n").split("\n"):
                    return "\n".join(self._clean(text, near.path).split("\n")[there])
        return self._clean(near.text, near.path)

    def _clean(self, text: str, path: str) -> str:
        from assistant.context import gate

        return gate.mask(text, path, self._sitting.sight.let_through())[0] if path else gate.mask_words(text)[0]

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Ask the model; keep what the answer, or a refusal, says about quotas until the step is settled."""
        self._answer_id = ""
        wire: Wire = discover.part("assistant.models.wires", self.who.provider.wire)
        stream = self._sitting.client.stream(wire, request, self.who.provider, self._key)
        try:
            async with aclosing(stream) as chunks:
                async for chunk in chunks:
                    match chunk:
                        case HeadersChunk(headers):
                            self._hearing.answer(headers)
                            self._answer_id = told_in(headers, self.who.provider) or self._answer_id
                        case ServedChunk(id=told) if told:
                            self._answer_id = told
                        case RetryChunk(error=error):
                            self._hearing.refusal(error)
                        case _:
                            pass
                    yield chunk
        except ProviderError as error:
            self._hearing.refusal(error)
            raise

    def price(
        self, usage: TokenUsage, reported: Decimal | None = None, *, at: datetime | None = None, tier: str = ""
    ) -> Cost:
        """Return the cost of a usage with this turn's model and payer; the request begins now or began at `at`."""
        return self._sitting.pricing.price(usage, reported, self.who.pick, at=at, tier=tier)

    def held(self, words: int, costs: Sequence[Cost], answer: int = 0) -> str:
        """Say why another call of the turn, of `words` o200k tokens, may not be sent; empty where it may."""
        return self._sitting.limits.again(words, self.who.pick, costs, answer)

    def book(self, step: int, purpose: str, usage: TokenUsage, words: int) -> str:
        """Write a step of `words` o200k tokens into the ledger before it is sent; return the entry's id.

        Raises BudgetError where a cap would be crossed after all; the step is then booked as failed.
        """
        from assistant.quota.entry import Start

        entry = self._sitting.accounts.ledger.begin(
            Start(
                at=self.now(),
                session=self._sitting.id,
                turn=self._turn,
                step=step,
                purpose=purpose,
                project=str(self._sitting.root),
                provider=self.who.provider.name,
                model=self.who.model.id,
                payer=self.who.payer,
                plan=self._plan.name if self._plan else "",
                usage_estimate=usage,
                cost_estimate=self.price(usage),
                pid=os.getpid(),
                account=self._hearing.account,
            )
        )
        try:
            self._sitting.limits.outrun(entry, words, self.who.pick)
        except BudgetError:
            self.settle(entry, "failed", tokens.TokenUsage(), self.price(tokens.TokenUsage()), "")
            raise
        return entry

    def settle(self, entry: str, state: str, usage: TokenUsage, cost: Cost, served_model: str) -> None:
        """Write into the ledger how a step ended. If the ledger refuses, that is a warning: the answer is not lost."""
        accounts, now = self._sitting.accounts, self.now()
        if self._answer_id and usage.total and not usage.exact:
            accounts.receipts.owe(
                Owed(entry, self._answer_id, self.who.pick, self._key, self._sitting.id, self._turn, usage, cost, now)
            )
        try:
            accounts.ledger.settle(entry, at=now, state=state, usage=usage, cost=cost, served_model=served_model)
            self._hearing.keep()
        except Locked as error:
            words = "An answer is booked by estimate, and exactly once the ledger is free; the estimate stays if this Wattson ends before that"
            accounts.ledger.warnings.append(f"{error.message} {words}. Close the program that holds it.")
        except StateError as error:
            accounts.ledger.warnings.append(str(error))

    def learn(self, counted: int, reported: int) -> None:
        """Learn how this model counts, from the tokens counted here and those the provider reported."""
        self._sitting.roster.learn(self.who.model, counted, reported)

    def burnt(self, usage: TokenUsage, costs: Sequence[Cost]) -> events.UsageMoved:
        """Return what this turn has burnt so far, beside the session's total."""
        accounts = self._sitting.accounts
        return events.UsageMoved(
            usage, tokens.total_cost(costs), accounts.usage + usage, accounts.paid(costs if usage.total else ())
        )

    def meters(self, usage: TokenUsage, cost: Cost) -> events.MeterMoved:
        """Return the plan's meters with the step in flight added."""
        if self._plan is None:
            return events.MeterMoved(())
        if self._meters is None or not usage.total:
            self._meters = self._sitting.accounts.estimates(self._plan, self.who.model.id)
        return events.MeterMoved(tuple(self._ahead(each, usage, cost) for each in self._meters))

    def _ahead(self, each: Estimate, usage: TokenUsage, cost: Cost) -> Estimate:
        """Move a meter by the output streamed so far, which the ledger's estimate for the step does not include."""
        meters = self._plan.meters if self._plan else ()
        known = next((meter for meter in meters if meter.name == each.meter), None)
        if known is None or known.unit != "tokens" or each.used is None or not usage.total_output:
            return each
        words = usage._replace(fresh_input=0, cache_read=0, cache_write_short=0, cache_write_long=0)
        used = each.used + known.burn(words, cost, self.who.model.id)
        remaining = max(each.limit - used, Decimal(0)) if isinstance(each.limit, Decimal) else None
        return each._replace(used=used, remaining=remaining)
