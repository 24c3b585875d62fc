#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program that is traced, run by the Python that has the SDKs.

  client.py SIDE EXPERIMENT CASE...     SIDE A: under autolog, case by case into EXPERIMENT-CASE-A; SIDE B: bare
The provider's address is in PROVIDER; what the application saw raised is printed, one line a case.
"""

import asyncio
import contextlib
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or its import asks the network for prices
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import CASES  # noqa: E402

AUTOLOG = {"google": "gemini", "agents": "openai"}  # where mlflow has another name for it
BY_URL = ("mistral", "groq", "litellm", "langchain", "agents")  # their cases make clients themselves


def base_url(case, side):
    options = "".join(f",{k}={v}" for k, v in case.options.items())
    return f"{os.environ['PROVIDER']}/x/case={case.name}.{side}{options}" + ("/v1" if case.sdk == "openai" else "")


def boto3_client(case, side):
    import boto3
    from botocore.config import Config

    retries = {"total_max_attempts": case.retries + 1, "mode": "standard"}
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=base_url(case, side),
        aws_access_key_id="AKIATESTTESTTESTTEST",
        aws_secret_access_key="test-secret-0123456789",
        verify=os.environ["SSL_CERT_FILE"],
        config=Config(retries=retries, read_timeout=case.timeout),
    )


def client_for(case, side):
    if case.sdk in BY_URL:
        return contextlib.nullcontext(base_url(case, side))
    if case.sdk == "bedrock":
        return contextlib.closing(boto3_client(case, side))
    options = {"base_url": base_url(case, side), "max_retries": case.retries, "timeout": case.timeout}
    if case.sdk == "openai":
        import openai

        return (openai.AsyncOpenAI if case.is_async else openai.OpenAI)(**options)
    if case.sdk == "google":
        from google import genai

        return genai.Client(api_key="AIzaSyParity-secret-0123456789", http_options={"base_url": options["base_url"]})
    import anthropic

    return (anthropic.AsyncAnthropic if case.is_async else anthropic.Anthropic)(**options)


async def call_async(case, client):
    async with client.aio if case.sdk == "google" else client as entered:
        await case.call(entered if case.sdk in BY_URL else client)


def call(case, side):
    """The name of what was raised, or None. A threaded case swallows what its threads raise; none of them is to
    raise."""
    client = client_for(case, side)
    try:
        if case.is_async:
            asyncio.run(call_async(case, client))
        else:
            with client as entered:
                case.call(entered)
    except Exception as e:
        return type(e).__name__
    return None


def autolog(cases):
    import mlflow

    for sdk in sorted({c.sdk for c in cases}):
        if sdk == "agents":
            import agents

            agents.set_trace_processors([])  # its own would send what it sees to its maker
        getattr(mlflow, AUTOLOG.get(sdk, sdk)).autolog()
    return mlflow


def main(side, experiment, names):
    cases = [CASES[n] for n in names]
    mlflow = autolog(cases) if side == "A" else None
    if not mlflow and any(c.sdk == "agents" for c in cases):
        import agents

        agents.set_tracing_disabled(True)
    for case in cases:
        if mlflow:
            mlflow.set_experiment(f"{experiment}-{case.name}-A")
        print(case.name, call(case, side), flush=True)
    if mlflow:
        mlflow.flush_trace_async_logging()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
