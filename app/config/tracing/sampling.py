"""Which traces are recorded, by the names that OpenTelemetry has given to that."""

from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased


def sampler(name: str, share: float) -> Sampler:
    """Decides alone, or (parentbased_…) as whoever has begun the trace, where somebody has."""
    roots = {"always_on": ALWAYS_ON, "always_off": ALWAYS_OFF, "traceidratio": TraceIdRatioBased(share)}
    root = roots[name.removeprefix("parentbased_")]
    return ParentBased(root) if name.startswith("parentbased_") else root
