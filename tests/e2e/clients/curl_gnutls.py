#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Questions by a libcurl that is built on GnuTLS, each on a connection of its own, one after the other.

curl_gnutls.py LIBRARY CA [URL FILE]…      FILE: the question
"""

import ctypes
import hashlib
import json
import sys

URL, CAINFO, POSTFIELDS, POSTFIELDSIZE, HTTPHEADER, WRITEFUNCTION = 10002, 10065, 10015, 60, 10023, 20011
FORBID_REUSE, NOPROXY, TIMEOUT, HTTP_VERSION = 75, 10177, 13, 84
GLOBAL_ALL, HTTP_2_OVER_TLS = 3, 4

lib = ctypes.CDLL(sys.argv[1])
lib.curl_easy_init.restype = lib.curl_slist_append.restype = ctypes.c_void_p
lib.curl_easy_strerror.restype = ctypes.c_char_p
assert lib.curl_global_init(ctypes.c_long(GLOBAL_ALL)) == 0
curl = ctypes.c_void_p(lib.curl_easy_init())
headers = ctypes.c_void_p(lib.curl_slist_append(None, b"Content-Type: application/json"))


def option(number, value):
    assert lib.curl_easy_setopt(curl, number, ctypes.c_long(value) if isinstance(value, int) else value) == 0, number


@ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)
def take(data, size, count, _):
    answer.extend(ctypes.string_at(data, size * count))
    return size * count


option(CAINFO, sys.argv[2].encode())
option(NOPROXY, b"*")
option(FORBID_REUSE, 1)
option(TIMEOUT, 60)
option(HTTPHEADER, headers)
option(WRITEFUNCTION, take)
option(HTTP_VERSION, HTTP_2_OVER_TLS)
for url, path in zip(sys.argv[3::2], sys.argv[4::2]):
    with open(path, "rb") as f:
        body = f.read()
    answer = bytearray()
    option(URL, url.encode())
    option(POSTFIELDS, body)
    option(POSTFIELDSIZE, len(body))
    result = lib.curl_easy_perform(curl)
    if result:
        sys.exit(lib.curl_easy_strerror(result).decode())
    print(json.dumps({"url": url, "bytes": len(answer), "sha": hashlib.sha256(answer).hexdigest()}))
lib.curl_easy_cleanup(curl)
