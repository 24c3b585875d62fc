// SPDX-License-Identifier: Apache-2.0
// A client of tools with the JavaScript SDK of MCP: mcp_client.mjs COMMAND ARGUMENT... NODE_DIR: where the packages are.
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_DIR + "/");
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "asks", version: "1" });
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
await client.listTools();
const sum = await client.callTool({ name: "add", arguments: { a: 40, b: 2 } });
if (sum.content[0].text !== "42") throw new Error(JSON.stringify(sum));
const failed = await client.callTool({ name: "fail", arguments: { why: "no such sum" } });
if (!failed.isError) throw new Error(JSON.stringify(failed));
await client.readResource({ uri: "note://today" });
await client.close();
