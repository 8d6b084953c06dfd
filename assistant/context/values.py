"""Random-looking values of names like `password`, however a language, a setting or a command assigns them.

A name says that a value is secret, the text behind it says where the value stands, and the value itself must look
random. Every run is bounded, and a long value is read once, so that reading is linear in the text.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEMS = re.compile(
    r"passw(?:or)?[dt]|passphrase|pwd|passe?(?![\w-])|secret(?!ar[iy]|i[ov])|credential|contrase|token|key|kennwort|psk"
    r"|creds(?![\w-])|pepper(?![\w-])|salt(?![\w-])|bearer(?![\w-])|pw(?![\w-])"
)
_BEFORE = {
    "key": (
        "api",
        "access",
        "auth",
        "private",
        "encryption",
        "signing",
        "client",
        "account",
        "secret",
        "master",
        "license",
        "consumer",
        "hmac",
        "aes",
        "jwt",
        "shared",
        "storage",
        "crypt",
        "cookie",
        "webhook",
        "subscription",
    ),
    "token": (
        "auth",
        "access",
        "api",
        "bot",
        "refresh",
        "secret",
        "session",
        "id",
        "bearer",
        "private",
        "deploy",
        "push",
        "user",
    ),
    "psk": ("wpa", "wifi", "wlan"),
    "pw": ("db", "root", "admin", "user", "my", "the", "old", "new"),
    "pass": (
        "db",
        "ssh",
        "smtp",
        "user",
        "mysql",
        "root",
        "admin",
        "sudo",
        "become",
        "mail",
        "ftp",
        "proxy",
        "require",
    ),
}
"""Names whose values are secret: these stems, some of them only after such a word (a token, a pass or a pw also
alone)."""
_OTHER_KEYS = (
    "public", "pub", "publishable", "site", "cache", "sort", "partition", "shard", "foreign", "dict", "lookup", "group", "item", "query", "translation",
    "i18n", "lang", "idempotency", "dedup", "known", "trace", "content", "digest", "etag", "unique", "composite", "natural", "websocket", "memo",
)  # fmt: skip
"""Words before a `key` that is not secret, whatever its value looks like."""
_PUBLIC_KEYS = ("gpg", "pgp", "commit", "verify", "recv", "captcha", "vapid", "minisign", "signify", "fingerprint")
"""Words before a `key` that is as often public: it is taken for public if its letters are all of one case."""
_COMMITS = ("sha", "rev")
_SMALL = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_REST = re.compile(r"[\w.-]{0,40}+")
_ABOUT = re.compile(
    r"(?:limit|count|size|length|type|kind|name|path|file|dir|folder|ur[il]|arn|endpoint|model|header|hasher|encoder|policy|pattern|regexp?|validator|"
    r"error|fingerprint|alphabet)s?$"
    r"|(?<=key)[_-]?id$"
)
"""The end of a name that tells something about a secret, but is not the secret."""
_FOLLOWS = frozenset(" \t\r\n\"'`\\=:[](){<>|?!")
# What assigns a value in quotes: a sign (`=`, `:=`, `=>`, `||`), followed by a call or a choice or not, a type and a
# sign (`key: String =`, `key string =`, `Key { get; } =`), a pair (`- name: X` and below it `value:`), the default of a
# Terraform variable. Less certain are a comma after a first argument (`define('X', '...')`), a call
# (`set_password("...")`), a space (`#define X "..."`) and `is`.
_QUOTED = r"""(?x)
    (?:
      (?:\\{0,3}["'`])? (?:\[\d{0,5}\]|[\])])?
      (?: \s{0,20} (?: :?={1,3}>? | !={1,2} | \|\|=? | \?\?=? | \?: | or\b | : )
        | \s{0,3} : \s{0,3} [&*]{0,2} (?:'\w{1,20}[ ])? [A-Za-z_\[] [\w.:;<>\[\]?&|\ ]{0,40}+ =
        | (?: [ \t]{1,4} \*? [A-Za-z]{2,12} ){1,2} [ \t]{0,4} =
        | \s{0,4} \{ [^{}]{0,60} \} \s{0,4} =
        | [ ]by[ ]lazy[ ]? \{
        | [\s,+-]{0,60} (?:\\{0,3}["'])? [Vv]alue (?:\\{0,3}["'])? \s{0,4} [:=]
        | (?: ["'] \s{0,4} : )? \s{0,4} \{ [^{}]{0,300}? \b (?: default | value["'] ) \s{0,20} [=:]
      | \. (?:unwrap_or|or_else|getOrElse|orElse) \w{0,10}
      ) (?: \s{0,4} \[\] (?:byte|rune|u8|uint8) \s{0,4} [({] \s{0,4} | [\s(\[+-]{0,24} )
    | (?P<weak>
        (?P<comma>\\{0,3}["'`] \s{0,4} , \s{0,20} (?: [^()"'`]{0,80} \bdefault \s{0,4} = \s{0,4} )? )
      | (?P<call> (?:["'] \))? [ ]? [({] \s{0,20} (?: (?:"[^"\n]{0,60}"|'[^'\n]{0,60}') \s{0,4} , \s{0,20} )? )
      | [ \t]{0,20} (?: : [ \t] [\w.\[\]|?\ ]{1,40} )? = [ \t]{0,4} (?: [\w.():!&|\ -]{1,60} \? \s{0,20} | [\w.:-]{1,60} [(\ ] \s{0,20} (?:\w{1,20}=)? )
      | [ \t]{1,20} (?:is:?[ \t])?
      )
    )
    (?: [brfuBRFU@$]{0,2} (?P<mark>\\{0,3}(?:"{3}|'{3}|["'`])) (?P<value>[^"'`\s]{8,6000}?) (?P=mark)
      | (?: \[\[ | %?[qQ]q?[({\[<] | <<[<~-]?["']?\w{1,20}["']?\r?\n[ \t+-]{0,20} )
        (?P<bare>[^\s"'`\[\](){}<>]{8,400}+) (?=[\])}>\s]) )"""
_FIRST = r"""\(\s{0,20}\\{0,3}["'`][\w.-]{0,40}$"""
_ASKS = r"(?i)(?:get|find|fetch|read|load|look|ask|check|verify|validate|require|expect)[\w.]{0,24}$"
_ASKED = _ASKS.replace("(?i)", "(?i)(?<![a-z])")[:-1] + r"\(\s{0,20}$"
"""The end of a call that asks for a secret, or is passed one, judged by the text behind it."""
_TAGGED = r"""(?:["'][^<>]{0,80}|</[\w:.-]{1,30}>[\s+-]{0,40}<[\w:.-]{1,30})?>\s{0,20}(?:<!\[CDATA\[)?([^<>\s\]]{8,200})(?:\]\]>)?\s{0,20}</"""
_MORE = (
    r"""["'`](?:\s{0,4}(?P<comma>,)|\s{0,4}[\\+.]?)\s{0,60}[+-]?\s{0,20}["'`](?P<value>[^"'`\s]{8,6000})["'`](?!\s{0,4}[:=])"""
    r"""|[ \t]{0,20}\r?\n[ \t+]{1,40}-[ \t]{1,4}(?P<item>[^\s"'`#:]{12,6000}+)[ \t\r]{0,20}(?:$|\n)"""
)
"""Text behind a value: another value of the same list, or the second half of this one."""
_PAIR = r"""["'`]?[\s,+-]{0,60}[Vv]alue[ \t]{0,4}[:=]"""
_SIGN = (
    r"""["'`]?[ \t]{0,20}(?:[:?+]?=(?!=)|:(?:\*\*|__)?)"""
    r"""(?:(?:[ \t]{1,20}[&!][\w!.-]{1,40}){0,2}(?:[ \t]{0,20}[>|][-+]?\d?)?[ \t]{0,20}(?:\r?\n[+ -]?[ \t]{1,40}(?:-[ \t]{1,4}(?![\w.-]+[:=]))?)?)"""
)
_RUN = r"[ \t]{0,20}([A-Za-z0-9+/_.~=!@#$%^&*-]{12,6000}+)"
_INSIDE = r"""[:=][ \t]?([^\s"'`;,&<>(){}\\]{8,300}+)(?=[\\"'`;&}\s])"""
_FLAG = r"--?[\w-]{0,32}$"
_DEFAULT = r"""[ \t]{0,4}:[-=?]?([^\s"'`{}$]{8,400})\}"""
"""The value of a variable that nobody sets: `${DB_PASSWORD:-...}`, and the same behind another name."""
_OPENS = r"""\$\{[\w.-]{0,60}$"""
_HOLDS = r"""["'`]?[ \t]{0,20}[:?+]?[=:][ \t]{0,20}["'`]?\$\{[\w.-]{1,60}(?=:)"""
_CELL, _CELL_BEFORE = r"[*`]{0,2}[ \t]{0,20}\|[ \t]{0,20}`?", r"(?:^|[|\n])[ \t*`]{0,8}(?:[A-Za-z]{1,20}[ ]){0,2}$"
"""Text between the cells of a table in prose, and text that may stand before a name in the first cell."""
_LONG = 400
"""In a value with more characters than this no other name is looked for."""
_NONE = 0.0
_NO_DIGITS = 10
_TURN = r"(?<=[a-z])[A-Z]"
_HASH = 32
"""From this many characters on 3.0 bits a letter are enough: a hexadecimal number has only sixteen different ones."""
_PLAIN_SUFFIXES = (
    ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".cnf", ".properties", ".env", ".sh", ".bash", ".zsh", ".tfvars", ".md", ".rst", ".txt",
    ".plist", ".service", ".log", ".npmrc", ".example", ".sample", ".template", ".dist", "dockerfile", "rc", ".tf", ".ps1", ".bat", ".cmd",
    ".j2", ".tmpl", ".fish", ".mk", ".http", ".rest", ".flaskenv", ".vars", ".secrets", ".xcconfig", ".tpl", ".erb", ".hcl", ".nix", ".adoc", ".org",
    ".mdx", ".container", ".desktop", ".eyaml",
)  # fmt: skip
"""Files in which a value needs no quotes; neither does it in files whose name has no ending."""
_PROSE_SUFFIXES = (".md", ".mdx", ".rst", ".txt", ".log", ".adoc", ".org")
_PLACEHOLDER = r"""(?ix)^(?: x{3,}.* | \*{2,}.* | \*\w*$ | .*\.{3}.* | <.* | \[.* | \{.* | \#\{.*
    | \$(?:[A-Za-z_]\w*(?:(?:->|::|[./:\[-]).*)?$|[{(].*) | %(?:[A-Za-z_]\w*(?:[%:\[].*)?$|[\[({].*) | .*(?:\$\{|\{\{|%\(\w+\)|<[a-z]).*
    | (?:your|my|some|the|change|example|sample|dummy|fake|placeholder|replace|insert|todo|redacted|masked|hidden|none|null|undefined|foo|bar|test)
      (?:[-_ .]?[a-z0-9]{0,20}+){0,6}
    | (?:[a-z]{1,10}[-_])? (?:user|username|password|passwd|passw0rd|pass|pwd|secret|token|key|root|admin|guest|postgres|mysql|redis|rabbitmq|mongo|sa|demo|default|hunter2|letmein|changeme|
      changeit|s3cr3t|x-oauth-basic|supersecret|super[-_]?secret|top[-_]?secret|secretkey|secret[-_]?key|mypassword|qwerty|abc123|123456\d*|1234|0+|password\d{1,4}!?|pass\d{1,4}|user\d{1,2}) )$"""
"""Text that stands where a secret would: nobody's password is `changeme`. Compiled late: few texts need it, and it
is slow to compile."""


_OF_SECRETS = r"(?m)^[+ -]?kind:[ \t]{1,4}Secret[ \t]{0,4}\r?$"
_ROWS = r":[ \t]{0,4}\r?\n(?P<rows>(?:[+ -]?[ \t]{1,40}[^\n]{0,20000}(?:\n|\Z)){1,2000}+)"
_DATA = rf"(?m)^[+ -]?data{_ROWS}"
_PLAIN_DATA = rf"(?m)^[+ -]?stringData{_ROWS}"
_ENTRY = r"""(?m)^[+ -]?[ \t]{1,40}[\w.-]{1,80}:[ \t]{1,4}["']?(?P<value>[A-Za-z0-9+/_.~=!@#%^*-]{8,20000}+)["']?[ \t]{0,4}\r?$"""
"""The data of a Kubernetes Secret, in base64 or plain, and one entry of it on one line."""


def find(text: str, path: str) -> Iterator[tuple[int, int]]:
    """Yield the places of random-looking values whose names say that they are secret."""
    plain, prose = _plain(path)
    small = text.lower()
    if len(small) != len(text):  # a few letters become two in lower case
        small = text.translate(_SMALL)
    read = 0
    for name in _STEMS.finditer(small):
        if name.start() < read or (told := _tells(name, text, small)) is False:
            continue
        rest = _REST.match(text, name.end())
        at = rest.end() if rest else name.end()
        if text[at : at + 1] not in _FOLLOWS or _ABOUT.search(small, name.end(), at):
            continue
        start, end, bits = _value(text, name.start(), at, plain=plain, prose=prose)
        if end - start > _LONG:
            read = end
        value = text[start:end]
        if told is None and not _is_key(value, text, name.start(), small):
            continue
        if (
            bits != _NONE
            and (_secret(value, bits) or (name[0] in _PASSWORDS and _password(value)))
            and not _named_so(text, name.start(), at, value)
        ):
            yield start, end
            yield from _more(text, end, bits, listed="[" in text[at:start] or "- " in text[at:start])


def of_kubernetes(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of the values of Kubernetes Secrets, whatever their keys are called; also in a diff."""
    if "stringData:" in text:  # no other kind has it
        yield from _entries(text, _PLAIN_DATA, 0, len(text))
    if "kind: Secret" in text:
        edges = [0, *(each.start() for each in re.finditer(r"\n[+ -]?---", text)), len(text)]
        for start, end in pairwise(edges):
            if re.compile(_OF_SECRETS).search(text, start, end):
                yield from _entries(text, _DATA, start, end)


def _entries(text: str, blocks: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for block in re.compile(blocks).finditer(text, start, end):
        for value in re.compile(_ENTRY).finditer(text, *block.span("rows")):
            if _kept(value["value"], plain=blocks == _PLAIN_DATA):
                yield value.span("value")


def _kept(value: str, *, plain: bool) -> bool:
    """Say whether a value of a Secret is secret; a base64 value is judged by its decoded text."""
    if stands_in(value) or _code(value):
        return False
    if plain:
        return drawn(value, 3.0)
    import base64  # imported late: few texts need it

    try:
        said = base64.b64decode(value, validate=True)
    except ValueError:
        return drawn(value, 3.3)
    return not stands_in(said.decode("utf-8", "replace").strip())


def _named_so(text: str, name: int, at: int, value: str) -> bool:
    """Say whether a value is spelt like its name, which ends at `at`: then it is a name itself."""
    before = re.search(r"\w{0,64}$", text[max(0, name - 64) : name])
    return value in (before[0] if before else "") + text[name:at]


def _more(text: str, at: int, bits: float, *, listed: bool) -> Iterator[tuple[int, int]]:
    """Yield the values that follow one: its second half and, in a list, all others."""
    while (match := re.compile(_MORE).match(text, at)) and (listed or not (match["comma"] or match["item"])):
        start, at = match.span("item" if match["item"] else "value")
        if not drawn(text[start:at], bits):
            return
        yield start, at


def _plain(path: str) -> tuple[bool, bool]:
    """Say whether values stand without quotes in a file, and whether it is prose; `app.cfg2` counts as `app.cfg`."""
    name = path.casefold().rpartition("/")[2]
    plain = (
        name.endswith(_PLAIN_SUFFIXES)
        or name.rstrip("0123456789").endswith(_PLAIN_SUFFIXES)
        or name.startswith(("dockerfile.", "containerfile"))
        or bool(name and "." not in name)
    )
    return plain, name.endswith(_PROSE_SUFFIXES)


def _tells(name: re.Match[str], text: str, small: str) -> bool | None:
    """Say whether a stem names a secret where it stands: `key` does in `api_key`, `pass` does not in `bypass`.

    None if that is uncertain, as for a `key` alone or behind an unlisted word; then its value must decide.
    """
    words = _BEFORE.get(name[0])
    if not words:
        return True
    end = name.end() + (text[name.end() : name.end() + 1] == "s")
    if text[name.end() - 1 : end + 1].islower() and text[end : end + 1].isalpha():
        return False  # a tokenizer, a keyboard
    before = small[max(0, name.start() - 12) : name.start()]
    if name[0] != "key" and not before[-1:].isalnum():
        return True
    if name[0] == "key" and (not before[-1:].isalnum() or text[name.start()] == "K"):
        before = before.rstrip("_-.")
        if before.endswith(words):
            return True
        return False if before.endswith(_OTHER_KEYS) or "public" in before else None
    if name[0] == "pass" and text[name.start() - 1].islower() and text[name.start()].isupper():
        return True  # a mongoPass
    return before.rstrip("_-.").endswith(words)


def _value(text: str, name: int, at: int, *, plain: bool, prose: bool) -> tuple[int, int, float]:
    """Return where the value of the name that ends at `at` begins and ends, and the bits a letter that it must have.

    `_NONE` bits mean that there is no value.
    """
    if text[at : at + 1] == ":" and re.search(_OPENS, text[max(0, name - 62) : name]):
        match = re.compile(_DEFAULT).match(text, at)
        return (*match.span(1), 3.0) if match else (at, at, _NONE)
    if (held := re.compile(_HOLDS).match(text, at)) and (match := re.compile(_DEFAULT).match(text, held.end())):
        return *match.span(1), 3.0
    if match := re.compile(_QUOTED).match(text, at):
        if match["comma"] and not re.search(_FIRST, text[max(0, name - 64) : name]):
            return at, at, _NONE
        asked = text[max(0, name - 32) : name] if match["call"] else match["weak"] or ""
        if re.search(_ASKS if match["call"] else _ASKED, asked) and (
            match["call"] or not _is_lot(match["value"] or "")
        ):
            return at, at, _NONE
        return *match.span("bare" if match["bare"] else "value"), 3.3 if match["weak"] else 3.0
    if match := re.compile(_TAGGED).match(text, at):
        return *match.span(1), 3.3
    if plain:
        sign = re.compile(_SIGN).match(text, at) or re.compile(_PAIR).match(text, at)
        if prose and not sign and re.search(_CELL_BEFORE, text[max(0, name - 64) : name]):
            sign = re.compile(_CELL).match(text, at)
        spaced = text[at : at + 1] in {" ", "\t"} and (
            not prose or bool(re.search(_FLAG, text[max(0, name - 32) : name]))
        )
        if (sign or spaced) and (match := re.compile(_RUN).match(text, sign.end() if sign else at)):
            start, end = match.span(1)
            ends = text[end : end + 1]
            if not ends or ends.isspace() or ends in ",;}]|`":
                return start, end, 3.3
            if end - start > _LONG:
                return start, end, _NONE
    listed = text[name - 1 : name] == ":" == text[at : at + 1]  # `arn:aws:secretsmanager:...` is an address
    if not listed and (match := re.compile(_INSIDE).match(text, at)) and _within_quotes(text, name):
        return *match.span(1), 3.3
    return at, at, _NONE


def _within_quotes(text: str, at: int) -> bool:
    """Say whether a place lies in a string, by the quotes before it on its line."""
    row = text[_line_at(text, at) : at]
    return any(row.count(quote) % 2 for quote in "\"'`")


def _is_lot(value: str) -> bool:
    """Say whether a value names nothing: letters and digits in mixed case, and nothing else."""
    return value.isalnum() and not value.islower() and not value.isupper() and any(map(str.isdigit, value))


_PASSWORDS = {"password", "passwd", "passwort", "passphrase", "pwd", "pass", "pw", "kennwort"}
_SHORTEST = 8
_SIGNS = frozenset("!@#$%^&*()+=")
_LIKE_WORDS = r"[A-Z]?[a-z]{4}|[A-Z]{4}|^[A-Z]?[a-z]{3}\d"


def _password(value: str) -> bool:
    """Say whether the value of a password looks random even though it is short or has no digits.

    Then no run of its letters is long enough for a word, and digits, capitals or signs stand where no word has them.
    """
    if len(value) < _SHORTEST or len(set(value)) < 0.7 * len(value) or re.search(_LIKE_WORDS, value):
        return False
    if stands_in(value) or _code(value):
        return False
    within = len(re.findall(r"\d[A-Za-z]", value))
    if value.islower() or value.isupper():
        return within > 1
    return within > 0 or len(re.findall(r"[a-z][A-Z]", value)) > 1 or sum(each in _SIGNS for each in value) > 1


_MIXED = r"(?=(?:.*?\d){2})(?=.*[A-Za-z])[A-Za-z0-9+/_=-]{20,400}"
_NUMBERED = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25}"
"""Ids of things: UUIDs and ULIDs."""
_COMMIT = r"[0-9a-f]{40}|[0-9A-F]{40}"
_ALONE = 32
_PUBLIC = r"AAAA(?:[BC]3NzaC1|E2VjZHNh|[GI]nNrL)|age1[02-9ac-hj-np-z]{58}$|B[A-P][\w-]{85}=?$|RW[Q-T][A-Za-z0-9+/]{53}$"
"""How public keys of SSH, age, web push and minisign are written."""
_CIPHERS = r"(?i)(?:encrypt\w{0,5}|ciphers?|crypto\w{0,5}|jwt|hmac|(?<![a-z])aes)[\"']?\]?\s{0,4}(?::|=>?)?\s{0,4}[{\[(]?\s{0,4}$"
"""The end of a line that opens the settings of a cipher."""
_OPENING = 60
"""Characters at the end of such a line that are looked at."""
_UP = 8
"""Lines above a setting that are searched for the one that opens its block."""


def _is_key(value: str, text: str, at: int, small: str) -> bool:
    """Say whether a value is a secret key although its name, which ends in the `key` at `at`, is uncertain.

    Behind `key` alone, and where public keys are as likely, it must have lower-case letters, capitals and digits:
    digests and fingerprints stand there as well. Among the settings of a cipher it need not.
    """
    before = small[max(0, at - 12) : at]
    alone = not before[-1:].isalnum() and before[-1:] not in {"_", "-"}
    before = before.rstrip("_-.")
    if len(value) < _ALONE or value.islower() or value.isupper():
        if before.endswith(_PUBLIC_KEYS) or (alone and not re.search(_CIPHERS, _opened(text, at))):
            return False
        if before.endswith(_COMMITS) and re.fullmatch(_COMMIT, value):
            return False
    return _mixed(value) and not re.match(_PUBLIC, value)


def _opened(text: str, at: int) -> str:
    """Return what opens the block of a setting: text before it on its line, or the line above it further left."""
    begin = _line_at(text, at)
    row = text[begin:at].rstrip("\"'")
    if words := row.lstrip(_INDENT):
        return words[-_OPENING:]
    for _ in range(_UP):
        end = max(0, begin - 1)
        begin = _line_at(text, end)
        words = text[begin:end].lstrip(_INDENT)
        if words and (words[0] == "[" or end - begin - len(words) < len(row)):
            return words[-_OPENING:].rstrip()
    return ""


def _line_at(text: str, at: int) -> int:
    """Return where a line begins; in a long line, a place within it."""
    begin = max(0, at - 1_000)
    return max(begin, text.rfind("\n", begin, at) + 1)


_INDENT = " \t+-"


def _mixed(value: str) -> bool:
    """Say whether a value is a key by itself: long, letters and digits as in no word, no name or id of a thing."""
    if sum(ord(two) - ord(one) == 1 for one, two in pairwise(value)) > len(value) / 2:
        return False  # an alphabet
    if value.count("_") + value.count("-") > 1 and (value.islower() or value.isupper()):
        return False
    return bool(re.fullmatch(_MIXED, value)) and not re.fullmatch(_NUMBERED, value) and _secret(value, 3.6)


def _secret(value: str, least: float) -> bool:
    return drawn(value, least) and not stands_in(value) and not _code(value)


def stands_in(value: str) -> bool:
    """Say whether a value only stands where a secret would, such as `changeme` or `${PASSWORD}`."""
    return bool(re.match(_PLACEHOLDER, value))


def drawn(value: str, least: float) -> bool:
    """Say whether a value looks random: letters and digits (or signs) mixed, with at least `least` bits a letter.

    A long value may have no digits, as one in seven random values of twelve letters does, if its capitals stand as in
    no word.
    """
    size = len(value)
    digits = sum(each.isdigit() for each in value)
    upper = sum(each.isupper() for each in value)
    lower = sum(each.islower() for each in value)
    signs = len(value) - digits - upper - lower
    if not digits and not (size >= _NO_DIGITS and upper >= 3 and lower >= 3 and len(re.findall(_TURN, value)) >= 3):
        return False
    if not upper + lower or (digits < 2 and not (upper and lower) and not signs):
        return False
    if len(value) < 10 and not (upper and lower and signs):
        return False
    bits = -sum(count / size * math.log2(count / size) for count in Counter(value).values())
    return bits >= min(least, math.log2(size) * 0.8, 3.0 if size >= _HASH else least)


# The patterns below are compiled where they are needed: few texts need them.
_WORDY = r"(?:[A-Z]{0,5}[a-z]{3,}|[A-Z]{3,}|[A-Z][a-z]{2})\d?"
_PLACE = r"(?:arn|urn):|[a-z][a-z0-9+.-]{1,20}:/|[\w-]+(?:\.[\w-]+)+\(|[\w./-]+\.(?:py|js|ts|json|ya?ml|txt|pem|key|html?|com|org|net|io)$|\^.*\$$|--"
# A call, whole or cut off after its opening bracket, and what only a pattern has: a bracket alone is a sign like
# others.
_CALLS = r"^[$@]?[A-Za-z_][\w.:>-]*\((?:.*\))?[;,]?$|\(\?[:=!<]|\\[dws]|\[(?:a-z|A-Z|0-9|\^|-\])|\.\*[)$]|[\])]\?"
_ROOTED = r"\.{0,2}/{1,2}[\w.-]+(?:/|\.\w+$|$)"
# How pictures, documents, certificates and public keys begin in base64.
_PICTURE = r"data:|iVBORw0KGgo|/9j/4|R0lGOD|UklGR|PHN2Z|JVBERi|LS0tLS1CRUdJTiBDRVJU|MII[BC]Ij|MFkwEwYH|MHYwEAYH|MCowBQYDK2Vw|LS0tLS1CRUdJTiBQVUJM"


def _code(value: str) -> bool:
    """Say whether a value is made of words (a dotted or hyphenated name, a path, a call), a pattern or a picture."""
    if re.match(_PLACE, value) or re.search(_CALLS, value) or re.match(_PICTURE, value):
        return True
    pieces = [piece for piece in re.split(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])", value) if piece]
    share = 0.4 if re.match(_ROOTED, value) else 0.7
    return (
        sum(len(piece) for piece in pieces if re.fullmatch(_WORDY, piece)) >= share * sum(map(len, pieces))
        and len(pieces) > 1
    )
