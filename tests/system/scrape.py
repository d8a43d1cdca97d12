"""What /metrics says."""

from prometheus_client.parser import text_string_to_metric_families
from stack import Stack

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Series = tuple[str, tuple[tuple[str, str], ...]]


class Scrape:
    """All series at one moment."""

    def __init__(self, text: str):
        self.text = text
        self.samples: dict[Series, float] = {}
        self.kinds: dict[str, str] = {}  # of samples, by name
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                series = (sample.name, tuple(sorted(sample.labels.items())))
                assert series not in self.samples, f"twice: {series}"
                self.samples[series] = sample.value
                self.kinds[sample.name] = family.type

    def sum(self, name: str, **labels: str) -> float:
        """Of all series that have these labels; 0 when there are none."""
        return sum(self.values(name, **labels))

    def values(self, name: str, **labels: str) -> list[float]:
        return [
            value
            for (other, having), value in self.samples.items()
            if other == name and labels.items() <= dict(having).items()
        ]

    def fell_since(self, before: "Scrape") -> list[Series]:
        """What is counted and is less than it was, or gone."""
        return [
            series
            for series, value in before.samples.items()
            if before.kinds[series[0]] != "gauge" and self.samples.get(series, -1) < value
        ]


def scrape(stack: Stack) -> Scrape:
    answer = stack.anyone().get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == CONTENT_TYPE
    return Scrape(answer.text)
