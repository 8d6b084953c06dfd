"""Everything that can go wrong, as one tree, each with what to do about it.

    AssistantError
    ├── ConfigError                 a setting, a catalogue file or a plan file
    │   └── UsageError              words on a command line that mean nothing
    ├── PromptError                 a file of words is missing or has an unknown $name
    ├── RepoError                   git or the file tree
    │   └── CommitFailed            a hook or git itself refused the commit; nothing was lost
    ├── StateError                  our own files: ledger, journal, cache
    │   └── Locked                  another program holds one of them; waiting helps
    ├── BudgetError                 a cap would be crossed, or the question does not fit
    │   └── Held                    the same, and waiting until `retry_at` helps
    ├── PatchError                  an edit that will not be written
    │   ├── Stale                   the file changed since the model saw it
    │   ├── OutsideRoot             the path leads out of the root, into .git or through a link
    │   └── Unwritable              no right, no room, not a regular file, an encoding that does not round-trip
    └── ProviderError               a model could not be asked, or did not answer
        ├── Auth                    the key is missing, wrong or for another address
        ├── PermissionRefused       the key is good, but may not do this
        ├── UnknownModel
        ├── BadRequest
        ├── ContextOverflow
        ├── RateLimited             too fast; comes back by itself within minutes
        ├── WindowExhausted         a plan's window is used up, until `retry_at` where known
        ├── OutOfFunds              money is gone; waiting does not help
        ├── Overloaded              the provider is busy
        ├── ServerFailed            the provider broke
        ├── Unreachable             no connection, no name, no TLS
        │   └── BadEndpoint         something answers there, but it is not a model
        ├── StreamBroken            the answer stopped before its end
        └── Refused                 the model or a filter declined

`kind` is the class in snake case as it stands in `--json`; `retryable` says whether the same request may be sent again.
Errors are caught where they are translated (`models.client`, `context.repo`, `edits.disk`) or shown (the faces).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class AssistantError(Exception):
    """Something went wrong that the user can be told about; `hint` says what to do."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.with_hint(self.hint)

    def with_hint(self, hint: str) -> str:
        """Return the message and a hint in place of the error's own: each face has its own words for what to do."""
        end = "" if not hint or self.message[-1:] in {"", ".", "!", "?", ":", ";"} else "."
        return f"{self.message}{end} {hint}".strip()


class ConfigError(AssistantError):
    """A setting or a catalogue file is wrong; the message names file and line where known."""

    kind = "config"


class UsageError(ConfigError):
    """A command was called with words that mean nothing."""

    exit_code = 2


class PromptError(AssistantError):
    """A file of words is missing or names a value that is not given."""

    kind = "prompt"


class RepoError(AssistantError):
    """Git or the file tree does not answer."""

    kind = "repo"


class CommitFailed(RepoError):
    """A hook, or git itself, refused the commit. `output` is all it printed; files and index are as they were."""

    kind = "commit"
    exit_code = 3

    def __init__(self, message: str, hint: str = "", *, output: str = "") -> None:
        super().__init__(message, hint)
        self.output = output


class StateError(AssistantError):
    """One of our own files cannot be used."""

    kind = "state"


class Locked(StateError):
    """Another program held one of our own files for longer than we wait."""

    kind = "locked"
    exit_code = 75


class BudgetError(AssistantError):
    """Sending this would cross a cap, or it cannot fit; nothing was sent.

    `hold` is a `quota.caps.Hold` where the user has a way out.
    """

    kind = "budget"
    exit_code = 3

    def __init__(self, message: str, hint: str = "", *, hold: Any = None) -> None:
        super().__init__(message, hint)
        self.hold = hold


class Held(BudgetError):
    """A cap, a reserve or a used-up window holds this back until `retry_at`, an aware instant; nothing was sent."""

    kind = "held"
    exit_code = 75

    def __init__(self, message: str, hint: str = "", *, retry_at: datetime, hold: Any = None) -> None:
        super().__init__(message, hint, hold=hold)
        self.retry_at = retry_at


class PatchError(AssistantError):
    """An edit cannot be written; nothing was written."""

    kind = "patch"
    exit_code = 3

    def __init__(self, message: str, hint: str = "", *, path: str = "") -> None:
        super().__init__(message, hint)
        self.path = path


class Stale(PatchError):
    """The file is no longer what the patch was made for.

    `lost` are the hunks that no longer have a place in it, where that is known.
    """

    kind = "stale"

    def __init__(self, message: str, hint: str = "", *, path: str = "", lost: tuple[Any, ...] = ()) -> None:
        super().__init__(message, hint, path=path)
        self.lost = lost


class OutsideRoot(PatchError):
    """The path leads out of the root, into `.git`, or through a symbolic link."""

    kind = "outside_root"


class Unwritable(PatchError):
    """The file cannot be written as asked."""

    kind = "unwritable"


class ProviderError(AssistantError):
    """A model could not be asked, or did not answer to the end.

    `taken` says that the provider had accepted the question before the failure: nobody knows whether it is billed.
    `retry_at` is an aware UTC instant, or None where nobody named one. `headers` (lower-case names) and `body` are the
    provider's answer, kept for the code that reads quotas in it; they are not shown.
    """

    kind = "provider"
    retryable: bool = False
    taken: bool = False
    headers: Mapping[str, str] = MappingProxyType({})
    body: str = ""

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        provider: str = "",
        status: int | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.provider = provider
        self.status = status
        self.retry_at = retry_at


class Auth(ProviderError):
    """The key is missing, wrong, or belongs to another address."""

    kind = "auth"


class PermissionRefused(ProviderError):
    """The key is good but may not do this."""

    kind = "permission"


class UnknownModel(ProviderError):
    """No such model at this provider."""

    kind = "unknown_model"


class BadRequest(ProviderError):
    """The provider does not understand what was sent."""

    kind = "bad_request"


class ContextOverflow(ProviderError):
    """More than the model's context window was sent: `sent` of `limit` tokens, where the provider says so."""

    kind = "context_overflow"
    sent: int | None = None
    limit: int | None = None


class RateLimited(ProviderError):
    """Too many requests or tokens for the moment."""

    kind = "rate_limited"
    exit_code = 75
    retryable = True


class WindowExhausted(ProviderError):
    """A window of the plan is used up until `retry_at`.

    `window` names it: "5 hours", "day", "week" or "month"; empty where the answer does not tell.
    """

    kind = "window_exhausted"
    window: str = ""
    exit_code = 75


class OutOfFunds(ProviderError):
    """The balance, the credit or a spending cap is used up."""

    kind = "out_of_funds"


class Overloaded(ProviderError):
    """The provider has no room at the moment."""

    kind = "overloaded"
    exit_code = 75
    retryable = True


class ServerFailed(ProviderError):
    """The provider broke."""

    kind = "server"
    exit_code = 75
    retryable = True


class Unreachable(ProviderError):
    """No connection could be made."""

    kind = "unreachable"
    exit_code = 75
    retryable = True


class BadEndpoint(Unreachable):
    """Something answers at the address, but it does not speak as a model does."""

    kind = "bad_endpoint"
    exit_code = 1
    retryable = False


class StreamBroken(ProviderError):
    """The answer stopped before its end; what had come is kept."""

    kind = "stream_broken"
    exit_code = 75
    taken = True


class Refused(ProviderError):
    """The model or a filter declined to answer."""

    kind = "refused"
