"""What an import was, in sentences for the person who made it."""

from __future__ import annotations

from bot.imports.values import Import

_FAULTS_SHOWN = 20
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def describe(read: Import) -> str:
    """Several lines: what was found, how the file was understood, what was left out, and each bad row (20 at most).

    Says nothing of what is done with it: that is the caller's to add.
    """
    delimiter = _DELIMITERS.get(read.delimiter, repr(read.delimiter))
    lines = [
        f"{read.name}: {_found(read)} in {_several(read.rows, 'row')}.",
        f"Understood as {read.layout}, separated by {delimiter}, {read.encoding}.",
        *read.notes,
    ]
    if read.faults:
        lines.append(f"{_several(len(read.faults), 'thing')} could not be used:")
        lines += [f"  {fault}" for fault in read.faults[:_FAULTS_SHOWN]]
        if len(read.faults) > _FAULTS_SHOWN:
            lines.append(f"  and {len(read.faults) - _FAULTS_SHOWN:,} more")
    return "\n".join(lines)


def _found(read: Import) -> str:
    found = [
        _several(len(read.readings), "count") if read.readings else "",
        _several(len(read.audiences), "audience by country", "audiences by country") if read.audiences else "",
    ]
    if not any(found):
        return "nothing that can be used"
    instants = [reading.observed_at for reading in read.readings] + [audience.as_of for audience in read.audiences]
    first, last = min(instants), max(instants)
    dates = f"on {first:%Y-%m-%d}" if first.date() == last.date() else f"from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    return f"{' and '.join(filter(None, found))} of {_several(len(read.pages), 'page')}, {dates},"


def _several(number: int, one: str, more: str = "") -> str:
    return f"{number:,} {one if number == 1 else more or one + 's'}"
