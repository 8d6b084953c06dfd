"""Commits exactly what a conversation wrote, that is still in the files and not committed yet."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant import events, prompts, record
from assistant.context import commit, gate
from assistant.edits.merge import merge
from assistant.edits.patch import Patch
from assistant.edits.review import compose
from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from assistant.changes import Changes, Sees
    from assistant.context.commit import Committed
    from assistant.edits.patch import FilePatch
    from assistant.handover import Handover
    from assistant.roster import Roster
    from assistant.transcript import Conversations

    Stream = AsyncGenerator[events.Event, None]

_DIFF_SHOWN = 12_000
"""Characters of a diff that are shown to the model that drafts a commit message."""


class Committing:
    """Commits what one session wrote in one root. `asked` returns the user's last question, empty before the first."""

    def __init__(
        self,
        changes: Changes,
        sight: Sees,
        roster: Roster,
        handover: Handover,
        *,
        conversations: Callable[[], Conversations],
        asked: Callable[[], str],
    ) -> None:
        self._changes = changes
        self._sight = sight
        self._roster = roster
        self._handover = handover
        self._conversations = conversations
        self._asked = asked
        self.committed: set[int] = set()
        """Ids of the journal steps that are known, from this process and the conversation, to be committed."""

    async def draft(self) -> Stream:
        """Let a model draft a commit message for what was taken; the AsideEnded event carries it."""
        words = await asyncio.to_thread(self._words, self._asked())
        async with aclosing(self._handover.side("commit message", words)) as stream:
            async for event in stream:
                yield event

    async def commit(self, message: str) -> Stream:
        """Commit exactly what this session wrote and has not committed; hooks run, and what is staged stays staged.

        Raises RepoError, or CommitFailed with the output of the hook or of git.
        """
        made = await asyncio.to_thread(self._commit, message)
        words = [f"committed {made.id[:10]}: {', '.join(made.paths)}", *made.output.splitlines(), *made.notes]
        yield events.Notice("\n".join(words), "good")

    def _commit(self, message: str) -> Committed:
        """Commit, and record it in every conversation that wrote a part of it; API keys are hidden from hooks."""
        numbers, patch = self._uncommitted(), self.to_commit()
        hidden = self._roster.key_names()
        made = commit.commit(self._changes.repo, _to_commit(patch), message, merge=merge, hide=hidden)
        self.committed.update(numbers)
        conversations, mine = self._conversations(), self._changes.session
        conversations.save(record.committed(numbers))
        writers = {step.session for step in self._changes.journal.history() if step.id in numbers}
        for each in writers - {mine, ""}:
            conversations.tell(each, record.committed(numbers))
        return made

    def to_commit(self) -> Patch:
        """Return all changes of this session that are still in the files and not committed; raises RepoError."""
        whole = Patch()
        fresh: set[str] = set()
        for number in self._uncommitted():
            step = self._changes.journal.standing(number)
            if number in self._changes.written:
                fresh.update(file.target for file in step.files)
            known = {file.target: file for file in whole.files}
            files = []
            for file in step.files:
                then = known.get(file.path)
                if then is None or then.after == file.before:
                    files.append(file)
                    continue
                both = then.after is not None and file.before is not None and file.after is not None
                after = merge(file.before, file.after, then.after) if both else None  # type: ignore[arg-type]
                if after is None:
                    raise RepoError(
                        f"{file.path} was changed by hand between two changes of this session.",
                        "Commit it with git itself.",
                    )
                files.append(replace(file, before=then.after, after=after))
            whole = compose(whole, Patch(tuple(files)))
        # Changes of an earlier sitting that are gone from the files are left out; those of this sitting stay, so that
        # their loss is noticed.
        whole = Patch(tuple(file for file in whole.files if file.target in fresh or self._stands(file)))
        if not whole.files:
            if commit.is_open(self._changes.repo, self._undone()):
                words = "What this session has written is committed, and what was undone since is not."
                raise RepoError(words, "Commit that with git itself, or /redo it.")
            raise RepoError("This session has written nothing that is not committed.", "Take some hunks first.")
        return whole

    def _uncommitted(self) -> list[int]:
        """Return the uncommitted steps of this conversation (by any process) and of this process, oldest first."""
        mine = (each for each in self._changes.journal.history() if each.session == self._changes.session)
        steps = [each.id for each in mine if each.state in {"done", "partly"}]
        return sorted({*steps, *self._changes.written} - self.committed)

    def _undone(self) -> set[str]:
        """Return the files of steps that were wholly or partly undone after their commit."""
        steps = (each for each in self._changes.journal.history() if each.id in self.committed and each.state != "done")
        return {path for each in steps for file in each.files for path in (file.path, file.new_path) if path}

    def _stands(self, file: FilePatch) -> bool:
        try:
            commit.must_stand(self._changes.repo.root, _change(file), merge)
        except RepoError:
            return False
        return True

    def _words(self, question: str) -> str:
        """Return the request for a commit message, secrets masked. Raises RepoError where no commit can be made."""
        commit.check(self._changes.repo)
        patch = self.to_commit()
        for change in _to_commit(patch):  # no model should be paid for the message of a commit that would fail
            commit.must_stand(self._changes.repo.root, change, merge)
        private, allowed = self._sight.private(), self._sight.let_through()
        diff = "".join(_part(file, private, allowed) for file in patch.files)
        if len(diff) > _DIFF_SHOWN:
            diff = diff[:_DIFF_SHOWN] + "\n... (cut)"
        subjects = gate.mask_words("\n".join(commit.subjects(self._changes.repo)))[0] or "(none yet)"
        return prompts.fill("commit", subjects=subjects, question=question or "(not said)", diff=diff)


def _part(file: FilePatch, private: Callable[[str], str], allowed: frozenset[tuple[str, str, str]]) -> str:
    """Return a file's part of a diff, secrets masked; if no line of the file may be sent, one line that says why."""
    if why := private(file.path) or private(file.target):
        head = file.path if file.path == file.target else f"{file.path}, now {file.target}"
        return f"{head}: changed, and not shown: {why}\n"
    return gate.mask_diff(Patch((file,)).diff(), allowed)[0].encode("utf-8", "replace").decode()


def _to_commit(patch: Patch) -> list[commit.Change]:
    return [_change(file) for file in patch.files]


def _change(file: FilePatch) -> commit.Change:
    executable = None if file.mode_after is None else bool(file.mode_after & 0o100)
    return commit.Change(file.path, file.before, file.after, executable, file.new_path)
