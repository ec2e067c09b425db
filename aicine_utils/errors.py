"""The one error that a user of the project sees."""

import difflib
from collections.abc import Iterable


class AicineError(Exception):
    """What is wrong, where, by which rule, and what to do about it.

    The message is shown as it stands, without a traceback, and the process ends with exit code 2. Write it as
    ``ratings.dat line 1,204: rating 7 is outside 1-5. Fix the row or pass --rating-scale 1 10.``
    """

    exit_code = 2


def unknown(kind: str, name: object, known: Iterable[str]) -> AicineError:
    """An error for a name that does not exist; names the nearest one that does, and all of them when few."""
    known = sorted(str(k) for k in known)
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else "Use a known one."
    listed = f" Known: {', '.join(known)}." if len(known) <= 60 else ""
    return AicineError(f"Unknown {kind} {str(name)!r}. {hint}{listed}")
