# SPDX-License-Identifier: Apache-2.0
"""A client of tools with the Python SDK of MCP: mcp_client.py MODE URL, or mcp_client.py MODE COMMAND ARGUMENT..."""

import asyncio
import sys

from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client


def server(words):
    if words[0].endswith("/sse"):
        return sse_client(words[0])
    if words[0].startswith("http"):
        return words[0]
    return StdioServerParameters(command=words[0], args=words[1:])


async def main():
    async with Client(server(sys.argv[2:]), mode=sys.argv[1]) as client:
        tools = await client.list_tools()
        assert {"add", "fail"} == {tool.name for tool in tools.tools}, tools
        result = await client.call_tool("add", {"a": 40, "b": 2})
        assert result.content[0].text == "42", result
        result = await client.call_tool("fail", {"why": "no such sum"})
        assert result.is_error, result
        note = await client.read_resource("note://today")
        assert note.contents[0].text == "buy bread", note


asyncio.run(main())
