"""Reading a path out of the line that a model put above its edit, decorated or not.

A line can be read in several ways; all are handed on, the likeliest first, and the file that exists decides.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|[-*+][ \t]+|\d+[.)][ \t]+|>[ \t]+)+")
_LABEL = re.compile(
    r"^(?:(?:new |the )?file(?:[ \t]?name|[ \t]?path)?|new|path|update|updated|edit|modify|modified|change|create|created|add|delete|in|for|to|(?:step|part|file)[ \t]\d+(?=[:.)]))"
    r"(?:[ \t]*[:=][ \t]*|[.)]?[ \t]+)",
    re.IGNORECASE,
)
_BOLD_LABEL = re.compile(
    r"^(?:\*\*|__)(?:new )?(?:file(?:[ \t]?name|[ \t]?path)?|path)[ \t]*:?(?:\*\*|__)[ \t]*:?[ \t]*", re.IGNORECASE
)
_LINK = re.compile(r"^\[([^\]\n]+)\]\((?!\w+://)([^)\n]*)\)$|^\[([^\]\n]+)\]\([^)\n]*\)$")
_FULL_WIDTH = {0xFF1A: ": ", 0xFF08: " (", 0xFF09: ")"}
_NUMBER = re.compile(r"^\d{1,2}[.)][ \t]+(?=[`*])")
_LABELLED = re.compile(
    r"^(?:#{1,6}[ \t]+|[-*+][ \t]+)?[*_]*([^\W\d_][\w ]{0,20}):[*_]*[ \t]*(`[^`]+`|\*\*[^*]+\*\*|\S+)[*_]*$"
)
"""A word of any language, a colon and a name."""
_STATED = re.compile(
    r"^[\[(](?:new|modified|updated|changed|edited|created|added|create|update|modify)[\])][ \t:]+", re.IGNORECASE
)
_ADDRESS = re.compile(r"^[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|app|ai|co|edu|gov)(?:[:/]|$)", re.IGNORECASE)
_PLACES = set(
    """bin sbin script scripts src lib libs etc usr opt docs doc test tests spec specs cmd tools tool hooks config conf app apps pkg internal public static
    assets resources include templates examples packages modules crates build ci deploy docker infra terraform ansible roles migrations db data""".split()  # noqa: SIM905
)
"""Folders in which files without an ending stand."""
_CALL = re.compile(r"\w\([^/]*\)$")
_REMARK = re.compile(r"^(.*\S)[ \t]*\([^()]{1,30}\)$")
"""A name, and behind it something in brackets that need not be known."""
_SENTENCES = re.compile(r"(?<=[.!?;])\s+")
_TAGGED = re.compile(r"^(?:<(?!(?:file|path) )\w+(?: [^<>]*)?>\s*)+([^<>]+?)\s*(?:</\w+>\s*)+$")
_PICTURES = {"So", "Sk", "Mn", "Cf", "Sm"}
"""What pictures are made of: the sign, the tone of a skin, what joins two of them, an arrow."""
_SPOKEN = re.compile(
    r"^(?![ai] \S*[/\\.])(?:the|a|an|this|now|then|next|here|first|finally|also|and|we|i|let)\b(?!\S*/)", re.IGNORECASE
)
"""How a sentence begins, and no path: of `a b/c.txt` the first letter may be part of a name."""
_TICKED = re.compile(
    r"``([^\n]+?)``|`([^`\n]+)`|\*\*([^*\n]+)\*\*|\"([^\"\n]+)\"|\[([^\]\n]+)\]\([^)\n]*\)|<(?:file|path)[^>\n]*?=\"([^\"\n]+)\""
)
_TOKEN = re.compile(r"[^\s`*\"',;<>]+")
_COMMENT = re.compile(r"^(?://[ \t]+|/\*[ \t]*|<!--[ \t]*|(?:#|--|;|%)[ \t]+)(.*?)[ \t]*(?:\*/|-->)?$")
_RULED = re.compile(r"^([-=*]{2,})[ \t]+(.+?)[ \t]+\1$")
_NOTED = re.compile(
    r"^(.*\S)[ \t]+(?:\((?:new|new file|modified|updated|existing|created|changed|edited|deleted|unchanged|create|add|added|modify|update|edit|change|full|full file|complete|complete file|lines? [\d\u2013 -]+)\)|[-\u2013\u2014][ \t].*)$",
    re.IGNORECASE,
)
_ANNOUNCES = re.compile(
    r"\b(?:creat\w+|new|rewrit\w+|saved? (?:it |this |that |them )?(?:as|in|to)|looks? like|as follows|replace\b.{0,90}\bwith)\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:full|complete|entire|whole|(?:replace|overwrite)\b.{0,30}\b(?:contents?|file|text)|contents? of)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"\b(?:becomes?|now|new|full|complete|entire|whole|contents?|updated?|replace|rewrit\w+|write|save|put|add|creat\w+|final|finally|version)\b",
    re.IGNORECASE,
)
_PRINTS = re.compile(
    r"\b(?:prints?|printed|outputs?|says|said|shows?|shown|reports?|returns?|returned|gives?|logs?|fails?|failed|pass(?:es|ed)?|rais\w+|runs?|ran|running|errors?|warnings?|calls?|results?|see|expect\w*|terminal|console|commands?|shell|tests)\b",
    re.IGNORECASE,
)
"""What is said of a text that a program prints."""
_ADDS = re.compile(r"\b(?:add|creat\w+|new|write|save|put|introduce)\b", re.IGNORECASE)
_ASKS = re.compile(r"^\W*(?:please|can|could|would|send|share|paste|show|give|what|which|if you)\b", re.IGNORECASE)
_SHOWN = re.compile(r"\b(?:examples?|usage|demo|sample)\b", re.IGNORECASE)
_MENDED = re.compile(r"\b(?:updated?|modified|revised|corrected|fixed|refactored|improved)\b", re.IGNORECASE)
_PIECE = re.compile(
    r"\b(?:functions?|methods?|class(?:es)?|sections?|parts?|snippets?|lines?|blocks?|imports?|tests? cases?|components?|hooks?|handlers?|routes?|fields?|properties|changes?|diff|usage|examples?)\b",
    re.IGNORECASE,
)
"""What is less than all of a file."""
_LIKE = re.compile(
    r"\b(?:cop(?:y|ies|ied|ying)(?: of| from)?|based on|modell?ed (?:on|after)|similar to|derived from|inspired by|like|mirrors|same as)\W+(?:the\W+)?$",
    re.IGNORECASE,
)
"""What stands before the name of another file, which the text is made after."""
_FOLDER = re.compile(
    r"(?:^|[\s`*(\"])((?:[\w.-]+/)*[\w.-]*\w)/(?=[\s`*)\":,]|$)|\b(?:folder|directory|dir)\b(?:\s+(?:called|named))?[:\s]+[`*\"]+([\w./-]*\w)/?[`*\"]"
    r"|^\W*(?:folder|directory|dir)\s*:\s*[`*]*([\w./-]*\w)/?[`*]*\s*$|[`*\"]([\w./-]*\w)/?[`*\"]+\s+(?:folder|directory)\b|\bcd\s+(?:in)?to\s+[`*\"]([\w./-]*\w)|^\W*\U0001F4C1\s*([\w./-]*\w)",
    re.IGNORECASE,
)
_HERE = {"root", "project", "current", "this", "same", "the", "top-level", "working", "and", "or"}
_ODD = re.compile(
    r"[`<>|*?\"]|\]\(|^[{\u00ab\u300a\u2022!]|[}\u00bb\u300b\u2020]$|\[\d+\]$|^_.*_$|#!|#L\d+$|@HEAD$|^(?:path/to|\.{3}|\u2026)/|^(?:[MADRU]|\?\?|\+\+\+|---|===|>>>?|not) +\S*/|(?:->|\u2192)"
)
_INNER = re.compile(r"[\w.+-]+(?:/[\w.+-]+)+|[\w+-]+\.\w+")
_RANGED = re.compile(r"^(.*\S)(?::L?|#L)\d+(?:[-\u2013]L?\d+)?$")
_PROSE = re.compile(
    r"\b(?:of|to|for|from|in|at|with|and|or|run|cat|see|old|contents?|outputs?|results?|changes?|diff)\b", re.IGNORECASE
)
"""Words that stand between others, and before a path that they speak of; hardly in the name of a folder."""
_PART = re.compile(
    r"^(?:in(?:side|to)?|for|to|within|from|of|(?:add(?:ed|ing)?|append(?:ed)?|insert(?:ed)?|put|paste|goes|belongs) (?:it |this |these |them |that )?(?:at|in|to|into|inside|for|below|above)"
    r"|(?:top|end|bottom|beginning|start|rest|part) of)\b[ \t`*]",
    re.IGNORECASE,
)
"""How a line begins that speaks of some text in a file, and not of all of it."""
_GONE = re.compile(r"^(?:delete|deleted|deleting|remove|removed|removing)\b[ \t`*:]", re.IGNORECASE)
_NO_TEXT = re.compile(
    r"\b(?:unchanged|before|old|original(?:ly)?|current(?:ly)?|existing|excerpts?|snippets?|partial(?:ly)?|parts?|sections?|relevant|reference|examples?|usage|outputs?|only|deleted?|removed?|lines?)\b",
    re.IGNORECASE,
)
"""What is said behind a name of a text that is not all of the file, or no longer."""
_LIKE_NOW = re.compile(
    r"\b(?:current(?:ly)?|existing|at present|right now|at the moment|before|previous(?:ly)?|original(?:ly)?|old|as it is)\b",
    re.IGNORECASE,
)
_SAYS_FILE = re.compile(
    r"^(?:\*\*|__)?(?:(?:new |the )?file(?:[ \t]?name|[ \t]?path)?|path)(?:\*\*|__)?[ \t]*[:=]|^(?:create|new file)[ \t:]",
    re.IGNORECASE,
)
_SAYS_NEW = re.compile(r"\(new(?: file)?\)[*_:]*$", re.IGNORECASE)
_WISHES = re.compile(r"^(?:add|update|updated|edit|modify|modified|change|changed|replace)\b[ \t:`*]", re.IGNORECASE)
_EXTENSION = re.compile(r"[^\s.][^/\\]*\.(?=[\w~+-]*[A-Za-z~+])[\w~+-]{1,24}$")
_BARE = {
    "Makefile", "Dockerfile", "LICENSE", "README", "Rakefile", "Gemfile", "Procfile", "Justfile", "justfile", "CHANGELOG", "NOTICE", "Vagrantfile",
    "Jenkinsfile", "Containerfile", "Brewfile", "CODEOWNERS", "AUTHORS", "BUILD", "WORKSPACE", "Pipfile", "makefile", "dockerfile",
}  # fmt: skip
_WELL_KNOWN = {name.lower() for name in _BARE} | {"copying", "credits", "maintainers", "news", "todo", "version"}
_DOTTED = re.compile(r"^\w[\w+-]*(?:\.\w[\w+-]*)+$")
_LOWER = re.compile(r"^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$")
_HEADINGS = set(
    """usage output outputs example examples before after result results test tests note notes change changes summary explanation code run file
    files now then new old diff patch input command commands terminal console log logs error errors expected actual response answer solution fix
    bash sh shell zsh fish python py javascript js typescript ts json yaml yml toml xml html css sql go rust ruby php java kotlin swift c cpp lua
    text txt plaintext markdown md make makefile dockerfile powershell batch perl r scala haskell elixir""".split()  # noqa: SIM905
)
"""What stands above a block without being the name of its file."""
_COMMANDS = set(
    """python python2 python3 pytest node npm npx yarn pnpm bun deno go cargo rustc make cmake gcc g++ clang java javac ruby rake bundle php composer
    perl bash sh zsh source cat less head tail ls cd git diff patch rm mv cp touch mkdir chmod vim vi nano code open curl wget docker kubectl pip
    pip3 poetry uv ruff mypy sudo run get post put delete options""".split()  # noqa: SIM905
)
"""Programs that are called with files, and what is asked of a server."""
_ORDERS = _COMMANDS | set(
    """running ran test testing try call calling called use used using import importing imported export install save saved load see read write show
    print check verify compare view output outputs result results error errors exception warning log logs trace traceback old new from vs vs. cf cf.
    versus before after original current sample example examples reference usage append insert add added adding create creating update updating edit
    editing modify change changes changing delete remove replace rename move fix fixing with without via in inside into within for to of on at by as
    when if while how what why where there below above instead note ps or but so because since top end bottom contents content put place paste goes
    e.g. i.e. understanding deploying""".split()  # noqa: SIM905
)
"""What words begin with that end in the name of a file."""
_SHOWS = _COMMANDS | set(
    """running ran test testing tests try output outputs result results usage use used using example examples sample see call called import install
    load read print prints check verify error errors warning log logs trace traceback old before from compare versus original current""".split()  # noqa: SIM905
)
"""What words begin with above something that is only shown."""
_OF = re.compile(r"\s(?:of|in|from|for|to|into)\s", re.IGNORECASE)
_PRODUCTS = set(
    "node.js vue.js next.js nuxt.js express.js react.js three.js d3.js chart.js ember.js backbone.js alpine.js asp.net vb.net socket.io".split()  # noqa: SIM905
)
_ENDINGS = set(
    """py pyi pyx pxd pxi ipynb js jsx mjs cjs ts tsx mts cts vue svelte astro json jsonc json5 jsonl ndjson yaml yml toml ini cfg conf config env
    properties xml xsd xsl xslt html htm xhtml css scss sass less styl md mdx markdown rst txt adoc org tex bib csv tsv sql sqlite db prisma graphql gql
    proto thrift avsc go mod sum rs ron java kt kts scala sc sbt groovy gradle clj cljs cljc edn ex exs eex heex leex erl hrl hs lhs cabal ml mli fs fsi
    fsx fsproj cs csx csproj sln vb vbproj xaml razor cshtml c h cc cpp cxx hh hpp hxx ipp inl m mm swift dart rb erb rake gemspec ru haml slim php
    phtml phpt twig blade pl pm t r rmd qmd jl lua nim zig v sv vhd vhdl d pas pp asm s ll wat sh bash zsh fish ksh ps1 psm1 psd1 bat cmd awk sed vim el
    lisp scm rkt tcl cmake mk mak am ac m4 bzl bazel build nix dhall tf tfvars hcl rego dockerfile dockerignore gitignore gitattributes editorconfig
    lock log out err diff patch rej snap golden tmpl tpl j2 jinja jinja2 mustache hbs ejs pug liquid svg po pot strings plist pbxproj storyboard xib
    service socket timer desktop ebuild pem crt pub asc
     wasm glsl vert frag hlsl metal cu cuh cl sol vy move cairo rst rake podspec lint eslintrc prettierrc babelrc npmrc nvmrc
    rspec flake8 pylintrc bashrc zshrc profile vimrc htaccess gitmodules mailmap coveragerc""".split()  # noqa: SIM905
)
"""Endings of names of files; what has another one and no folder may be a call or an address."""
PATCHES = (".patch", ".diff", ".rej")
"""Files whose text is edits of other files."""
_DEVICE = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.\w+)?$", re.IGNORECASE)
_GIT = re.compile(r"^(?:\S+[\\/])?\.git[. ]*[\\/]\S*$", re.IGNORECASE)
_OPTION = re.compile(r"\s--?[A-Za-z]")
_CLIMBS = re.compile(r"[/\\]\.{1,2}$")
_LONGEST = 300
_SIGNS = (
    ("**", "**"),
    ("__", "__"),
    ("`", "`"),
    ('"', '"'),
    ("'", "'"),
    ("*", "*"),
    ("_", "_"),
    ("\u201c", "\u201d"),
    ("\u2018", "\u2019"),
    ("\u00ab", "\u00bb"),
    ("\u300c", "\u300d"),
    ("\u3010", "\u3011"),
    ("<", ">"),
    ("(", ")"),
    ("[", "]"),
)


def readings(line: str) -> list[str]:
    """Return the paths that a line may name, the likeliest first; the first is empty when none is likely.

    The others may be mere words: they count where a file of that name exists.
    """
    raw = line.strip(" \t")
    if not raw or raw.startswith(("```", "~~~", "<<<<<", ">>>>>", "=====")):
        return []
    if len(raw) > _LONGEST:
        return [raw] if _overlong(raw) else []
    stages = _stages(raw)
    ticked = _ticked(raw)
    tokens = [token.rstrip(".:)").lstrip("(") for token in _TOKEN.findall(stages[-1])]
    whole = [name for name in reversed(stages) if " " not in name]
    whole += [cut[1] for name in whole if (cut := _RANGED.match(name))]  # "path:10-42", as the lines were shown
    bare = as_it_stands(raw)
    marked = bool(bare) and [each.strip("`*\"'") for each in ticked] == [bare]
    spaced = [
        name
        for name in reversed(stages)
        if " " in name
        and not _may_be_words(name, whole=marked and name == bare)
        and not any(name.startswith(opened) and name.endswith(closed) for opened, closed in _SIGNS)
    ]
    odd = [name for name in tokens if _DEVICE.match(name) or name.lower() in _PRODUCTS]
    likely = [name for name in tokens if looks(name) and name not in odd] if " " in stages[-1] else []
    strong: list[str] = []
    ticked = [name for name in ticked if " " not in name or not _may_be_words(name, whole=True)]
    groups = [whole, ticked, spaced, likely] if len(ticked) == 1 or len(set(ticked)) == 1 else [whole, spaced, likely]
    for group in groups:
        strong += [
            name
            for name in group
            if looks(name) or (marked and name == bare and _EXTENSION.match(name.rpartition("/")[2]))
        ]
    weak = [*stages[:1], *reversed(stages), *ticked, *([] if strong else tokens[-1:]), line]
    if raw.startswith("//"):
        weak.append(raw.lstrip("/"))  # a comment, or a path from the root of the disk: only a file that exists tells
    ordered = list(dict.fromkeys([*(strong or [""]), *(name for name in weak if name)]))
    # A line that is a name as it stands comes before any that is cut out of it.
    if looks(raw) and " " in raw and raw == stages[-1] and not _may_be_words(raw, whole=False):
        ordered = [raw, *(name for name in ordered if name not in {raw, ""})]
    return ordered


def _ticked(line: str) -> list[str]:
    """Return what is marked as a name in a line: in backticks, bold, quotes, a link or a tag."""
    return [next(filter(None, match.groups())).strip(" \t") for match in _TICKED.finditer(line)]


def bare_word(line: str) -> str:
    """Return the one word of a line, decorated or not, that is no path by its looks; it may be a file all the same."""
    name = _stages(line.strip(" \t"))[-1]
    return "" if " " in name or looks(name) else name


def as_it_stands(line: str) -> str:
    """Return what a line says without decoration, as the name of a file with blanks in it; empty where it has none."""
    name = _stages(line.strip(" \t"), labels=False)[-1]
    likely = "/" in name or _EXTENSION.match(name) is not None
    return name if " " in name and likely and len(name) <= _LONGEST else ""


def _stages(raw: str, *, labels: bool = True) -> list[str]:
    """Return a line with ever less decoration; the last has none left, nor what may be said before a name (`labels`)."""
    raw = raw.translate(_FULL_WIDTH)
    found = [raw]
    ticked = False

    def put(name: str) -> str:
        name = name.strip(" \t")
        if name and name != found[-1]:
            found.append(name)
        return found[-1]

    name = put(_BOLD_LABEL.sub("", put(_MARK.sub("", put(_undressed(raw))))))
    for _ in range(6):
        before = name
        if match := _LINK.match(name):
            text, target = match[1] or match[3], (match[2] or "").split("#")[0].removeprefix("./")
            name = put(target if target.endswith("/" + text.strip("`*")) else text)
        for pattern, group in ((_RULED, 2), (_COMMENT, 1), (_NOTED, 1)):
            match = pattern.match(name)
            if match and match[group]:
                name = put(match[group])
        name = put(name.rstrip(":")) if name.rstrip(":") else name
        name = put(_undressed(name))
        name = put(_STATED.sub("", _NUMBER.sub("", name)))
        for opened, closed in _SIGNS:
            size = len(opened) + len(closed)
            if len(name) > size and name.startswith(opened) and name.endswith(closed):
                inner = name[len(opened) : -len(closed)]
                if opened not in inner and closed not in inner:
                    name = put(inner)
                    ticked |= opened == "`"
        if labels and (":" in name or "=" in name or (" " in name and not ticked)):  # all of `to do.md` is the name
            name = put(_LABEL.sub("", name))
        if name == before:
            break
    return found


def _undressed(name: str) -> str:
    """Take off what stands around a name as a picture, and the tags of a page."""
    tagged = _TAGGED.match(name)
    name = tagged[1] if tagged else name
    words = name.split(" ")
    while len(words) > 1 and words[0] and all(_is_picture(sign) for sign in words[0]):
        words.pop(0)
    while len(words) > 1 and words[-1] and all(_is_picture(sign) for sign in words[-1]):
        words.pop()
    return " ".join(words)


def _is_picture(sign: str) -> bool:
    return not sign.isascii() and unicodedata.category(sign) in _PICTURES


def looks(name: str) -> bool:
    """Say whether a string can be meant as a path."""
    if not name or name in {"//", "-", "*"}:
        return False
    if len(name) > _LONGEST:
        return _overlong(name)
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in name):
        return True  # never a name that may be written, and never words
    if _CALL.search(name):
        return False
    if _GIT.match(name):
        return True  # however it is dressed: it is refused as a name, not passed over as words
    if name in _BARE or _DEVICE.match(name) or name.lower().startswith("file:"):
        return True
    if name.startswith(("/", "~", "..", "\\")):
        return " " not in name or "/" in name[1:]
    if re.match(r"^[A-Za-z]:[\\/]", name):
        return True
    if _CLIMBS.search(name):
        return True  # it ends in a folder, and is refused as the name of one
    if name.endswith((".", ",", "!", "?", ";")) or "://" in name or _ADDRESS.match(name):
        return False
    last = re.split(r"[/\\]", name.rstrip("/"))[-1]
    if " " in name and _SPOKEN.match(name):
        return False
    return "/" in name or "\\" in name or bool(re.match(r"^\.\w", last)) or bool(_EXTENSION.match(last))


def _overlong(name: str) -> bool:
    """Whether a string far too long for a name is one all the same: it is refused as such, not passed over as words."""
    return not re.search(r"\s", name) and ("/" in name or bool(re.search(r"\.\w{1,24}$", name)))


def only_path(line: str) -> tuple[str, bool]:
    """Return the path that a line consists of, decoration aside, and whether it is sure to be one.

    Empty when the line says anything else. A bare word is no sure path, nor are words or a command that end like a file
    name; they count where a file of that very name exists.
    """
    raw = line.strip(" \t")
    if not raw or len(raw) > _LONGEST:
        return (raw, True) if _overlong(raw) else ("", False)
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in raw) and " " not in raw:
        return raw, True  # no words look like this; it is refused as a name
    if len(raw) < 3 and not raw.strip("\"'`"):
        return raw, True  # quotes around no name
    stages = _stages(raw)
    plain = stages[-1]
    if plain.startswith("./") and len(plain) > 2:
        plain = plain[2:]
        if re.match(r"^[\w@$%~+-]+$", plain):
            return plain, True
    named = " " in raw and not _TICKED.search(raw) and bool(_EXTENSION.match(re.split(r"[/\\]", raw)[-1]))
    if named and looks(raw):
        dressed = any(pattern.match(raw) for pattern in (_MARK, _COMMENT, _LABEL, _LINK, _RULED, _NOTED, _STATED))
        plain = plain if dressed or _undressed(raw) != raw else raw
    if _GIT.match(plain):
        return plain, True
    words = plain.split(" ")
    ticked = _ticked(raw)
    if looks(plain):
        if any(plain != stage and (_PART.match(stage) or _GONE.match(stage) or _noted(stage)) for stage in stages):
            return "", False
        marked = [each.strip("`*\"'") for each in ticked] == [plain]
        said = any(map(_SAYS_FILE.match, stages)) or any(map(_SAYS_NEW.search, stages))
        if said and (len(words) == 1 or marked or not _may_be_words(plain, whole=True)):
            return plain, True
        if not _may_be_words(plain, whole=marked):
            small = not plain[0].isupper() and not raw.endswith(":")  # a sentence begins or ends otherwise
            return plain, len(words) == 1 or "/" in plain or marked or small
        if len(words) == 1 and plain.lower() not in _PRODUCTS:
            return plain, plain == raw
    if len(words) == 1 and re.match(r"^[\w@$%~+.-]+$", plain) and (ticked == [plain] or plain == raw.rstrip(":")):
        return plain, False
    return (raw, False) if named else ("", False)


def _noted(stage: str) -> bool:
    """Whether something is said behind a name, of a text that is not all of the file."""
    note = _NOTED.match(stage)
    return note is not None and _NO_TEXT.search(stage[note.end(1) :]) is not None


def _may_be_words(name: str, *, whole: bool) -> bool:
    """Whether what ends like the name of a file may be words, a command or a call; `whole` is one that is marked as a name."""
    first, *more = name.split(" ")
    last = re.split(r"[/\\]", name)[-1]
    if not more and re.match(r"^[^\s/.]+/[^\s/.]+$", name):  # Input/Output, and bin/run
        return name.partition("/")[0] not in _PLACES
    if not more and name.startswith(".") and "/" not in name:  # of a style sheet, a call or a file that is hidden
        return not is_name(name) and not re.search(r"rc$|ignore$|version|-", name)
    if not more:
        ending = last.rpartition(".")[2].lower()
        bare = "/" not in name and "\\" not in name
        return bare and (name.lower() in _PRODUCTS or (bool(_EXTENSION.match(name)) and ending not in _ENDINGS))
    if first.lower() in _COMMANDS or first in {"$", ">", "%", "#"} or _OPTION.search(name):
        return True
    if not _EXTENSION.match(last) or more[-1].lower() in _PRODUCTS:
        return True
    if whole:
        return bool(_OF.search(name)) and first.lower() in _ORDERS
    if first.lower().rstrip(":,") in _ORDERS or len(more) > 4 or _SPOKEN.match(name):
        return True
    inside = "/" in name and "/" not in more[-1]  # a blank in a folder and one in the file, as hardly in a sentence
    return not inside and _PROSE.search(" ".join([first, *more[:-1]])) is not None


def speaks_of(line: str) -> str:
    """Return the path in a line that speaks of some text in a file ("Add to `a/b.py`:"); empty where it names one or none."""
    stages = _stages(line.strip(" \t"))
    name = stages[-1]
    said = any(name != stage and _PART.match(stage) for stage in stages)
    return name if said and " " not in name and looks(name) and not _may_be_words(name, whole=False) else ""


def heading(above: Sequence[str], words: str) -> str:
    """Return the file that a heading names, where only words stand between it and a text; `above` are the lines, the nearest first.

    None where the words say that the text is not the file's: how it is used, what it prints, what it was.
    """
    said = re.findall(r"\w+", words.lower())
    last = _SENTENCES.split(_TICKED.sub(" ", words).strip())[-1]
    if not said or (said[0] in _SHOWS and not says_all(words)):
        return ""
    announces = last.rstrip(" *_").endswith(":") and not says_all(last)
    if announces and any(each.search(last) for each in (_LIKE_NOW, _NO_TEXT, _PIECE)):
        return ""
    for line in above:
        path, sure = only_path(line)
        if sure and (line.lstrip().startswith("#") or _ticked(line) or line.strip().rstrip(":") == path):
            return path
        if path or line.lstrip().startswith(("#", "```", "~~~", "<")):
            return ""
    return ""


def mentions(line: str) -> str:
    """Return the one file that a line speaks of, where it may be about what stands below; empty where it is only shown."""
    if line.lstrip().startswith(("==>", "$", ">", "|")):
        return ""
    words = _TICKED.sub(" ", line)
    said = re.findall(r"\w+", words.lower())
    if (said and said[0] in _SHOWS) or _NO_TEXT.search(words) or _SHOWN.search(words):
        return ""
    tokens = [token.rstrip(".:)").lstrip("(") for token in _TOKEN.findall(line)]
    named = [name for name in dict.fromkeys(_ticked(line) or tokens) if looks(name) and is_name(name)]
    return named[0] if len(named) == 1 and named[0].lower() not in _PRODUCTS else ""


def lone(line: str) -> str:
    """Return the one word that all of a line is, where it may be the name of a file that is to be made; empty else."""
    word = line.strip(" \t")  # a sign that no name has is not taken off
    plain = word[1:-1] if len(word) > 2 and word[0] == word[-1] == "`" else word
    fits = re.match(r"^[\w@$%~+.-]+$", plain) and plain.lower() not in _HEADINGS and plain.lower() not in _PRODUCTS
    return plain if fits and re.search(r"\w", plain) else ""


def follows(line: str) -> bool:
    """Whether words say that a text comes below them, and not what a program says."""
    words = _TICKED.sub(" ", line)
    return _FOLLOWS.search(words) is not None and not _PRINTS.search(words)


def adds(line: str) -> bool:
    """Whether words say that something comes into being: a file that they speak of may be new."""
    return _ADDS.search(_TICKED.sub(" ", line)) is not None


def noted(line: str) -> str:
    """Return the file that a line names beside words that need not be known: a label before it, or something in brackets behind."""
    words = line.strip().translate(_FULL_WIDTH).rstrip(": ")
    if match := _REMARK.match(words):
        name, more = match[1], words[len(match[1]) :]
    elif match := _LABELLED.match(words):
        name, more = match[2], match[1]
        if not more.isascii() and is_name(name.strip("`*")):
            return name.strip("`*")
        if more.split()[0].lower() in _ORDERS or not _ticked(name):
            return ""
    else:
        return ""
    path, sure = only_path(name)
    return path if sure and not _NO_TEXT.search(more) and not _LIKE_NOW.search(more) else ""


def wishes(line: str) -> bool:
    """Whether a line says what shall be done to the file that it names: the text below it may be all of it, or a part."""
    stages = _stages(line.strip(" \t"))
    asked = any(_WISHES.match(stage) for stage in stages[:-1]) or any(map(_NOTED.match, stages))
    return asked or (bool(names_whole(line)) and not _WHOLE.search(line))


def names_whole(line: str) -> str:
    """Return the path in a sentence that announces all the text of a file ("Create a new file `a/b.py` with this content:")."""
    line = _SENTENCES.split(line.strip())[-1]
    words = _TICKED.sub(" ", line)  # what the words say, and not the name
    if not line.rstrip(" *_").endswith(":") or _LIKE_NOW.search(words) or _ASKS.match(words) or _SHOWN.search(words):
        return ""
    if not _WHOLE.search(words) and (_PIECE.search(words) or not (_ANNOUNCES.search(words) or _MENDED.search(words))):
        return ""
    tokens = [token.rstrip(".:)") for token in _TOKEN.findall(line)]
    named = [name for name in dict.fromkeys(_ticked(line) or tokens) if looks(name) and is_name(name)]
    return named[0] if len(named) == 1 and not _LIKE.search(line.partition(named[0])[0]) else ""


def announces(line: str) -> bool:
    """Whether words say that a text of a file follows, though not of which."""
    words = _SENTENCES.split(_TICKED.sub(" ", line).strip())[-1]
    return bool(_WHOLE.search(words) or _MENDED.search(words)) and not _SHOWN.search(words)


def says_all(line: str) -> bool:
    """Whether words say that what stands below them is all of a file."""
    return _WHOLE.search(line) is not None


def folders(above: Sequence[str]) -> list[str]:
    """Return the folders that lines speak of: with a slash at their end, or called a folder."""
    found = [next(filter(None, match.groups())) for line in above for match in _FOLDER.finditer(line)]
    return [name for name in dict.fromkeys(found) if name.lower() not in _HERE]


def is_dressed(name: str) -> bool:
    """Whether what would be the name of a new file has something about it that no name has: decoration, signs, a second name."""
    if _ODD.search(name) or any(unicodedata.category(sign) in {"Cf", "Zs"} and sign != " " for sign in name):
        return True
    pieces = name.split(",")
    return len(pieces) > 1 and all(map(is_name, pieces))


def within(name: str) -> list[str]:
    """Return what may be meant by a name that is dressed, or that begins with a folder too many."""
    parts = name.split("/")
    return list(dict.fromkeys([*("/".join(parts[at:]) for at in range(1, len(parts))), *_INNER.findall(name)]))


def without_range(name: str) -> str:
    """Return a path without the lines behind it (`a.py:10-20`, `a.py#L10`); empty where it tells none."""
    ranged = _RANGED.match(name)
    return ranged[1] if ranged else ""


def is_name(name: str) -> bool:
    """Whether what looks like a path in words is one for certain: it has a folder, a known ending, or is a well-known name."""
    last = re.split(r"[/\\]", name)[-1]
    if name in _BARE or (last.startswith(".") and ("." in last[1:] or last[1:].lower() in _ENDINGS)):
        return True
    return bool(_EXTENSION.match(last)) and ("/" in name or last.rpartition(".")[2].lower() in _ENDINGS)


def named_by(info: str) -> str:
    """Return the path that the words behind a fence name: `python:src/a.py`, `src/a.py`, `py title="src/a.py"`."""
    for word in info.split():
        name = word.rpartition("=")[2].strip("\"'{}")
        language, _, rest = name.partition(":")
        name = rest if rest and language.isalpha() else name
        last = re.split(r"[/\\]", name)[-1]
        hidden = bool(re.match(r"^\.\w", last)) and (name != word or "/" in name)  # `{.python}` is a class
        if ":" not in name and "{" not in word and (_EXTENSION.match(last) or last in _BARE or hidden):
            return name
    return ""


def remarked(line: str) -> str:
    """Return the path in a folder that a remark consists of (`# src/a.py`), as some stand on the first line of a block."""
    match = _COMMENT.match(line.strip())
    name = match[1].removeprefix("File:").removeprefix("file:").strip() if match else ""
    return name if "/" in name and " " not in name and _EXTENSION.match(name.rpartition("/")[2]) else ""


def rivals(source: str, above: Sequence[str]) -> tuple[str, ...]:
    """Return which files may be meant by words that name one: all that they speak of, and the one on a line of its own above them.

    The last comes first, empty where there is none. Where the words are only a name themselves, no other is meant.
    """
    if only_path(source)[1]:
        return ()
    head = next((path for path, sure in map(only_path, above) if sure), "")
    ticked = _ticked(source)
    tokens = [token.rstrip(".:)").lstrip("(") for token in _TOKEN.findall(source)]
    return (head, *dict.fromkeys(name for name in (*ticked, *tokens) if looks(name) and name != head))


def may_be_new(word: str) -> bool:
    """Whether what stands alone on the line above a block may be the name of a new file, and no heading, language or command."""
    if " " not in word:
        known = word.lower() in _HEADINGS or word.lower() in _PRODUCTS
        return not known and bool(_LOWER.match(word) or _DOTTED.match(word) or word.lower() in _WELL_KNOWN)
    return not _may_be_words(word, whole=False) and looks(word)


def opens_string(line: str) -> bool:
    """Whether the text of a string begins behind a line of code: its last quotes open and do not close."""
    end = line.rstrip().removesuffix("\\").rstrip()
    return any(end.endswith(quotes) and end.count(quotes) % 2 for quotes in ('"""', "'''", "`"))
