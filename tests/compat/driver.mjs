// The TypeScript SDK's client, told what to do in lines of JSON: {method, params} in, a result out.
//   node driver.mjs FOLDER sdk|client legacy|2026-07-28 '{"url": ...} or {"command": ..., ...}'
// `sdk` is the first generation (one package), `client` the second. FOLDER has node_modules.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [folder, generation, era, words] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const target = JSON.parse(words);

function load() {
  const name = `@modelcontextprotocol/${generation}`;
  if (generation === "client") return { ...require(name), ...require(`${name}/stdio`) };
  return {
    ...require(`${name}/client/index.js`),
    ...require(`${name}/client/stdio.js`),
    ...require(`${name}/client/streamableHttp.js`),
    elicitation: require(`${name}/types.js`).ElicitRequestSchema,
  };
}

const sdk = load();
const mode = era === "legacy" ? era : { pin: era };
const client = new sdk.Client(
  { name: "compat", version: "1" },
  { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode } },
);
let questions = [];
client.setRequestHandler(sdk.elicitation ?? "elicitation/create", async (request) => {
  questions.push(request.params.message);
  return { action: "accept", content: { confirm: true } };
});
await client.connect(
  target.url
    ? new sdk.StreamableHTTPClientTransport(new URL(target.url))
    : new sdk.StdioClientTransport({ ...target, stderr: "ignore" }),
);
const methods = {
  "tools/list": () => client.listTools(),
  "tools/call": (params) => client.callTool(params),
  "resources/read": (params) => client.readResource(params),
  "prompts/get": (params) => client.getPrompt(params),
};
for await (const line of createInterface({ input: process.stdin })) {
  const { method, params } = JSON.parse(line);
  const result = await methods[method](params);
  console.log(JSON.stringify({ result, questions }));
  questions = [];
}
await client.close();
