"""A sweep folder: the plan, the trials, and a lease that says which workers may go on.

    plan.json       the trials and the data: written first, never changed
    trials/NAME/    an ordinary run folder; outcome.json in it says that the trial is over
    lease           the token of the workers that go on; all others save and stop after their batch
    table.json      the results, and chart.svg the same as a picture

A sweep that goes on after a crash takes the lease. Workers that outlived their sweep, or that are
on another machine and cannot be reached any more, notice it at the next batch.
"""

import json
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tinycnn.errors import EnvironmentFault, RunError
from tinycnn.files import PathLike, to_json, write_bytes
from tinycnn.sweep.plan import SweepPlan
from tinycnn.train.folder import RunFolder
from tinycnn.train.resume import Source

FORMAT = 1
OUTCOME = "outcome.json"
"""The file in a run folder that says that the trial is over, with its accuracy or error."""


class SweepFolder:
    """The files of one sweep."""

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self.plan = self.path / "plan.json"
        self.lease = self.path / "lease"
        self.table = self.path / "table.json"
        self.chart = self.path / "chart.svg"

    def open(self, plan: SweepPlan, source: Source) -> None:
        """Write the plan; RunError if the folder has another one."""
        if self.plan.exists():
            _refuse_differences(self.path, self.read(), (plan, source))
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise RunError(f"{self.path} holds other files; name a new folder")
        except OSError as fault:
            reason = fault.strerror or fault
            raise EnvironmentFault(f"cannot make the folder {self.path}: {reason}") from fault
        content = {"format": FORMAT, "data": asdict(source), **asdict(plan)}
        write_bytes(self.plan, (to_json(content, indent=2) + "\n").encode())

    def read(self) -> tuple[SweepPlan, Source]:
        """The plan and the data of the sweep; RunError if there is none."""
        try:
            content = json.loads(self.plan.read_bytes())
            if content.pop("format") != FORMAT:
                raise ValueError("it was written by another version of tinycnn")
            source = Source(**content.pop("data"))
            content["settings"] = tuple(map(dict, content["settings"]))
            return SweepPlan(**content), source
        except FileNotFoundError:
            raise RunError(f"there is no sweep in {self.path}: it holds no plan.json") from None
        except (OSError, ValueError, TypeError, LookupError) as error:
            raise RunError(f"{self.plan} is no plan of a sweep ({error})") from error

    def trial(self, name: str) -> RunFolder:
        """The run folder of a trial."""
        return RunFolder(self.path / "trials" / name)

    def outcome(self, name: str) -> dict[str, Any] | None:
        """The accuracy or error of a trial; None if it is not over."""
        return _json_or_none(self.trial(name).path / OUTCOME)

    def result(self, name: str) -> dict[str, Any] | None:
        """The result of a trial that was tested."""
        return _json_or_none(self.trial(name).result)

    def take_lease(self) -> str:
        """Make all other workers stop; returns the token for ours."""
        token = secrets.token_hex(8)
        write_bytes(self.lease, token.encode())
        return token

    def end_lease(self, token: str) -> None:
        """Make the workers with this ``token`` stop, unless the lease has another one by now."""
        if self.is_leased(token):
            self.lease.unlink(missing_ok=True)

    def is_leased(self, token: str) -> bool:
        """Whether workers with this ``token`` may go on."""
        try:
            return self.lease.read_text() == token
        except OSError:
            return False


def _json_or_none(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content


def _refuse_differences(
    path: Path, before: tuple[SweepPlan, Source], now: tuple[SweepPlan, Source]
) -> None:
    has, asked = _facts(*before), _facts(*now)
    none = {"none": None}
    differences = [
        f"{name} {', '.join(asked.get(name, none))} (it has {', '.join(has.get(name, none))})"
        for name in {**has, **asked}
        if has.get(name, none).keys() != asked.get(name, none).keys()
    ]
    if differences or before[0] != now[0]:
        raise RunError(
            f"the sweep in {path} can only go on with its own settings, not with "
            f"{'; '.join(differences) or 'other combinations of the same values'}; "
            f"go on with `resume` {path}, or name a new folder"
        )


def _facts(plan: SweepPlan, source: Source) -> dict[str, dict[str, None]]:
    """All values of each option, and of the data."""
    facts: dict[str, dict[str, None]] = {}  # their keys are in the order of the plan
    own: dict[str, Any] = {"seeds": plan.seeds, "settings": len(plan.settings)}
    own |= {"dataset": source.name, "images": source.fingerprint[:8]}
    for options in (own, plan.fixed, *plan.settings):
        for name, value in options.items():
            facts.setdefault(name, {})[str(value)] = None
    return facts
