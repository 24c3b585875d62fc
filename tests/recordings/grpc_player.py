#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Both ends of recorded gRPC calls: grpc_player.py serve JOBS | dial PORT JOBS

A job is {"path", "request", "answers", "streams", "gzip", "status", "message"} with messages in base64. No message is
understood here: what was recorded goes out as bytes. The number of a job travels in the call's metadata and comes back as
its x-request-id."""

import base64
import json
import sys
from concurrent import futures

import grpc

mode, jobs_path = sys.argv[1], sys.argv[-1]
with open(jobs_path) as f:
    jobs = json.load(f)
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def coding_of(job):
    return grpc.Compression.Gzip if job.get("gzip") else grpc.Compression.NoCompression


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        number = int(dict(details.invocation_metadata)["case"])
        job = jobs[number]

        def answers(request, context):
            if request != base64.b64decode(job["request"]):
                context.abort(grpc.StatusCode.INTERNAL, "not the recorded request")
            context.set_compression(coding_of(job))
            context.send_initial_metadata((("x-request-id", f"case-{number}"),))
            for answer in job["answers"]:
                yield base64.b64decode(answer)
            if job.get("status"):
                context.abort(grpc.StatusCode[job["status"]], job["message"])

        if job["streams"]:
            return grpc.unary_stream_rpc_method_handler(answers)
        return grpc.unary_unary_rpc_method_handler(lambda request, context: next(answers(request, context), b""))


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(8), (Handler(),), options=OPTIONS)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


def call(channel, number, job):
    request, metadata = base64.b64decode(job["request"]), (("case", str(number)), ("authorization", "Bearer xai-recorded"))
    options = {"metadata": metadata, "compression": coding_of(job), "timeout": 30}
    wanted = [base64.b64decode(a) for a in job["answers"]]
    try:
        if job["streams"]:
            got = list(channel.unary_stream(job["path"])(request, **options))
        else:
            got = [channel.unary_unary(job["path"])(request, **options)]
        return got == wanted
    except grpc.RpcError as error:
        return error.code().name == job.get("status") and error.details() == job["message"]


def dial():
    with grpc.insecure_channel(f"127.0.0.1:{sys.argv[2]}", options=OPTIONS) as channel:
        if any(job.get("together") for job in jobs):
            with futures.ThreadPoolExecutor(len(jobs)) as pool:
                good = list(pool.map(lambda pair: call(channel, *pair), enumerate(jobs)))
        else:
            good = [call(channel, number, job) for number, job in enumerate(jobs)]
    sys.exit(0 if all(good) else 1)


serve() if mode == "serve" else dial()
