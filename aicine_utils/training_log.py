"""A run's training curve as TensorBoard reads it: ``tensorboard --logdir outputs/ml-100k/runs`` shows every run's.

Written by tensorboard's own records and messages, not by torch's SummaryWriter: models without torch have curves too,
and a second of importing is no training.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

FOLDER = "tensorboard"
FILE = "events.out.tfevents.curve"  # TensorBoard reads files with "tfevents" in their name; one a run, so no date in it
_NO_MEASURE = {"epoch", "of", "seconds", "stage"}


def write(run: Path) -> None:
    """Make ``tensorboard/`` from ``curve.csv`` in a run's folder; nothing where there is no curve, or it is made.

    Each column of the curve is a scalar; a model trained in stages has one a stage (``loss/critic``). Step is the
    epoch, wall time the moment at which the epoch ended. The file is whole or absent.
    """
    curve, target = run / "curve.csv", run / FOLDER / FILE
    if target.exists() or not curve.exists():
        return
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    target.parent.mkdir(exist_ok=True)
    part = target.with_name(f"{os.getpid()}.part")
    with part.open("wb") as file:
        records = RecordWriter(file)
        for event in [{"file_version": "brain.Event:2"}, *events(pd.read_csv(curve), curve.stat().st_mtime)]:
            records.write(Event(**event).SerializeToString())
    os.replace(part, target)


def events(curve: pd.DataFrame, ended: float) -> Iterator[dict]:
    """Fields of one event a row of the curve; ``ended`` is when the last row was noted, seconds since 1970."""
    seconds = curve["seconds"] if "seconds" in curve else pd.Series(0.0, curve.index)
    for at, row in zip(ended - seconds.max() + seconds, curve.to_dict("records"), strict=True):
        stage = f"/{row['stage']}" if "stage" in row else ""
        values = [
            {"tag": f"{name}{stage}", "simple_value": value}
            for name, value in row.items()
            if name not in _NO_MEASURE and pd.notna(value)  # one stage may lack what another measures
        ]
        yield {"wall_time": at, "step": int(row["epoch"]), "summary": {"value": values}}
