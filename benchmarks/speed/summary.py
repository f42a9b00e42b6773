"""From samples to statements: the best variant of each, ratios of the same round, and JSON."""

from statistics import median

from benchmarks.speed.rounds import Results, Variant

OURS = "tinycnn"

RATIOS = {"train": "train", "inference": "inference", "latency_us": "latency"}
"""Measures that are compared, and what the ratios are called."""


def best(results: Results, measure: str, contender: str) -> Variant | None:
    """Return the variant that counts: the best median of another, and tinycnn as it comes."""
    rows = results.samples.get(measure, {})
    variants = [variant for variant in rows if variant[0] == contender]
    if not variants or contender == OURS:
        return variants[0] if variants else None
    choose = min if measure.startswith("latency") else max
    return choose(variants, key=lambda variant: median(rows[variant]))


def contenders(results: Results, measure: str) -> list[str]:
    """Return who has values for ``measure``, in the order of the tables."""
    return list(dict.fromkeys(name for name, _ in results.samples.get(measure, {})))


def best_samples(results: Results, measure: str) -> dict[str, list[float]]:
    """Return the values, one per round, of each contender's best variant."""
    rows = results.samples.get(measure, {})
    found = {name: best(results, measure, name) for name in contenders(results, measure)}
    return {name: rows[variant] for name, variant in found.items() if variant}


def medians(results: Results, measure: str) -> dict[str, float]:
    """Return the median of each contender's best variant."""
    return {name: median(values) for name, values in best_samples(results, measure).items()}


def ratios(results: Results) -> dict[str, dict[str, float]]:
    """Return median, min and max of tinycnn's value divided by another's of the same round.

    Names are such as "train_vs_torch". Above 1 tinycnn is faster, for latencies below 1.
    """
    found = {}
    for measure, short in RATIOS.items():
        samples = best_samples(results, measure)
        ours = samples.pop(OURS, [])
        for name, theirs in samples.items() if ours else ():
            values = [a / b for a, b in zip(ours, theirs, strict=True)]
            row = {"median": median(values), "min": min(values), "max": max(values)}
            found[f"{short}_vs_{name}"] = row
    return found


def as_json(results: Results) -> dict:
    """Return one setting's results: medians, ratios, and every variant's values."""
    plan, measures = results.plan, (*RATIOS, "latency_p99_us")
    keys = ("network", "batch", "threads", "rounds", "augmented")
    return {
        **{key: getattr(plan, key) for key in keys},
        **{measure: medians(results, measure) for measure in measures},
        "ratio": ratios(results),
        "variants": {measure: _nested(rows) for measure, rows in results.samples.items()},
        "losses": _nested(results.losses),
        "used_by_others": results.others,
        "worst_difference": results.worst_difference,
        "left_out": list(results.failed.values()),
    }


def _nested(rows: dict) -> dict[str, dict]:
    nested: dict[str, dict] = {}
    for (name, variant), value in rows.items():
        nested.setdefault(name, {})[variant] = value
    return nested
