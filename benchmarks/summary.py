"""From samples to statements: the best variant of each, ratios of the same round, and JSON."""

from statistics import median

from benchmarks.plan import Variant
from benchmarks.recipe import NETWORKS, dense_flops
from benchmarks.rounds import Results

OURS = "tinycnn"

SMALLER_IS_BETTER = ("latency_us", "latency_p99_us")


def best(results: Results, measure: str, contender: str) -> Variant | None:
    """Return the variant that counts: a peer's best median, and tinycnn as it comes."""
    rows = results.samples.get(measure, {})
    variants = [variant for variant in rows if variant[0] == contender]
    if not variants or contender == OURS:
        return variants[0] if variants else None
    choose = min if measure in SMALLER_IS_BETTER else max
    return choose(variants, key=lambda variant: median(rows[variant]))


def contenders(results: Results, measure: str) -> list[str]:
    """Return who has values for ``measure``, in the order of the tables."""
    return list(dict.fromkeys(name for name, _ in results.samples.get(measure, {})))


def medians(results: Results, measure: str) -> dict[str, float]:
    """Return the median of everybody's best variant."""
    rows = results.samples.get(measure, {})
    found = {name: best(results, measure, name) for name in contenders(results, measure)}
    return {name: median(rows[variant]) for name, variant in found.items() if variant}


def ratio(results: Results, measure: str, peer: str) -> dict[str, float] | None:
    """Return median, min and max of tinycnn's value divided by the peer's of the same round.

    Above 1 tinycnn is faster, for latencies below 1.
    """
    ours, theirs = best(results, measure, OURS), best(results, measure, peer)
    if ours is None or theirs is None:
        return None
    rows = results.samples[measure]
    values = [a / b for a, b in zip(rows[ours], rows[theirs], strict=True)]
    return {"median": median(values), "min": min(values), "max": max(values)}


def ratios(results: Results) -> dict[str, dict[str, float]]:
    """Return every ratio there is, under names such as "train_vs_torch"."""
    found = {}
    for measure, short in (
        ("train", "train"),
        ("inference", "inference"),
        ("latency_us", "latency"),
    ):
        for peer in contenders(results, measure):
            values = ratio(results, measure, peer) if peer != OURS else None
            if values:
                found[f"{short}_vs_{peer}"] = values
    return found


def bounds(results: Results) -> dict[str, float]:
    """Return what a perfect dense trainer could do here, and how tinycnn stands to it.

    The peak is the fastest arithmetic seen, in registers or in a matrix product of whomever.
    "share_of_peak" counts the work of a dense step, done or not: skipping zeros can bring it
    above 1.
    """
    samples = results.samples.get("peak_gflops", {})
    if not samples:
        return {}
    peaks = {who: max(values) for who, values in samples.items()}
    peak = max(peaks.values())
    prediction, training = dense_flops(NETWORKS[results.plan.network])
    found = {
        "peak_gflops": peak,
        "matrix_product_gflops": max(v for (_, kind), v in peaks.items() if kind != "registers"),
        "mflop_per_training_image": training / 1e6,
        "dense_train_images_per_second": peak * 1e9 / training,
        "dense_inference_images_per_second": peak * 1e9 / prediction,
    }
    for measure, flops in (("train", training), ("inference", prediction)):
        if (rate := medians(results, measure).get(OURS)) is not None:
            found[f"{measure}_share_of_peak"] = rate * flops / (peak * 1e9)
    return found


def as_json(results: Results) -> dict:
    """Return one setting's results: medians, ratios, and every variant's values."""
    return {
        "network": results.plan.network,
        "batch": results.plan.batch,
        "threads": results.plan.threads,
        "rounds": results.plan.rounds,
        "train": medians(results, "train"),
        "inference": medians(results, "inference"),
        "latency_us": medians(results, "latency_us"),
        "latency_p99_us": medians(results, "latency_p99_us"),
        "ratio": ratios(results),
        "bounds": bounds(results),
        "variants": {measure: _nested(rows) for measure, rows in results.samples.items()},
        "best": {
            measure: {
                name: (best(results, measure, name) or ("", ""))[1]
                for name in contenders(results, measure)
            }
            for measure in results.samples
        },
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
