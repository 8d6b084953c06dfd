"""Telling a note that something is left out ("... existing code ...") from code that only looks like one.

Written into a file, such a note deletes what it stands for. Python's `...` body, a spread `...rest`, and a comment that
happens to speak of existing things are not notes.
"""

from __future__ import annotations

import re

_LEAD = r"(?:#+|//+|/\*+|<!--|--+|;+|%+|\{/\*|\(\*)"
_TRAIL = r"(?:\*+/|-->|\*/\}|\*\))?"
_DOTS = r"(?:\.{3,}|\u2026|\[\s*(?:\.{3}|\u2026)\s*\]|\(\s*(?:\.{3}|\u2026)\s*\))"
_WHOLES = r"(?:code|file|function|method|class|contents?|implementation|body|logic|module|script|document|text|page|component)"
_WORDS = re.compile(
    rf"^(?:(?:the\s+|all\s+)?(?:rest|remainder)(?:\s+of(?:\s+(?:the|this|your|that))?(?:\s+\w+)?\s+{_WHOLES})?|"
    rf"(?:the\s+)?(?:existing|previous|remaining|other|unchanged|same|original|omitted)\s+{_WHOLES}|"
    rf"(?:the\s+)?(?:existing|previous|remaining|other|unchanged|same|original)\s+(?:\w+\s+){{1,2}}(?=unchanged|remains?|stays?|omitted|here|as\s+before)|"
    rf"{_WHOLES}\s+(?:unchanged|omitted|as\s+before|stays|remains)|"
    r"(?:unchanged\s+(?:below|above|from\s+here)(?:\s+this\s+line)?|truncated(?=\s+for\s+brevity)|unchanged|omitted|snip(?:ped)?|no\s+changes?|same\s+as\s+(?:before|above)|as\s+before))"
    r"(?:\s*(?:is|are|stays?|remains?|goes|here|the|same|identical|unchanged|omitted|for|brevity|as|before|above|below|this\s+(?:line|point)|not|shown|exactly|it|was))*$|"
    r"^(?:the\s+|all\s+)?(?:rest|remainder)\s+of\s+(?:the|this|your|that)\s+(?:\w+\s+){1,3}(?:is|are|stays?|remains?)\s+(?:exactly\s+)?(?:the\s+same|unchanged|identical|as\s+(?:before|is|it\s+(?:is|was)))$",
    re.IGNORECASE,
)
_COMMENTED = re.compile(rf"^\s*{_LEAD}\s*(.*?)\s*{_TRAIL}\s*$")
_FRAME = re.compile(rf"^[(\[ ]*{_DOTS}\s*|\s*{_DOTS}[)\] ]*$")
_HINT = re.compile(
    r"\.\.\.|\u2026|rest|remain|existing|previous|other|unchanged|same|original|omitted|snip|no changes?|as before|stays|everything else|truncated"
    r"|code|unverändert|wie |inchang|sans |código|codice|sin cambios|sem |invariat|igual|[\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]",
    re.IGNORECASE,
)
_BARE = re.compile(rf"^\s*{_DOTS}\s*$")
_TELLING = re.compile(
    r"\b(?:rest|remaining|remainder|existing|unchanged|previous|same|omitted|other|brevity|more|code|snip|truncated|continues?)\b",
    re.IGNORECASE,
)

_SPAN = re.compile(
    r"^(?:lines?|l\.?)\s+\d+(?:\s+(?:(?:to|through|until|and)\s+)?\d+)?(?:\s+(?:unchanged|omitted|as\s+before|stay|here))*$",
    re.IGNORECASE,
)
"""A note between dots of which lines are left out."""
_CODE_ELSEWHERE = re.compile(
    r"^(?:el\s+|o\s+|il\s+|le\s+|der\s+)?(?:código|codice|code)\s+(?:existente|restante|esistente|rimanente|existant|restant)$"
    r"|^(?:bestehender|restlicher|übriger|vorhandener)\s+code$|^(?:существующий|остальной|оставшийся)\s+код$",
    re.IGNORECASE,
)
"""Names for the existing code, between dots, in other languages."""
_HOLE = re.compile(r"^\{\{?\s*(\w+(?:\s+\w+)+)\s*\}?\}$")
"""Several words in the place of a template's variable."""
_STAYS = re.compile(
    r"\b(?:stays?|remains?|unchanged|same|here|omitted|keep|kept|goes|above|below|as\s+(?:is|before|they|it))\b",
    re.IGNORECASE,
)
_LEFT_ALONE = re.compile(
    r"^(?:please\s+)?(?:keep|leave|retain|preserve)\s+(?:all\s+)?(?:the\s+)?"
    rf"(?:(?:rest|remainder)(?:\s+of\s+(?:the|this|your)\s+(?:\w+\s+)?{_WHOLES})?|everything\s+else|(?:other|remaining|existing)\s+(?:code|contents?|implementation|functions|methods|classes|logic))"
    r"(?:\s+(?:as\s+(?:is|it\s+is|they\s+are|before)|unchanged|the\s+same|intact|untouched|here))?$",
    re.IGNORECASE,
)


def _either(head: str, of: str, stays: str) -> str:
    """Build a pattern for what is left (`head`), followed by what it is part of (`of`), by "stays", or by both."""
    return rf"(?:{head})(?:\s+(?:{of})(?:\s+(?:{stays}))*|(?:\s+(?:{stays}))+)"


_ELSEWHERE = re.compile(
    "^(?:"
    + "|".join((
        # Chinese and Japanese
        r"(?:此处|此處|这里|這裡|以下|以上|下面|上面|后续|後續)?的?(?:其余|其他|其它|其餘|剩余|剩餘|剩下|余下|原有|现有|現有|已有|之前|原来|原來|既存|残り|その他)の?的?"
        r"(?:(?:代码|程式碼|部分|内容|內容|代碼|コード)|(?:方法|函数|函數|逻辑|邏輯|实现|實現|処理)?(?=.*(?:变|變|同|略|致|変|まま)))(?:は|都|均|全部)?(?:保持|维持|維持)?(?:不变|不變|相同|省略|一致|変更なし|同じ|そのまま)?(?:です)?",
        r"(?:以下の?|残りの?)コードは?(?:変更なし|同じ|省略|そのまま)(?:です)?",
        r"(?:此处|此處|这里|以下|以上|中間|中间)?(?:代码|コード)?は?(?:省略|保持不变|保持不變|保持原样|保持原樣|変更なし|没有变化|无变化|不变|不變|そのまま)(?:です)?",
        # Korean
        r"(?:나머지|기존|이하)\s*(?:코드|부분|내용|함수|메서드|로직)?(?:는|은|도)?\s*(?:동일|생략|그대로|변경\s*없음|유지)(?:합니다|됨)?|생략",
        # German, French, Spanish, Portuguese, Italian
        _either(r"(?:der\s+)?rest|(?:restlicher|bestehender|übriger|vorhandener)\s+code", r"(?:des|der|vom)\s+\w+", r"bleibt|ist|wie|hier|unverändert|gleich|bisher|vorher|zuvor|so"),
        _either(r"(?:le\s+)?reste|le\s+code\s+(?:existant|restant)", r"(?:du|de\s+la|de\s+votre)\s+\w+", r"reste|est|demeure|inchangée?|identique|ici|sans\s+changements?"),
        _either(r"(?:el\s+|o\s+|il\s+)?rest(?:o|ante)|(?:el\s+|o\s+|il\s+)?(?:código|codice)\s+(?:existente|restante|esistente|rimanente)",
                r"d(?:el|o|a|i|e\s+la|ella|e)\s+\w+", r"permanece|queda|sigue|se\s+mantiene|fica|continua|rimane|resta|è|sin\s+cambios|igual|inalterad[oa]|sem\s+(?:alterações|mudanças)|invariato|uguale|aquí|aqui|qui|come\s+prima|el\s+mismo|o\s+mesmo|no\s+cambia|não\s+muda|non\s+cambia"),
        r"(?:hier\s+)?unverändert(?:er\s+(?:code|rest))?|inchangée?|sin\s+cambios|sem\s+alterações|invariato",
        # Russian, Ukrainian
        _either(r"остальн\w+|оставш\w+|существующ\w+|решта", r"код|часть|файл\w*|функци\w*|метод\w*|коду", r"файла|кода|остаётся|остается|без|изменений|змін|прежним|таким|же|не|изменился|изменяется|как|раньше"),
        r"(?:код\s+)?без\s+изменений",
    ))
    + ")$",
    re.IGNORECASE,
)  # fmt: skip
"""The same in other languages: a model leaves such notes in the language it is asked in."""
_TOLD_WHY = re.compile(
    r"\b(?:omitted|unchanged|kept|stays?|remains?)\s+(?:when|whenever|if|unless|until|while|because|since)\b",
    re.IGNORECASE,
)
"""What a program leaves out, and when: a note about lines that a reply leaves out never says when."""
_FEW = 10


def leaves_out(line: str, above: str = "", below: str = "") -> bool:
    """Say whether a line stands for lines that are not given; `above` and `below` are the nearest non-blank lines."""
    if _BARE.match(line):
        return not _is_stub(line, above, below)
    commented = _COMMENTED.match(line)
    if commented:
        return _says_so(commented[1])
    bare = line.strip()
    if bare.startswith(("...", "\u2026")) and re.match(r"^(?:\.{3,}|\u2026)\s+\S", bare):
        return _says_so(bare)
    if bare.startswith(("[", "(")) and bare.endswith(("]", ")")):
        return _says_so(bare[1:-1])
    hole = _HOLE.match(bare)
    return hole is not None and _says_so(hole[1])


def seems_to_leave_out(line: str) -> bool:
    """Say whether a line may stand for others: it does if more lines are removed than added in its place."""
    commented = _COMMENTED.match(line)
    words = (commented[1] if commented else line).strip("-=*~ \t")
    framed = bool(_FRAME.search(words)) or (words.startswith(("[", "(")) and words.endswith(("]", ")")))
    if (not commented and not framed) or _TOLD_WHY.search(words):
        return False
    core = re.sub(r"\s+", " ", re.sub(r"[()\[\],;:.\u2026!-]", " ", words)).strip()
    return len(core.split()) <= _FEW and bool(_TELLING.search(core)) and (framed or bool(_STAYS.search(core)))


def _says_so(words: str) -> bool:
    words = words.strip("-=*~<> ")
    core = _FRAME.sub("", words)
    dotted = bool(re.match(_DOTS, words.lstrip("([ ")))
    core = re.sub(r"\s+", " ", re.sub(r"[()\[\],;:.\u2026!-]", " ", core)).strip()
    if not core:
        return dotted
    few = len(core.split()) <= 5 and not re.match(r"(?:and|but|or|so|then|if|when)\b", core, re.IGNORECASE)
    if _LEFT_ALONE.match(core) or _ELSEWHERE.match(core.strip("\u3002\uff0c\uff08\uff09\u3010\u3011 ")):
        return True
    if dotted and (_SPAN.match(core) or _CODE_ELSEWHERE.match(core)):
        return True
    return bool(_WORDS.match(core)) or (dotted and few and bool(_TELLING.search(core)))


def _is_stub(line: str, above: str, below: str) -> bool:
    """Say whether three dots are the real body of the line above (a stub, an overload, a protocol), or a doctest."""
    depth = _depth(line)
    if above.lstrip().startswith((">>> ", "... ")) and _depth(above) == depth:
        return True
    if not depth or (below.strip() and _depth(below) >= depth):
        return False
    return (above.rstrip().endswith(":") and _depth(above) < depth) or (
        above.rstrip().endswith(('"""', "'''")) and _depth(above) == depth
    )


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def notes(lines: list[str]) -> list[int]:
    """Return the indices of the lines that stand for others."""
    return [index for index, line in enumerate(lines) if _likely(line) and leaves_out(line, *_beside(lines, index))]


def _likely(line: str) -> bool:
    """Say cheaply whether a line is worth a closer look."""
    return bool(_HINT.search(line))


def _beside(lines: list[str], index: int) -> tuple[str, str]:
    above = next((line for line in reversed(lines[max(0, index - 3) : index]) if line.strip()), "")
    return above, next((line for line in lines[index + 1 : index + 4] if line.strip()), "")


def stubs(lines: list[str]) -> list[tuple[int, str]]:
    """Return the index of each line of three dots that may be a body, and the header above it."""
    return [(index, _header(lines, index)) for index, line in enumerate(lines) if _likely(line) and _BARE.match(line)]


def _header(lines: list[str], index: int) -> str:
    """Return the header of the block whose body is at `index`: above a docstring, or where its brackets open."""
    at = _told(lines, index)
    quotes = lines[at].rstrip()[-3:] if at >= 0 else ""
    if quotes in {'"""', "'''"}:
        at -= lines[at].strip() == quotes  # the end of a docstring of several lines
        while at >= 0 and not lines[at].lstrip().removeprefix("r").startswith(quotes):
            at -= 1
        at = _told(lines, at)
    if at >= 0 and lines[at].lstrip()[:1] in {")", "]", "}"}:
        depth = _depth(lines[at])
        at = _told(lines, at)
        while at >= 0 and _depth(lines[at]) > depth:
            at = _told(lines, at)
    return lines[at] if at >= 0 else ""


def _told(lines: list[str], index: int) -> int:
    """Return the index of the nearest line above that is not blank; -1 if there is none."""
    return next((at for at in range(index - 1, -1, -1) if lines[at].strip()), -1)
