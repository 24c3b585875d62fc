# SPDX-License-Identifier: Apache-2.0
"""What OpenAI's SDK does beside chatting: openai_beside.py URL, where URL/x/case=NAME is answered by the script's NAME."""

import io
import sys
import warnings

import openai

warnings.simplefilter("ignore")  # some of it is deprecated, and spoken all the same


def client(case):
    return openai.OpenAI(base_url=f"{sys.argv[1]}/x/case={case}/v1", api_key="sk-x", max_retries=0)


def sound():
    file = io.BytesIO(b"RIFF" + bytes(range(256)) * 64)
    file.name = "said.wav"
    return file


client("speech").audio.speech.create(model="tts-x", input="Hi", voice="alloy").read()
client("words").audio.transcriptions.create(model="whisper-x", file=sound())
client("srt").audio.transcriptions.create(model="whisper-x", file=sound(), response_format="srt")
list(client("pieces").audio.transcriptions.create(model="gpt-x", file=sound(), stream=True))
client("picture").images.edit(model="gpt-image-x", image=sound(), prompt="Blue")
client("fetched").responses.retrieve("resp_1")
client("compact").responses.compact(model="m", input="long")
with client("run").beta.threads.create_and_run_stream(assistant_id="asst_1") as stream:
    stream.until_done()
client("cancel").responses.cancel("resp_1")
client("batch").batches.create(input_file_id="file-1", endpoint="/v1/responses", completion_window="24h")
print("done")
