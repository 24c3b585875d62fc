// SPDX-License-Identifier: Apache-2.0
// A server of tools with the JavaScript SDK of MCP, on its standard input and output. NODE_DIR: where the packages are.
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_DIR + "/");
const { McpServer } = require("@modelcontextprotocol/sdk/server/mcp.js");
const { StdioServerTransport } = require("@modelcontextprotocol/sdk/server/stdio.js");
const { z } = require("zod");

const server = new McpServer({ name: "sums", version: "1" });
server.registerTool("add", { description: "Adds", inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
  content: [{ type: "text", text: String(a + b) }],
}));
server.registerTool("fail", { description: "Fails", inputSchema: { why: z.string() } }, ({ why }) => {
  throw new Error(why);
});
server.registerResource("note", "note://today", {}, (uri) => ({ contents: [{ uri: uri.href, text: "buy bread" }] }));
await server.connect(new StdioServerTransport());
