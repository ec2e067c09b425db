# The report as a graph: data → notebooks (papermill) → pages (nbconvert) → index.
#
# ./run_all.sh calls this; so may you, on a cluster or in a cloud, with any executor plugin of Snakemake:
#   snakemake --cores 2 --config dataset=ml-100k only=02_non_personalised
# A notebook runs again when its text, its parameters, the data, the package's code or a result it reads has changed
# in content, not when a file has a new date.

import json
import shlex
import sys

from snakemake.exceptions import WorkflowError

from aicine_utils import provenance, settings
from aicine_utils.data import catalogue, datasets
from aicine_utils.pipeline import plan

DATASET = str(config.get("dataset", "ml-100k"))
NAME = catalogue.folder_name(DATASET)
PRESET = config.get("preset") or settings.preset_for(NAME)
PARAMETERS = config.get("parameters") or {}
CHOSEN = [plan.find(name).name for name in str(config.get("only") or "").split(",") if name]
NAMES = CHOSEN or [book.name for book in plan.notebooks()]
GIVEN = [f"-p {shlex.quote(f'{name}={json.dumps(value)}')}" for name, value in PARAMETERS.items()]
QUOTED = shlex.quote(DATASET).replace("{", "{{").replace("}", "}}")
AICINE = f"{shlex.quote(sys.executable)} -m aicine_utils"
OUT = f"outputs/{NAME}"
try:
    CORES = workflow.cores
except WorkflowError:  # a cluster is told how many jobs, not how many cores
    CORES = 1
# Once made, the trainings beyond one a model stay an input of the notebooks that read them, whatever a run asks for.
REPEATS = not {plan.COMPARISON, plan.TRY_IT}.isdisjoint(NAMES) or plan.repeats_file(NAME).exists()
# Pages that each page can link to.
LINKED = [book.name for book in plan.notebooks() if book.name in NAMES or plan.page(NAME, book.name).exists()]


wildcard_constraints:
    book="[0-9][0-9]_[a-z_]+",


rule report:
    # The executed notebooks are named because a clone has pages, but not what they were made from.
    input:
        f"{OUT}/report/index.html",
        expand(f"{OUT}/runs/notebooks/{{book}}.ipynb", book=NAMES),


rule index:
    input:
        expand(f"{OUT}/report/{{book}}.html", book=NAMES),
    output:
        f"{OUT}/report/index.html",
        f"{OUT}/report/index.ko.html",
    params:
        code=provenance.source_of("aicine_utils.report.index"),
    shell:
        f"{AICINE} index --dataset {QUOTED}"


rule page:
    input:
        f"{OUT}/runs/notebooks/{{book}}.ipynb",
    output:
        f"{OUT}/report/{{book}}.html",
    params:
        code=provenance.source_of("aicine_utils.report.pages"),
        templates=settings.fingerprint("report"),
        linked=",".join(LINKED),
    shell:
        f"{AICINE} page {{wildcards.book}} --dataset {QUOTED} --planned {','.join(NAMES)}"


rule notebook:
    input:
        text=str(plan.FOLDER / "{book}.py"),
        data=f"{OUT}/runs/data.json",
        shown=lambda w: [str(path) for path in plan.find(w.book).shows],
        repeats=lambda w: [f"{OUT}/runs/repeats.json"] if REPEATS and w.book in plan.REPEATED else [],
        results=lambda w: expand(f"{OUT}/runs/notebooks/{{book}}.ipynb", book=plan.find(w.book).builds_on),
    output:
        f"{OUT}/runs/notebooks/{{book}}.ipynb",
    params:
        code=lambda w: provenance.source_of_script(plan.find(w.book).source),
        configs=settings.fingerprint("configs"),
        preset=PRESET,
        given=lambda w: " ".join(GIVEN) if w.book in CHOSEN else "",
    priority: lambda w: plan.find(w.book).priority
    shell:
        f"{AICINE} execute {{wildcards.book}} --dataset {QUOTED} --preset {PRESET} {{params.given}}"


rule repeats:
    input:
        data=f"{OUT}/runs/data.json",
        results=lambda _: expand(f"{OUT}/runs/notebooks/{{book}}.ipynb", book=plan.find(plan.COMPARISON).builds_on),
    output:
        f"{OUT}/runs/repeats.json",
    params:
        code=provenance.source_of("aicine_utils.study.repeats"),
        configs=settings.fingerprint("configs"),
        preset=PRESET,
        given=" ".join(GIVEN) if plan.COMPARISON in CHOSEN else "",
    threads: CORES  # a process for each, so nothing runs beside it
    priority: 3  # the comparison waits for it: where all cores are free, it goes before notebooks nothing waits for
    shell:  # one thread each, in place of Snakemake's one for each core
        f"OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 {AICINE} repeats --dataset {QUOTED} --preset {PRESET} --processes {{threads}} {{params.given}}"


rule data:
    output:
        f"{OUT}/runs/data.json",
    params:
        source=datasets.signature(DATASET),
        code=provenance.source_of("aicine_utils.data.datasets"),
    shell:
        f"{AICINE} data --dataset {QUOTED}"


onerror:
    shell(f"{AICINE} index --after-error --dataset {QUOTED}")
