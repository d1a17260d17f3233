"""The metrics that Prometheus reads. Their names follow https://prometheus.io/docs/practices/naming/."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.monitoring.health import Health
from bot.monitoring.heartbeat import Pulse


class BotMetrics(Collector):
    """Likewatch's own metrics, gathered at each request."""

    def __init__(self, look: Callable[[], tuple[Health, Pulse, datetime]]) -> None:
        self._look = look

    def collect(self) -> Iterable[Metric]:
        """Yield every metric, as it is now."""
        health, pulse, now = self._look()
        yield from _of_cycle(pulse)
        yield GaugeMetricFamily("likewatch_healthy", "1 if /healthz answers 200, else 0.", not health.reasons)
        yield from _of_sources(health, now)
        if (backlog := health.backlog) is None:
            return
        waiting = GaugeMetricFamily("likewatch_outbox_deliveries", "Deliveries that are not posted.", labels=["state"])
        for state in ("pending", "paused", "sending", "failed"):
            waiting.add_metric([state], getattr(backlog, state))
        yield waiting
        age = (now - backlog.oldest).total_seconds() if backlog.oldest else 0
        yield GaugeMetricFamily(
            "likewatch_outbox_oldest_age_seconds",
            "How long the oldest delivery waits that is neither paused nor failed.",
            age,
        )

    def describe(self) -> Iterable[Metric]:
        """Return no metric, so that registering the collector gathers nothing."""
        return []


def _of_cycle(pulse: Pulse) -> Iterable[Metric]:
    looked, polled = pulse.checked_at.timestamp(), pulse.polled_at.timestamp() if pulse.polled_at else 0
    yield GaugeMetricFamily("likewatch_look_timestamp_seconds", "When the last check for due pages ended.", looked)
    yield GaugeMetricFamily(
        "likewatch_cycle_timestamp_seconds", "When the last cycle that read pages ended; 0 if none has.", polled
    )
    yield GaugeMetricFamily("likewatch_cycle_seconds", "How long that cycle took.", pulse.seconds)
    yield GaugeMetricFamily("likewatch_cycle_pages", "How many pages that cycle asked for.", pulse.pages)
    yield GaugeMetricFamily(
        "likewatch_cycle_running_seconds", "How long the present check for due pages has taken.", pulse.running or 0
    )
    failures = CounterMetricFamily("likewatch_read_failures", "Pages that could not be read.", labels=["reason"])
    for reason, count in sorted(pulse.failures.items()):
        failures.add_metric([reason], count)
    yield failures


def _of_sources(health: Health, now: datetime) -> Iterable[Metric]:
    pages = GaugeMetricFamily("likewatch_source_pages", "Pages read from a platform.", labels=["platform"])
    age = GaugeMetricFamily(
        "likewatch_source_age_seconds", "Time since any page of a platform was read.", labels=["platform"]
    )
    dark = GaugeMetricFamily(
        "likewatch_source_dark", "1 if no page of a platform can be read, else 0.", labels=["platform"]
    )
    failing = GaugeMetricFamily(
        "likewatch_source_failing_pages", "Pages whose last read failed.", labels=["platform", "reason"]
    )
    for source in health.sources:
        pages.add_metric([source.platform], source.accounts)
        dark.add_metric([source.platform], source in health.dark)
        if source.newest:
            age.add_metric([source.platform], (now - source.newest).total_seconds())
        for reason, count in sorted(source.failing.items()):
            failing.add_metric([source.platform, reason], count)
    return (pages, age, dark, failing)
