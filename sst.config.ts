/// <reference path="./.sst/platform/config.d.ts" />

// The whole cloud on one page. `docs/deploy.md` says how it is used; test/cloud holds its graph.
export default $config({
  app: (input) => ({
    name: "berth",
    home: "aws",
    removal: input?.stage === "production" ? "retain" : "remove",
    protect: input?.stage === "production",
  }),
  async run() {
    const { BERTH_DOMAIN: domain, BERTH_SUBNETS: subnets, BERTH_GROUPS: groups, BERTH_ALARMS: topic } = process.env;
    // Where identity providers may be that are not at a public address, separated by commas; nowhere unless said.
    const privateIssuers = process.env["BERTH_PRIVATE_ISSUERS"] ?? "";
    const kept = $app.stage === "production";
    // Each stage has a table of its own, so the platform's own tenant may have the same id in all.
    const tenant = "tnt_00000000000000000000000000";

    // Stores. PITR is on by default; indexes are sparse, because most rows lack their keys (core/table/layout.ts).
    const rows = new sst.aws.Dynamo("Data", {
      fields: { pk: "string", sk: "string", dueKey: "string", dueAt: "string", hostKey: "string", lapKey: "string" },
      primaryIndex: { hashKey: "pk", rangeKey: "sk" },
      globalIndexes: {
        due: { hashKey: "dueKey", rangeKey: "dueAt", projection: "keys-only" },
        lap: { hashKey: "hostKey", rangeKey: "lapKey", projection: ["sight"] },
      },
      ttl: "ttl",
      stream: "new-and-old-images",
      deletionProtection: kept,
    });
    const dead = new sst.aws.Queue("Dead", { transform: { queue: { messageRetentionSeconds: 1_209_600 } } });
    // Standard, never FIFO: bodies repeat, and deduplication would swallow pokes. 6 times the function's minute.
    const jobs = new sst.aws.Queue("Jobs", { visibilityTimeout: "6 minutes", dlq: { queue: dead.arn, retry: 5 } });
    const key = new aws.kms.Key(
      "Key",
      { description: "Seals secrets", enableKeyRotation: true, deletionWindowInDays: 30 },
      { retainOnDelete: kept },
    );

    const router = new sst.aws.Router("Router", {
      ...(domain ? { domain } : {}),
      // Signing by the edge would take over the Authorization header, which is our callers'.
      protection: "none",
      transform: {
        // The default policy would keep answers without regard to who asked: nothing of the API is ever kept.
        cdn: (args) => {
          args.orderedCacheBehaviors = $output(args.defaultCacheBehavior).apply((behavior) =>
            ["/v1/*", "/oidc/*"].map((pathPattern) => ({
              ...behavior,
              pathPattern,
              cachePolicyId: "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
              compress: false,
            })),
          );
        },
      },
    });

    // Where all is: one link without a right, for everyone. The rights are doors of their own, as linking the
    // components themselves would give `dynamodb:*` and `sqs:*`.
    const where = { tenant, url: router.url, table: rows.name, jobs: jobs.url, dead: dead.url, key: key.arn };
    const properties = { ...where, privateIssuers };
    const home = new sst.Linkable("Home", { properties });
    type Statement = Parameters<typeof sst.aws.permission>[0];
    const door = (name: string, statement: Statement) =>
      new sst.Linkable(name, { properties: {}, include: [sst.aws.permission(statement)] });
    const actions = (service: string, ...names: string[]) => names.map((name) => `${service}:${name}`);
    const all = [rows.arn, $interpolate`${rows.arn}/index/*`];
    const read = door("Read", { actions: actions("dynamodb", "GetItem", "BatchGetItem", "Query"), resources: all });
    const write = door("Write", {
      actions: actions("dynamodb", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"),
      resources: [rows.arn],
    });
    // Sweep and lap write what they saw of hosts on the hosts' own rows, and nothing else.
    const mark = door("Mark", {
      actions: ["dynamodb:UpdateItem"],
      resources: [rows.arn],
      conditions: [{ test: "ForAllValues:StringEquals", variable: "dynamodb:LeadingKeys", values: [`${tenant}/host`] }],
    });
    // The lap says in a tenant's audit what it cleared away.
    const record = door("Record", {
      actions: ["dynamodb:PutItem"],
      resources: [rows.arn],
      conditions: [{ test: "ForAllValues:StringLike", variable: "dynamodb:LeadingKeys", values: ["tnt_*/audit"] }],
    });
    // The sealer moves entries into digests, and writes no row of anyone else's.
    const chain = door("Chain", {
      actions: actions("dynamodb", "PutItem", "UpdateItem"),
      resources: [rows.arn],
      conditions: [
        {
          test: "ForAllValues:StringLike",
          variable: "dynamodb:LeadingKeys",
          values: [
            ...["audit", "digest", "digestHead"].map((kind) => `tnt_*/${kind}`),
            ...["auditKey", "auditSigner"].map((kind) => `${tenant}/${kind}`),
          ],
        },
      ],
    });
    const poke = door("Poke", { actions: ["sqs:SendMessage"], resources: [jobs.arn] });
    const bury = door("Bury", { actions: ["sqs:SendMessage"], resources: [dead.arn] });
    const letters = door("Letters", {
      actions: actions("sqs", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
      resources: [dead.arn],
    });
    // A secret is sealed for a tenant, a cluster and a name, which the key service holds us to.
    const cipher = (name: string, allowed: string[], bound?: { variable: string; value: string }) =>
      door(name, {
        actions: actions("kms", ...allowed),
        resources: [key.arn],
        conditions: [
          { test: "Null", variable: "kms:EncryptionContext:tenant", values: ["false"] },
          ...(bound
            ? [{ test: "StringEquals", variable: `kms:EncryptionContext:${bound.variable}`, values: [bound.value] }]
            : []),
        ],
      });
    const seal = cipher("Seal", ["GenerateDataKey", "Decrypt"]);
    const unseal = cipher("Unseal", ["Decrypt"]);
    const unsealHosts = cipher("UnsealHosts", ["Decrypt"], { variable: "name", value: "target" });
    const sealAudit = cipher("SealAudit", ["GenerateDataKey", "Decrypt"], { variable: "cluster", value: "audit" });

    // Functions. Those that speak to hosts may stand in a VPC that reaches them.
    const base = {
      runtime: "nodejs24.x",
      architecture: "arm64",
      memory: "1024 MB",
      logging: { format: "json", retention: "1 month" },
      // What a route rarely needs is a file of its own, loaded at first need. Nothing of ours asks for a class's name.
      nodejs: { splitting: true, plugins: "functions/bundle.mjs", esbuild: { keepNames: false } },
    } satisfies Omit<sst.aws.FunctionArgs, "handler">;
    const inside: Pick<sst.aws.FunctionArgs, "vpc"> =
      subnets && groups ? { vpc: { privateSubnets: subnets.split(","), securityGroups: groups.split(",") } } : {};
    const http = { ...base, streaming: true, timeout: "15 minutes" } satisfies Omit<sst.aws.FunctionArgs, "handler">;

    const api = new sst.aws.Function("Api", {
      ...http,
      handler: "functions/api/handler.main",
      link: [home, read, write, poke, letters],
      url: { cors: false },
    });
    const access = new sst.aws.Function("Access", {
      ...http,
      ...inside,
      handler: "functions/access/handler.main",
      link: [home, read, write, poke, seal],
      url: { cors: false },
    });
    // The table of functions/doors.ts. Not `url.router`: a function takes one path there, and its `url` is then the
    // router's own, so that a second route to it would lead back to the router.
    const routes = { "/v1": api, "/oidc": api, "/v1/kube": access, "/v1/home/hosts": access };
    for (const [path, { url }] of Object.entries(routes)) router.route(path, url, { readTimeout: "60 seconds" });

    // What is at no path of the API. Of one origin with it, so that cookies will be first-party.
    new sst.aws.StaticSite("Web", { path: "web", router: { instance: router } });

    const worker = jobs.subscribe(
      {
        ...base,
        ...inside,
        handler: "functions/queue/handler.main",
        timeout: "1 minute",
        link: [home, read, write, poke, bury, seal],
      },
      {
        batch: { size: 1, partialResponses: true },
        transform: { eventSourceMapping: { scalingConfig: { maximumConcurrency: 16 } } },
      },
    );

    type Clock = { every: string; link: sst.Linkable<object>[]; inside?: boolean };
    const clocks: Record<string, Clock> = {
      Sweep: { every: "1 minute", link: [home, read, mark, poke, unsealHosts], inside: true },
      Lap: { every: "10 minutes", link: [home, read, mark, record, poke, unsealHosts], inside: true },
      Round: { every: "30 minutes", link: [home, read, poke, unseal], inside: true },
      Digest: { every: "1 minute", link: [home, read, chain, sealAudit] },
    };
    const crons = Object.entries(clocks).map(([name, { every, link, inside: reaches }]) => {
      const cron = new sst.aws.CronV2(name, {
        schedule: `rate(${every})`,
        timezone: "UTC",
        retries: 0,
        function: {
          ...base,
          ...(reaches ? inside : {}),
          handler: `functions/cron/${name.toLowerCase()}.main`,
          timeout: "50 seconds",
          // The next beat is the retry; without this Lambda would also repeat by itself.
          retries: 0,
          link,
        },
      });
      return [name, cron.nodes.function.name] as const;
    });

    // Invoked by hand, once, for the first staff token.
    const bootstrap = new sst.aws.Function("Bootstrap", {
      ...base,
      handler: "functions/bootstrap/handler.main",
      timeout: "30 seconds",
      link: [home, read, write],
    });

    // Alarms. They tell a topic of yours where one is named.
    const alarm = (name: string, what: Partial<aws.cloudwatch.MetricAlarmArgs>) =>
      new aws.cloudwatch.MetricAlarm(name, {
        comparisonOperator: "GreaterThanThreshold",
        evaluationPeriods: 1,
        period: 60,
        statistic: "Maximum",
        threshold: 0,
        treatMissingData: "notBreaching",
        alarmActions: topic ? [topic] : [],
        ...what,
      });
    const sqs = { namespace: "AWS/SQS" };
    const deadName = { dimensions: { QueueName: dead.nodes.queue.name } };
    alarm("DeadLetters", { ...sqs, ...deadName, metricName: "ApproximateNumberOfMessagesVisible" });
    const jobsName = { dimensions: { QueueName: jobs.nodes.queue.name } };
    const age = { ...sqs, ...jobsName, metricName: "ApproximateAgeOfOldestMessage" };
    alarm("QueueAge", { ...age, threshold: 300, evaluationPeriods: 3 });
    const ours = { namespace: "Berth", dimensions: { service: "berth" } };
    alarm("UnsealedAge", { ...ours, metricName: "UnsealedAge", threshold: 180 });
    alarm("Parked", { ...ours, metricName: "Parked" });
    const names = [
      ["Api", api.name],
      ["Access", access.name],
      ["Queue", worker.nodes.function.name],
      ...crons,
    ] as const;
    for (const [name, FunctionName] of names) {
      const on = { namespace: "AWS/Lambda", dimensions: { FunctionName }, statistic: "Sum" };
      alarm(`${name}Errors`, { ...on, metricName: "Errors" });
      alarm(`${name}Throttles`, { ...on, metricName: "Throttles" });
    }

    return { url: router.url, bootstrap: bootstrap.name };
  },
});
