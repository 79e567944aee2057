// Runs sst.config.ts on SST's own components under Pulumi's mocks, and prints every resource that it would make.
// It is bundled by graph.ts with `platform` (what `sst install` brings) and `config` filled in, and runs by itself.
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { leakedPromises } from "@pulumi/pulumi/runtime/debuggable.js";

/** `root` is a folder of this run alone: what SST writes goes there, and the built functions are the empty `out`. */
const [stage = "", root = ""] = process.argv.slice(2);
const out = join(root, "out");
mkdirSync(out, { recursive: true });
const resources = [];
const builds = [];
let last = Date.now();

/** What SST's own program answers its components, where they ask. */
const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  const { method, params } = JSON.parse(text);
  const input = Array.isArray(params) ? params[0] : params;
  const answers = {
    "Provider.Aws.Bootstrap": { asset: "assets", state: "state", appsyncHttp: "a", appsyncRealtime: "b" },
    "Provider.Aws.Appsync": { http: "a", realtime: "b" },
    "Runtime.Build": { handler: input?.handler ?? "", out, errors: [], sourcemaps: [] },
  };
  if (method === "Runtime.Build") builds.push(input);
  response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result: answers[method] ?? {} }));
}).listen(0, "127.0.0.1");
await once(server, "listening");
process.env.SST_SERVER = `http://127.0.0.1:${server.address().port}`;

await pulumi.runtime.setMocks(
  {
    newResource({ type, name, inputs, id }) {
      last = Date.now();
      resources.push({ type, name, inputs });
      const arn = `arn:aws:mock:eu-central-1:123456789012:${type.split(/[:/]/)[1]}/${name}`;
      const url = type.includes("sqs/queue") ? `https://sqs.test/${name}` : undefined;
      const state = { ...inputs, arn, name: inputs.name ?? name, ...(url && { url }) };
      if (type.includes("functionUrl")) state.functionUrl = `https://${name.toLowerCase()}.lambda-url.test/`;
      if (type.includes("cloudfront/distribution")) state.domainName = "d111.cloudfront.test";
      return { id: id || `${name}-id`, state };
    },
    call({ token, inputs }) {
      last = Date.now();
      // Echoed: otherwise every role would come out empty.
      if (token.includes("getPolicyDocument")) return { ...inputs, json: JSON.stringify(inputs.statements ?? []) };
      if (token.includes("getCallerIdentity")) return { accountId: "123456789012" };
      if (token.includes("getRegion")) return { name: "eu-central-1", region: "eu-central-1", id: "eu-central-1" };
      if (token.includes("getPartition")) return { partition: "aws", id: "aws" };
      return { ...inputs };
    },
  },
  "berth",
  stage,
);

Object.assign(globalThis, {
  $app: { name: "berth", stage, removal: "remove", protect: false, providers: { aws: { region: "eu-central-1" } } },
  $dev: false,
  $cli: {
    command: "deploy",
    rpc: "",
    home: root,
    paths: { home: root, root, work: root, platform: `${root}/.sst/platform` },
    state: { version: {} },
  },
  $util: pulumi,
  $output: pulumi.output,
  $resolve: pulumi.all,
  $interpolate: pulumi.interpolate,
  $concat: pulumi.concat,
  $jsonParse: pulumi.jsonParse,
  $jsonStringify: pulumi.jsonStringify,
  $config: (given) => given,
});
const { $transform, $asset } = await import("platform/src/components/component.ts");
const { Link } = await import("platform/src/components/link.ts");
const { Linkable } = await import("platform/src/components/linkable.ts");
Object.assign(globalThis, { $transform, $asset, $linkable: Linkable.wrap, Link });
globalThis.aws = await import("@pulumi/aws");
globalThis.sst = await import("platform/src/components/index.ts");

const failures = [];
process.on("unhandledRejection", (error) => failures.push(String(error?.stack ?? error)));
const { default: config } = await import("config");
await config.run();
// Nothing says that the graph is whole. It is when every function was made of its component, nothing is awaited any
// more, and nothing new comes for a while.
const count = (type) => resources.filter((each) => each.type === type).length;
const made = () => count("aws:lambda/function:Function") === count("sst:aws:Function");
while (!made() || leakedPromises()[0].size > 0 || Date.now() - last < 1_500) {
  if (Date.now() - last > 60_000) throw new Error("the graph is not whole after a minute without anything new");
  await setTimeout(50);
}
process.stdout.write(JSON.stringify({ app: config.app({ stage }), resources, builds, failures }));
server.close();
process.exit(0);
