"""One change of the tree as the journal remembers it (Step), and how it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from assistant.edits.archive import Damaged
from assistant.edits.patch import FilePatch, Kind, Patch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

State = Literal["done", "partly", "undone", "dropped"]
"""All of it stands; some of it; none of it; none, and something else was written since, so that redo skips it."""

_KINDS: tuple[Kind, ...] = ("create", "delete", "rename", "change", "mode")
_STATES: dict[str, State] = {"done": "done", "partly": "partly", "undone": "undone", "dropped": "dropped"}


@dataclass(frozen=True, slots=True)
class Touched:
    """One file of a step in a listing: what was done to it, and how many lines were added and removed."""

    path: str
    new_path: str = ""
    kind: Kind = "change"
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the tree: what, when, by which turn and model, at what cost, and whether it stands.

    `patch` is empty in a listing. `did` and `took` put the last writes and the last undos in order, whatever the clock
    said; 0 means never.
    """

    id: int
    at: datetime
    label: str
    turn: int
    model: str
    patch: Patch
    state: State
    session: str = ""
    cost: str = ""
    files: tuple[Touched, ...] = ()
    did: int = 0
    took: int = 0

    @property
    def added(self) -> int:
        """Number of added lines."""
        return sum(file.added for file in self.files)

    @property
    def removed(self) -> int:
        """Number of removed lines."""
        return sum(file.removed for file in self.files)


@dataclass(frozen=True, slots=True)
class Full:
    """A step with its texts: the patch as made, and the part of it that stands now (both from the state before)."""

    step: Step
    stands: Patch = field(default_factory=Patch)


def touched(patch: Patch) -> tuple[Touched, ...]:
    """Summarise a patch for a listing."""
    found = []
    for file in patch.files:
        kinds = {hunk.kind for hunk in file.hunks}
        kind = next((kind for kind in _KINDS if kind in kinds), _KINDS[-1])
        added, removed = sum(hunk.added for hunk in file.hunks), sum(hunk.removed for hunk in file.hunks)
        found.append(Touched(file.path, file.new_path, kind, added, removed))
    return tuple(found)


def write_patch(patch: Patch, keep: Callable[[bytes | None], str | None]) -> list[dict[str, Any]]:
    """Turn a patch into values for JSON; `keep` stores bytes and returns their name."""
    return [
        {
            "path": file.path,
            "new_path": file.new_path,
            "before": keep(file.before),
            "after": keep(file.after),
            "mode_before": file.mode_before,
            "mode_after": file.mode_after,
        }
        for file in patch.files
    ]


def read_patch(files: object, fetch: Callable[[str | None], bytes | None]) -> Patch:
    """Read back what `write_patch` made; raises Damaged."""
    try:
        return Patch(
            tuple(
                FilePatch(
                    str(each["path"]),
                    fetch(each["before"]),
                    fetch(each["after"]),
                    _mode(each["mode_before"]),
                    _mode(each["mode_after"]),
                    str(each["new_path"]),
                )
                for each in files  # type: ignore[attr-defined]  # what is no list raises TypeError
            )
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged("it is not a patch") from error


def _mode(value: object) -> int | None:
    if value is not None and not isinstance(value, int):
        raise TypeError
    return value


def write_step(full: Full, keep: Callable[[bytes | None], str | None]) -> dict[str, Any]:
    """Turn a step with its texts into a record."""
    step = full.step
    record = {
        "id": step.id,
        "at": step.at.isoformat(),
        "label": step.label,
        "turn": step.turn,
        "model": step.model,
        "session": step.session,
        "cost": step.cost,
        "state": step.state,
        "did": step.did,
        "took": step.took,
        "files": write_patch(step.patch, keep),
        "stands": write_patch(full.stands, keep) if step.state == "partly" else None,
    }
    for entry, file in zip(record["files"], touched(step.patch), strict=True):  # type: ignore[call-overload]
        entry |= {"kind": file.kind, "added": file.added, "removed": file.removed}
    return record


def read_step(record: Mapping[str, Any]) -> Step:
    """Read a step without its texts; raises Damaged."""
    try:
        number = int(record["id"])
        state = _STATES[record["state"]]
        return Step(
            number,
            datetime.fromisoformat(record["at"]),
            str(record["label"]),
            int(record["turn"]),
            str(record["model"]),
            Patch(),
            state,
            str(record.get("session", "")),
            str(record.get("cost", "")),
            tuple(
                Touched(
                    each["path"],
                    each["new_path"],
                    each.get("kind", "change"),
                    each.get("added", 0),
                    each.get("removed", 0),
                )
                for each in record["files"]
            ),
            int(record.get("did", number)),
            int(record.get("took", -number if state == "undone" else 0)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged("it is not a step") from error


def read_full(record: Mapping[str, Any], fetch: Callable[[str | None], bytes | None]) -> Full:
    """Read a step with its texts; raises Damaged."""
    step = read_step(record)
    patch = read_patch(record["files"], fetch)
    whole = replace(step, patch=patch)
    match step.state:
        case "done":
            return Full(whole, patch)
        case "partly":
            return Full(whole, read_patch(record.get("stands"), fetch))
        case _:
            return Full(whole)
