"""Which faults strike now: rules for all calls, and markers inside one prompt."""

from __future__ import annotations

import random
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipeline.emulator.catalogue import ERROR_SHAPES, FaultKind, UnknownFaultError, find_fault

_MARKER = re.compile(r"\[fault:([^\]\s]+)\]")
_RULE = re.compile(r"(?P<name>[a-z0-9_]+)(?P<rest>(?:[=*@~][^=*@~]+)*)")
_PART = re.compile(r"([=*@~])([^=*@~]+)")
_NUMBERS = ("SECONDS", "BYTES", "STATUS", "307")  # values that must be numbers
_FORM = "NAME[=SHARE][*COUNT][@VALUE][~SHAPE]"


@dataclass(frozen=True, slots=True)
class FaultRule:
    """A fault that was asked for.

    Attributes:
        kind: what goes wrong.
        share: of the calls (or of the tasks) it concerns, 0 to 1.
        count: strikes at most so often in all (for a task's fault: per task); None is no end.
        value: the fault's own parameter, as text.
        shape: the form of an error body; empty is the fault's own.
    """

    kind: FaultKind
    share: float = 1.0
    count: int | None = None
    value: str = ""
    shape: str = ""

    def number(self, default: float) -> float:
        """Return the value as a number, or ``default`` if none was given."""
        try:
            return float(self.value)
        except ValueError:
            return default

    def __str__(self) -> str:
        """Return the rule in the form it can be given in."""
        parts = [self.kind.name]
        parts += [f"={self.share:g}"] if self.share < 1 else []
        parts += [f"*{self.count}"] if self.count is not None else []
        parts += [f"@{self.value}"] if self.value else []
        parts += [f"~{self.shape}"] if self.shape else []
        return "".join(parts)


def parse_rule(text: str, *, marker: bool = False) -> FaultRule:
    """Read ``NAME[=SHARE][*COUNT][@VALUE][~SHAPE]``.

    A rule without a count strikes always; a marker without one strikes the
    first time, except for faults that belong to a task's whole life. ``*all``
    means always in both.
    """
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise UnknownFaultError(f"{text!r} is not of the form {_FORM}")
    kind = find_fault(match["name"])
    rule = FaultRule(kind, count=1 if marker and not kind.lasting else None)
    for sign, part in _PART.findall(match["rest"]):
        rule = _with_part(rule, sign, part)
    return rule


def _with_part(rule: FaultRule, sign: str, part: str) -> FaultRule:
    """Return ``rule`` with one of its optional parts taken in."""
    try:
        match sign:
            case "=":
                return replace(rule, share=_share(part))
            case "*":
                return replace(rule, count=_count(part))
            case "@":
                return replace(rule, value=_value(rule.kind, part))
            case _:
                return replace(rule, shape=ERROR_SHAPES[ERROR_SHAPES.index(part)])
    except UnknownFaultError:
        raise
    except ValueError:
        raise UnknownFaultError(
            f"{sign}{part} does not fit {rule.kind.name}: {_FORM}, SHARE from 0 to 1, "
            f"COUNT from 1 or all, VALUE {rule.kind.value or 'none'}, "
            f"SHAPE one of {', '.join(ERROR_SHAPES)}"
        ) from None


def _share(part: str) -> float:
    share = float(part)
    if not 0 <= share <= 1:
        raise ValueError(part)
    return share


def _count(part: str) -> int | None:
    if part == "all":
        return None
    if int(part) < 1:
        raise ValueError(part)
    return int(part)


def _value(kind: FaultKind, part: str) -> str:
    if not kind.value:
        raise UnknownFaultError(f"{kind.name} takes no value after @")
    if kind.value.startswith(_NUMBERS):
        float(part)
    return part


def rule_from_json(value: object) -> FaultRule:
    """Read a rule given as text or as an object with name, share, count, value, shape."""
    if isinstance(value, str):
        return parse_rule(value)
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        raise UnknownFaultError(f"a fault is {_FORM} or an object with a name, not {value!r}")
    text = value["name"]
    for key, sign in (("share", "="), ("count", "*"), ("value", "@"), ("shape", "~")):
        if value.get(key) is not None:
            text += f"{sign}{value[key]}"
    return parse_rule(text)


class FaultBoard:
    """The faults in force, and how often each has struck."""

    def __init__(self, rules: Iterable[str | FaultRule] = (), seed: int = 0) -> None:
        """Begin with ``rules``; ``seed`` makes shares repeatable."""
        self._seed = seed
        self._random = random.Random(f"faults:{seed}")  # noqa: S311 - no secret
        self._rules: list[FaultRule] = []
        self._struck: Counter[tuple[str, str]] = Counter()
        self._markers: dict[str, tuple[FaultRule, ...]] = {}
        self.strikes: Counter[str] = Counter()
        self.replace(rules)

    @property
    def rules(self) -> tuple[FaultRule, ...]:
        """The rules that hold for every call."""
        return tuple(self._rules)

    def replace(self, rules: Iterable[str | FaultRule]) -> None:
        """Put ``rules`` in the place of all rules, with their counts at zero."""
        self._rules = [parse_rule(rule) if isinstance(rule, str) else rule for rule in rules]
        anew = {f"rule:{rule.kind.name}" for rule in self._rules}
        for slot in [slot for slot in self._struck if slot[0] in anew]:
            del self._struck[slot]

    def add(self, rule: str | FaultRule) -> None:
        """Put one more rule in force."""
        self._rules.append(parse_rule(rule) if isinstance(rule, str) else rule)

    def strike(self, name: str, key: str = "", text: str = "") -> FaultRule | None:
        """Return the rule by which fault ``name`` strikes this call, and count it.

        Args:
            name: the fault's name.
            key: what a marker's count belongs to: a task's id, a request's hash.
            text: the prompt, or whatever else may hold markers.
        """
        candidates = self._candidates(text)
        named = ((rule, source) for rule, source in candidates if rule.kind.name == name)
        return next((rule for rule, source in named if self._strikes(rule, source, key)), None)

    def pick(
        self, group: str, key: str = "", text: str = "", *, skip: frozenset[str] = frozenset()
    ) -> FaultRule | None:
        """Return the first fault that becomes the answer of this call.

        Args:
            group: the call, such as ``submit``.
            key: see ``strike``.
            text: see ``strike``.
            skip: faults that cannot strike this call.
        """
        for rule, source in self._candidates(text):
            kind = rule.kind
            answers = kind.group == group and not kind.modifier and kind.name not in skip
            if answers and self._strikes(rule, source, key):
                return rule
        return None

    def holds(self, name: str, key: str, text: str) -> FaultRule | None:
        """Return the rule by which a task has the lasting fault ``name``; counts nothing."""
        named = (rule for rule, _ in self._candidates(text) if rule.kind.name == name)
        return next((rule for rule in named if self._draw_share(rule, key)), None)

    def concerns_queries(self, text: str) -> bool:
        """Tell cheaply whether any fault of queries is in force at all."""
        return any(rule.kind.group == "query" for rule, _ in self._candidates(text))

    def _candidates(self, text: str) -> list[tuple[FaultRule, str]]:
        """Return markers first: what one request asks for goes before what holds for all."""
        if not self._rules and "[fault:" not in text:
            return []
        marked = [(rule, "marker") for rule in self._find_marked(text)]
        return marked + [(rule, "rule") for rule in self._rules]

    def _find_marked(self, text: str) -> tuple[FaultRule, ...]:
        if "[fault:" not in text:
            return ()
        if text not in self._markers:
            found = (parse_rule(mark, marker=True) for mark in _MARKER.findall(text))
            self._markers[text] = tuple(found)
        return self._markers[text]

    def _strikes(self, rule: FaultRule, source: str, key: str) -> bool:
        """Decide and count one strike."""
        name = rule.kind.name
        own = source == "marker" or rule.kind.per_task
        slot = (f"{source}:{name}", key if own else "")
        if rule.count is not None and self._struck[slot] >= rule.count:
            return False
        if not self._draw_share(rule, key):
            return False
        self._struck[slot] += 1
        self.strikes[name] += 1
        return True

    def _draw_share(self, rule: FaultRule, key: str) -> bool:
        """Draw the share; for a task's fault always with the same result for one task."""
        if rule.share >= 1:
            return True
        if rule.kind.per_task:
            text = f"{self._seed}:{rule.kind.name}:{key}"
            return zlib.crc32(text.encode()) / 2**32 < rule.share
        return self._random.random() < rule.share
