"""How long things took, in buckets that grow with what they hold: quantiles to within 3 %.

Up to 64 us each bucket is 1 us wide; from there on each power of two has 32 of them. 1,000 buckets
reach for 70 minutes, what takes longer counts there. Two histograms can be added, also those of
two processes.

Prior art: HdrHistogram (Gil Tene), with as few digits as a person reads.
"""

from __future__ import annotations

from collections.abc import Mapping

_EXACT = 64
_BITS = 5
_LAST = 1000


class Histogram:
    """Durations.   Attributes: count: how many; total_s: of all of them; longest_s."""

    __slots__ = ("_counts", "count", "longest_s", "total_s")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.total_s = 0.0
        self.longest_s = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        bucket = bucket_of(seconds)
        self._counts[bucket] = self._counts.get(bucket, 0) + 1
        self.count += 1
        self.total_s += seconds
        if seconds > self.longest_s:
            self.longest_s = seconds

    def merge(self, other: Histogram) -> None:
        """All those of another one, too."""
        for bucket, count in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + count
        self.count += other.count
        self.total_s += other.total_s
        self.longest_s = max(self.longest_s, other.longest_s)

    def quantile(self, share: float) -> float:
        """What so many took at the most, in seconds; 0 when there are none.

        Args: share: 0.99 for all but the slowest hundredth.
        """
        left = share * self.count
        for bucket in sorted(self._counts):
            left -= self._counts[bucket]
            if left <= 0:
                return min(_top_of(bucket) / 1e6, self.longest_s)
        return self.longest_s

    def to_json(self) -> dict[str, object]:
        """All of it, for another process; see `from_json`."""
        return {
            "counts": {str(bucket): count for bucket, count in self._counts.items()},
            "total_s": round(self.total_s, 6),
            "longest_s": round(self.longest_s, 6),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, object]) -> Histogram:
        """One that `to_json` told of.   Raises: KeyError, TypeError, ValueError, for others."""
        made = cls()
        counts = told["counts"]
        if not isinstance(counts, Mapping):
            raise TypeError(f"the counts of a histogram are numbers by bucket, not {counts!r}")
        made._counts = {int(bucket): int(count) for bucket, count in counts.items()}
        made.count = sum(made._counts.values())
        made.total_s = float(told["total_s"])  # type: ignore[arg-type]
        made.longest_s = float(told["longest_s"])  # type: ignore[arg-type]
        return made

    def __repr__(self) -> str:
        return f"<Histogram of {self.count}, half within {self.quantile(0.5) * 1000:.3g} ms>"


def bucket_of(seconds: float) -> int:
    """The number of the bucket of a duration."""
    micros = int(seconds * 1e6)
    if micros < _EXACT:
        return micros if micros > 0 else 0
    shift = micros.bit_length() - _BITS - 1
    # 32 to 63 within its power of two, and 32 more for each power before.
    return min((shift << _BITS) + (micros >> shift), _LAST)


def _top_of(bucket: int) -> float:
    """The longest that a bucket holds, in microseconds."""
    if bucket < _EXACT:
        return bucket + 1
    shift = (bucket >> _BITS) - 1
    return float(((bucket - (shift << _BITS)) + 1) << shift)
