# SPDX-License-Identifier: Apache-2.0
"""A server of tools with the Python SDK of MCP: mcp_server.py stdio | streamable-http PORT | sse PORT"""

import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("sums", instructions="adds")


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def fail(why: str) -> str:
    """Never works."""
    raise ValueError(why)


@server.resource("note://today")
def note() -> str:
    return "buy bread"


if __name__ == "__main__":
    transport = sys.argv[1]
    server.run(transport, **({"port": int(sys.argv[2])} if transport != "stdio" else {}))
