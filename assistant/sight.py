"""What the model is shown: files of a repository, and what the user pinned, kept out or let through.

Decisions hold for this session and this process: none is written down. Plain functions of the context room; those that
read files are called in a thread.
"""

from __future__ import annotations

import posixpath
import re
import threading
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from assistant.context.out import Out
from assistant.errors import ConfigError, PatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from assistant.config import Config, Places
    from assistant.context.completion import Marks
    from assistant.context.repo import Repo
    from assistant.context.rules import Ruled
    from assistant.context.section import Context, Masked
    from assistant.models.catalogue import Pick
    from assistant.models.message import Image, Message
    from assistant.roster import Roster

_RECENT, _TOLD = 12, 16
"""The most files, and the most names, of the conversation that are remembered, the newest first."""
_ASKED = 4
"""The most questions of the conversation that are remembered, the newest first."""
_SPOKEN = r"`([A-Za-z_][\w.]{2,60})(?:\(\))?`"
CONTEXT_GUESS = 1_500
"""o200k tokens assumed for a context until one has been gathered."""
_TELLS = 1
"""The least number of words that make a question worth gathering a context for."""
_NAMES = r"(?<!\w)@\S|\w/\w|\w\.[A-Za-z]{1,4}\b"
"""How a question may name a file."""
_LONGEST_WAIT_S = 3_600
_MOST_READ = 20_000
"""The most characters of a question or an answer that are searched for files and names."""


class Sitting(Protocol):
    """What Sight needs of the session."""

    folder: Path
    places: Places
    config: Config
    env: Mapping[str, str]

    @property
    def roster(self) -> Roster:
        """Knows which model is asked, and so how pictures count."""

    @property
    def repo(self) -> Repo:
        """The repository, or plain folder, that the user stands in."""

    @property
    def whole_files(self) -> bool:
        """Whether the model that is asked returns whole files, so that it must be shown whole files."""


class _Decisions(NamedTuple):
    """The user's decisions about what is shown."""

    pinned: list[str]
    dropped: list[str]
    allowed: list[Masked]
    pictures: dict[str, Image]
    withheld: dict[str, Image]


class Sent(NamedTuple):
    """A question that was sent, the context it showed, and the secrets masked in the user's words."""

    question: str
    context: Context
    masked: tuple[Masked, ...] = ()


class Sight:
    """What one session shows of one root.

    `pinned` and `dropped` are paths as sections name them; a dropped folder ends in "/". `allowed` are the secrets that
    may be sent. `ruled` are the folders whose rules the conversation was told. `pictures` go along with the next
    question, by the name that the user gave them; `withheld` are pictures kept out of it. `context` was gathered last, `sent` is the last question that was sent and what it showed.
    """

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        self.pinned: list[str] = []
        self.dropped: list[str] = []
        self.allowed: list[Masked] = []
        self.recent: list[str] = []
        self.told: list[str] = []
        self.asked: list[str] = []
        self.ruled: Ruled | None = None
        self.pictures: dict[str, Image] = {}
        self.withheld: dict[str, Image] = {}
        self.context: Context | None = None
        self.sent: Sent | None = None
        self._before: list[_Decisions] = []
        self._heard: list[tuple[str, str, tuple[str, ...]]] = []
        self._hearing = threading.Lock()
        """Held for a moment: a turn may end while a thread estimates the cost of the next question."""
        self._usual = 0
        self._guessed = (0, CONTEXT_GUESS)
        self._expected: tuple[tuple[str, ...], int] = ((), 0)

    def paths(self) -> list[str]:
        """List the files of the repository that may be shown."""
        return [file.path for file in self._sitting.repo.files()]

    def completion(self) -> Marks:
        """Return all that an @-mark may name, for completion, files of the conversation first. Starts the index."""
        from assistant.context import index
        from assistant.context.completion import Marks

        repo, cache = self._sitting.repo, self._cache
        files = repo.files()
        index.refresh(repo, files, cache, timeout_s=0).close()
        ours = [*self.pinned, *self.recent]
        recent = {path: float(len(ours) - age) for age, path in enumerate(ours)}
        return Marks([file.path for file in files], recent, partial(index.symbols, repo.root, cache), self._stand)

    @property
    def _stand(self) -> str:
        """The folder that the user stands in, below the root and with "/" at its end; empty for the root."""
        with suppress(ValueError, OSError):
            below = self._sitting.folder.resolve().relative_to(self._sitting.repo.root).as_posix()
            return "" if below == "." else f"{below}/"
        return ""

    @property
    def _cache(self) -> Path:
        return self._sitting.places.cache / "tags.sqlite"

    def find(self, path: str) -> str:
        """Return the one path of the repository that `path`, whole or as an ending, names. Raises PatchError."""
        return self._find(self._inside(path), self.paths())

    def _find(self, wanted: str, paths: Sequence[str]) -> str:
        from assistant.context import completion

        if self._stand and (here := posixpath.normpath(self._stand + wanted)) in paths:
            return here
        if wanted not in paths:
            near = completion.complete(paths, wanted, 4)
            ending = [each for each in paths if each.endswith("/" + wanted)]
            if len(ending) != 1:
                raise PatchError(f"There is no file {wanted!r} here.", f"Near it: {', '.join(near)}." if near else "")
            wanted = ending[0]
        return wanted

    def find_any(self, path: str) -> str:
        """Return the one path that is named, as `find` does, or a folder, which ends in "/". Raises PatchError."""
        wanted, paths = self._inside(path), self.paths()
        folder = f"{wanted.rstrip('/')}/"
        known = folder in self.dropped or any(each.startswith(folder) for each in paths)
        return folder if known else self._find(wanted, paths)

    def _inside(self, path: str) -> str:
        """Return a typed path without its @-mark and "." steps; an absolute path in the root is made relative to it."""
        wanted = path.strip().removeprefix("@")
        place = Path(wanted)
        if place.is_absolute() and (above := place.parent.resolve()).is_relative_to(root := self._sitting.repo.root):
            return (above / place.name).relative_to(root).as_posix() + "/" * wanted.endswith("/")
        if place.is_absolute():
            return wanted
        pieces = [each for each in wanted.split("/") if each not in {"", "."}]
        end = "/" if wanted.endswith(("/", "/.")) else ""
        # "." alone stays as it was typed: the root is no folder within itself
        return "/".join(pieces) + end if pieces else wanted

    # Decisions.

    def add(self, path: str) -> str:
        """Pin a file of the repository, so that every turn shows it; returns its path as it is known."""
        return self.pin(self.find(path))

    def pin(self, path: str) -> str:
        """Pin a file by the path that the repository knows it by; return that path."""
        if path not in self.pinned or path in self.dropped:
            self._decide()
            self.pinned = [*(each for each in self.pinned if each != path), path]
            self.dropped = [each for each in self.dropped if each != path]
        return path

    def show_picture(self, path: str) -> str:
        """Send a picture along with the next question, from wherever it lies; return its kind and its token count.

        Raises PatchError where there is no picture, ConfigError where the present model cannot be shown it.
        """
        from assistant.models import picture

        try:
            place = self._sitting.folder / Path(path.strip().removeprefix("@")).expanduser()
            with place.open("rb") as file:
                image = picture.read(file.read(picture.LARGEST + 1))
        except OSError as error:
            raise PatchError(f"{path} cannot be read: {error.strerror}.", "") from error
        except RuntimeError as error:
            raise PatchError(f"{path} cannot be read: nobody has that home.", "") from error
        if image is None or len(image.data) > picture.LARGEST:
            raise PatchError(
                f"{path} is no picture that can be sent.",
                "PNG, JPEG, GIF and WebP can, up to 20 MB where a model takes that.",
            )
        pick = self._sitting.roster.present()
        if why := picture.refusal(image, pick):
            smaller = ", or make it smaller" if "images" in pick.model.abilities else ""
            raise ConfigError(f"{path} cannot be shown: {why}.", f"Choose another model with /model{smaller}.")
        self.pictures[self._called(place)] = image
        return picture.told(image, pick.provider)

    def pictures_with(self, question: str, pick: Pick) -> tuple[dict[str, Image], dict[str, str]]:
        """Return the pictures that go along with a question: those that were added, and those that it marks with `@`.

        Marks only name something. So a picture that this model cannot be shown is no error there: its path is returned
        with the reason. Reads files: call it in a thread.
        """
        from assistant import pictures
        from assistant.models import picture

        found, unseen = dict(self.pictures), {}
        for path, image in pictures.marked(question, self._sitting.repo, self.find):
            if path in found or path in self.withheld or self.out.hides(path):
                continue
            if why := picture.refusal(image, pick):
                unseen[path] = why
            else:
                found[path] = image
        return found, unseen

    def mark(self, pasted: str) -> str:
        """Return what stands for a picture whose path is all that was pasted; empty if it is something else.

        That is its mark, or the command that adds it where it lies elsewhere: nothing from there is sent unsaid.
        """
        from assistant import arguments, pictures

        place = pictures.pasted(pasted, self._sitting.folder)
        if place is None or '"' in str(place):
            return ""
        path = self._called(place)
        if path in self.paths():
            path = f"/{path}" if self._stand else path  # a mark is read from where the user stands
            return f'@"{path}"' if " " in path else f"@{path}"
        return f"/add {arguments.quote(str(place))}"

    def _called(self, place: Path) -> str:
        """Return the name of a picture: its path from the root, or the whole path where it lies elsewhere."""
        real, root = place.parent.resolve() / place.name, self._sitting.repo.root
        return real.relative_to(root).as_posix() if real.is_relative_to(root) else str(real)

    def picture_words(self, question: str, talk: Iterable[Message], pick: Pick) -> int:
        """Return the pictures that a question sends, including those of the conversation, in o200k tokens.

        They are converted from the model's own tokens.
        """
        from assistant.models import picture
        from assistant.models.message import Image

        if "images" not in pick.model.abilities:
            return 0
        said = [part for message in talk for part in message.parts if isinstance(part, Image)]
        total = picture.total([*said, *self.pictures_with(question, pick)[0].values()], pick.provider)[1]
        return round(total / self._sitting.roster.factor(pick.model).likely)

    def shown(self, images: Iterable[Image]) -> None:
        """Note which pictures were sent: they are part of the conversation now."""
        gone = list(images)
        if gone:
            self.pictures = {path: image for path, image in self.pictures.items() if image not in gone}
            self._before = [each._replace(pictures=self.pictures) for each in self._before]

    def still_waits(self) -> str:
        """Say that the pictures of a question that failed go along with the next one; empty where it had none."""
        from assistant import arguments

        names = [arguments.quote(path) for path in self.pictures]
        if not names:
            return ""
        goes, it = ("goes", "it") if len(names) == 1 else ("go", "them")
        return f"{', '.join(names)} {goes} along with the next question again: /drop {' '.join(names)} leaves {it} out."

    def check_pictures(self, pick: Pick) -> None:
        """Raise ConfigError where a picture for the next question cannot be shown to a model."""
        from assistant.models import picture

        for path, image in self.pictures.items():
            if why := picture.refusal(image, pick):
                raise ConfigError(
                    f"{path} cannot be shown: {why}. Nothing was sent.", f"/drop {path}, or choose another model."
                )

    def drop(self, path: str) -> list[str]:
        """Unpin a file, or, for an empty path, all files and pictures; return what was unpinned."""
        wanted = self._inside(path)
        pictures = [each for each in self.pictures if not wanted or each in {path.strip(), wanted}]
        self.pictures = {each: image for each, image in self.pictures.items() if each not in pictures}
        if pictures and wanted:
            return pictures
        gone = [each for each in self.pinned if not wanted or each == wanted or each.endswith("/" + wanted)]
        if gone:
            self._decide()
            self.pinned = [each for each in self.pinned if each not in gone]
        return [*gone, *pictures]

    def keep_out(self, path: str) -> str:
        """Keep a file, a folder, a diff (as a section names it) or a picture out of this session; return `path`."""
        if path in self.pictures:
            self._decide()
            self.withheld = {**self.withheld, path: self.pictures[path]}
            self.pictures = {each: image for each, image in self.pictures.items() if each != path}
        elif path not in self.dropped or any(map(Out([path]).hides, self.pinned)):
            self._decide()
            self.dropped = [*(each for each in self.dropped if each != path), path]
            self.pinned = [each for each in self.pinned if not Out([path]).hides(each)]
        return path

    def bring_back(self, path: str) -> None:
        """Let a file, a folder or a picture that was kept out be shown again."""
        if path in self.withheld:
            self._decide()
            self.pictures = {**self.pictures, path: self.withheld[path]}
            self.withheld = {each: image for each, image in self.withheld.items() if each != path}
        elif path in self.dropped:
            self._decide()
            self.dropped = [each for each in self.dropped if each != path]

    def show_again(self, folder: str) -> list[str]:
        """Show a folder again that was kept out; return the paths in it that stay out by decisions of their own.

        Raises PatchError where the folder was not kept out.
        """
        from assistant import arguments

        if above := Out(each for each in self.dropped if each != folder).folder(folder):
            hint = f"/add {arguments.quote(above)} brings that back, and a file of it is added by its name."
            raise PatchError(f"{folder} lies in {above}, which is kept out.", hint)
        if folder not in self.dropped:
            hint = f"Name a file of it, or ask about @{folder}."
            raise PatchError(f"{folder} is a folder, and only files are pinned.", hint)
        self.bring_back(folder)
        return [each for each in self.dropped if each.startswith(folder)]

    @property
    def out(self) -> Out:
        """What is kept out, by the decisions at this moment."""
        return Out(self.dropped, self.pinned)

    def allow(self, secret: Masked) -> None:
        """Let one secret be sent in this session: the user was asked about it by name."""
        if secret not in self.allowed:
            self._decide()
            self.allowed = [*self.allowed, secret]

    def hide(self, secret: Masked) -> None:
        """Mask a secret again that was let through."""
        if secret in self.allowed:
            self._decide()
            self.allowed = [each for each in self.allowed if each != secret]

    def private(self) -> Callable[[str], str]:
        """Return a function that says why no line of a path may be sent, empty where they may.

        It keeps to the decisions at this moment. Code that quotes a file to a model outside of a context must ask it.
        It lists files: call it in a thread.
        """
        from assistant.context import reader

        return reader.private(self._sitting.repo, self.out, self.let_through())

    def let_through(self) -> frozenset[tuple[str, str, str]]:
        """Return the secrets that the user allowed to be sent, in the form that the gate takes."""
        return frozenset((each.path, each.kind, each.digest) for each in self.allowed)

    def spoken(self, words: str) -> tuple[str, tuple[Masked, ...]]:
        """Return the user's words with secrets masked, and the secrets that were masked: a pasted log may hold some.

        Terminal colours are taken out: they can stand between a name and its value, and tell a model nothing.
        """
        from assistant.context import colours, gate
        from assistant.context.section import YOURS

        return gate.mask_words(colours.plain(words), self.let_through(), YOURS)

    def undo(self) -> bool:
        """Undo the last decision; say whether there was one."""
        if not self._before:
            return False
        self.pinned, self.dropped, self.allowed, self.pictures, self.withheld = self._before.pop()
        return True

    def _decide(self) -> None:
        now = _Decisions(self.pinned, self.dropped, self.allowed, self.pictures, self.withheld)
        self._before = [*self._before[-99:], now]

    # The talk.

    def heard(self, question: str, answer: str, edited: Iterable[str] = ()) -> None:
        """Remember what a turn was about: the question, the files it edited or named, the names it spoke of.

        The next context makes use of it.
        """
        with self._hearing:
            self._heard.append((question[:_MOST_READ], answer[:_MOST_READ], tuple(edited)))

    def forget(self) -> None:
        """Begin a new conversation; decisions stay."""
        self.recent, self.told, self.asked, self._heard = [], [], [], []
        self.sent = self.ruled = None

    def _recall(self, paths: Sequence[str]) -> None:
        from assistant.context import mention

        with self._hearing:
            heard, self._heard = self._heard[-_RECENT:], []
        if not heard:
            return
        from assistant.context.files import Files

        # The user names paths as they stand there, the model as they are shown to it: from the root.
        theirs, ours = Files(paths, stand=self._stand), Files(paths)
        for question, answer, edited in heard:
            words = f"{question}\n{answer}"
            found = [*mention.read(question, theirs), *mention.read(answer, ours)]
            named = [each.path for each in found if each.kind == "file"]
            self.recent = list(dict.fromkeys([*edited, *named, *self.recent]))[:_RECENT]
            spoken = [name.rsplit(".", 1)[-1] for name in re.findall(_SPOKEN, words)]
            self.told = list(dict.fromkeys([*reversed(spoken), *self.told]))[:_TOLD]
            self.asked = [*filter(str.strip, [question]), *self.asked][:_ASKED]

    # Looking.

    def look(self, question: str, masked: Sequence[Masked] = ()) -> Context:
        """Gather what a question would show the model; nothing is sent. `masked` are secrets already masked in it."""
        self.context = self._gather(question)
        still = [each for each in masked if each not in self.allowed]
        if kept := (*still, *self.spoken(question)[1]):
            self.context = self.context._replace(masked=(*kept, *self.context.masked))
        if not self.pinned and not re.search(_NAMES, question):
            self._usual = self.context.tokens
        self.context = self._with_pictures(self.context, question)
        return self.context

    def _gather(self, question: str) -> Context:
        from assistant.context.pack import pack

        sitting = self._sitting
        if self._heard:
            self._recall(self.paths())
        return pack(
            question,
            repo=sitting.repo,
            cache=self._cache,
            budget=sitting.config.context_budget,
            pinned=self.pinned,
            dropped=self.dropped,
            allowed=self.allowed,
            recent=self.recent,
            told=self.told,
            asked=self.asked,
            ruled=self.ruled,
            stand=self._stand,
            whole=sitting.whole_files,
            timeout_s=_wait(sitting.env),
        )

    def _with_pictures(self, context: Context, question: str) -> Context:
        """Return a context with a section for each picture that goes along, and why others do not."""
        if not self.pictures and "@" not in question:
            return context
        from assistant.context.section import Section
        from assistant.models import picture

        try:
            pick = self._sitting.roster.present()
        except ConfigError:
            return context  # nobody is asked
        found, unseen = self.pictures_with(question, pick)
        whys = {
            path: "a picture that you added" if path in self.pictures else "a picture that you marked" for path in found
        }
        sections = tuple(
            Section(
                path,
                0,
                0,
                path,
                picture.told(image, pick.provider),
                picture.tokens(image, pick.provider)[1],
                whys[path],
            )
            for path, image in found.items()
        )
        left_out = tuple({**dict(context.left_out), **unseen}.items())
        return context._replace(pictures=sections, left_out=tuple(each for each in left_out if each[0] not in found))

    def names_some(self, question: str) -> bool:
        """Say whether a question names a file, or something is pinned: then the context may be of any size."""
        return bool(self.pinned or re.search(_NAMES, question))

    def expect(self, question: str, *, sure: bool = False) -> int:
        """Estimate the context of a question in tokens.

        A question that names something has its context gathered, once; others are taken to be as large as usual. Until
        a context has been gathered, the estimate is renewed each time the question has doubled in length: a few words
        are no sample. With `sure` the context is always gathered. Reads files: call it in a thread.
        """
        plain = not self.names_some(question)
        size = len(question.split())
        if not sure and plain and (self._usual or size < max(_TELLS, 2 * self._guessed[0])):
            return self._usual or self._guessed[1]
        asked = (question, *self.pinned, "", *self.dropped)
        if self._expected[0] != asked:
            self._expected = asked, self._gather(question).tokens
        if plain:
            self._guessed = size, self._expected[1]
        return self._expected[1]

    def show(self, question: str, plan: str = "", masked: Sequence[Masked] = ()) -> Context:
        """Gather the context of a question, to be sent with it, and of what a plan for it names, which an editor needs.

        `masked` are the secrets masked in the user's words; they are reported with the context.
        """
        from assistant.context.rules import Ruled

        context = self.look(f"{question}\n\n{plan}" if plan else question, masked)
        self.sent = Sent(question, context, tuple(masked))
        self.ruled = self.ruled.told(context.ruled) if self.ruled is not None else Ruled(context.ruled)
        return context


class ContextPreview:
    """Looks at a context without asking a model: all that Sight needs, without the slow-loading parts of a turn."""

    whole_files = False

    def __init__(self, folder: Path, *, places: Places, config: Config, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.places = places
        self.config = config
        self.env = env
        self.sight = Sight(self)
        self._troubles = config.warnings

    @cached_property
    def repo(self) -> Repo:
        """The repository, or plain folder, that the user stands in."""
        from assistant.context.repo import Repo

        return Repo.open(self.folder)

    @property
    def roster(self) -> Roster:
        """Raises ConfigError: no model is asked, so that there is none to show pictures to."""
        raise ConfigError("No model is chosen.", "Pictures go along with a question to one.")

    def troubles(self) -> tuple[str, ...]:
        """Return, once, what is wrong with the settings."""
        fresh, self._troubles = self._troubles, ()
        return fresh


def _wait(env: Mapping[str, str]) -> float:
    """Return the seconds that a question waits for an incomplete index: WATTSON_CONTEXT_WAIT, or 0.8."""
    given = env.get("WATTSON_CONTEXT_WAIT", "0.8")
    try:
        seconds = float(given)
    except ValueError:
        raise ConfigError(f"WATTSON_CONTEXT_WAIT={given!r} is no number.", "Give seconds, like 5.") from None
    if not seconds <= _LONGEST_WAIT_S:  # also true for nan
        raise ConfigError(
            f"WATTSON_CONTEXT_WAIT={given!r} is no time to wait.", f"Give seconds, {_LONGEST_WAIT_S} at most."
        )
    return max(0.0, seconds)
