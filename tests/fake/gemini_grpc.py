#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gemini over gRPC without TLS: gemini_grpc.py --truth FILE. Its messages are those of google-ai-generativelanguage, or, where
that package is not there, Vertex AI's of google-cloud-aiplatform.
"""

import os
import sys

import grpc

try:
    from google.ai import generativelanguage as google
except ImportError:
    from google.cloud import aiplatform_v1 as google

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import grpc_side  # noqa: E402
from answers import ARGUMENTS, pieces_of_text  # noqa: E402

IS_VERTEX = google.__name__ == "google.cloud.aiplatform_v1"
SERVICE = "google.cloud.aiplatform.v1.PredictionService" if IS_VERTEX else "google.ai.generativelanguage.v1beta.GenerativeService"
THOUGHTS = 3


class Gemini:
    def __init__(self, truth):
        self.truth = truth

    def plan(self, request, method, streamed):
        """(the parts of the answer, its usage)"""
        texts = pieces_of_text({"serial": self.truth.next()})
        names = [f.name for t in request.tools for f in t.function_declarations]
        if any("function_response" in p for c in request.contents for p in c.parts):
            names = []
        model, counted = request.model.rpartition("models/")[2], (1200, len(texts) + THOUGHTS)
        text, tools = ("", [(names[0], ARGUMENTS)]) if names else ("".join(texts), [])
        self.truth.tell(f"/{SERVICE}/{method}", "gemini", model, streamed, text, tools, counted)
        usage = google.GenerateContentResponse.UsageMetadata(
            prompt_token_count=1200,
            cached_content_token_count=1000,
            candidates_token_count=len(texts),
            thoughts_token_count=THOUGHTS,
            total_token_count=1200 + len(texts) + THOUGHTS,
        )
        if names:
            return [google.Part(function_call=google.FunctionCall(name=names[0], args=ARGUMENTS))], usage, model
        return [google.Part(text=t) for t in (texts if streamed else [text])], usage, model

    @staticmethod
    def body(part, usage, model, is_last):
        reason = google.Candidate.FinishReason.STOP if is_last else google.Candidate.FinishReason.FINISH_REASON_UNSPECIFIED
        content = google.Content(role="model", parts=[part])
        candidate = google.Candidate(index=0, content=content, finish_reason=reason)
        return google.GenerateContentResponse(candidates=[candidate], usage_metadata=usage, model_version=model)

    def whole(self, request, context):
        parts, usage, model = self.plan(request, "GenerateContent", False)
        return self.body(parts[0], usage, model, True)

    def stream(self, request, context):
        parts, usage, model = self.plan(request, "StreamGenerateContent", True)
        for i, part in enumerate(parts):
            yield self.body(part, usage, model, i == len(parts) - 1)

    def add(self, server):
        codec = {
            "request_deserializer": google.GenerateContentRequest.deserialize,
            "response_serializer": google.GenerateContentResponse.serialize,
        }
        handlers = {
            "GenerateContent": grpc.unary_unary_rpc_method_handler(self.whole, **codec),
            "StreamGenerateContent": grpc.unary_stream_rpc_method_handler(self.stream, **codec),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


if __name__ == "__main__":
    grpc_side.serve(lambda truth, server: Gemini(truth).add(server), __doc__)
