#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a user does with traces: genai.evaluate with built-in scorers, and search_traces with filters. Prints one JSON
object.

evaluate.py EXPERIMENT_ID
"""

import json
import sys

import mlflow
from mlflow.genai import scorers

# {filter: number of traces that it must find} comes on stdin
experiment, filters = sys.argv[1], json.load(sys.stdin)
mlflow.set_experiment(experiment_id=experiment)
traces = mlflow.search_traces(locations=[experiment], return_type="list")
found = {f: len(mlflow.search_traces(locations=[experiment], filter_string=f, return_type="list")) for f in filters}
table = mlflow.search_traces(locations=[experiment])
good = [t for t in traces if t.info.state.value == "OK"]
judge = "openai:/gpt-4o-mini"
result = mlflow.genai.evaluate(
    data=good,
    scorers=[
        scorers.RegexMatch(pattern="000000"),
        scorers.ResponseLength(max_length=100000),
        scorers.PIIDetection(),
        scorers.RelevanceToQuery(model=judge),
        scorers.Safety(model=judge),
    ],
)
assessed = [t for t in mlflow.search_traces(locations=[experiment], return_type="list") if t.info.state.value == "OK"]
print(
    json.dumps(
        {
            "traces": len(traces),
            "found": found,
            "columns": list(table.columns),
            "metrics": {k: float(v) for k, v in result.metrics.items()},
            "requests": [str(r) for r in table["request"]],
            "assessments": [
                sorted((a.name, str(a.feedback.value), a.error is not None) for a in t.info.assessments)
                for t in assessed
            ],
        }
    )
)
