import { describe, expect, test } from "vitest";
import type { Asked, Kube, Manifest, Passed, Target } from "#core/context.ts";
import { configMap, kindOf, space, type Subject } from "./subject.ts";

const rbac = "rbac.authorization.k8s.io/v1";
const limitMs = 20_000;

/** Raw requests, and questions about rights. */
export function passing(subject: Subject): void {
  const ask = async (kube: Kube, asked: Partial<Asked> & { path: string }): Promise<Passed> =>
    await kube.pass({ method: "GET", headers: {}, signal: AbortSignal.timeout(limitMs), ...asked });
  const textOf = async ({ body }: Passed): Promise<string> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  };
  const sending = (manifest: Manifest): Pick<Asked, "method" | "headers" | "body"> => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(manifest)),
  });

  /** An account that may read config maps and logs in one namespace, and a token of it. */
  const reader = async (namespace: string): Promise<Target> => {
    const role = { apiVersion: rbac, metadata: { name: "reader", namespace } };
    const rules = [{ apiGroups: [""], resources: ["configmaps", "pods/log"], verbs: ["get", "list", "watch"] }];
    const account = { kind: "ServiceAccount", name: "ada", namespace };
    await subject.api.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "ada", namespace } });
    await subject.api.create({ ...role, kind: "Role", rules });
    await subject.api.create({
      ...role,
      kind: "RoleBinding",
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
      subjects: [account],
    });
    const { token } = await subject.api.token(account, { seconds: 600 });
    return { ...subject.admin, user: { token } };
  };

  describe("a raw request", () => {
    test("is answered as it is, the failures too", async () => {
      const namespace = await space(subject.api);
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      const made = await ask(subject.api, { path, ...sending(configMap(namespace, "one", { a: "1" })) });
      expect([made.status, made.headers["content-type"]]).toEqual([201, "application/json"]);
      expect(JSON.parse(await textOf(made))).toMatchObject({ kind: "ConfigMap", data: { a: "1" } });
      const missing = await ask(subject.api, { path: `${path}/two` });
      expect(missing.status).toBe(404);
      expect(JSON.parse(await textOf(missing))).toMatchObject({ kind: "Status", status: "Failure", code: 404 });
      const removed = await ask(subject.api, { method: "DELETE", path: `${path}/one` });
      expect([removed.status, JSON.parse(await textOf(removed))]).toMatchObject([200, { kind: "Status" }]);
      const version = await ask(subject.api, { path: "/version" });
      expect(JSON.parse(await textOf(version))).toMatchObject({ gitVersion: await subject.api.version() });
    });

    test("is its own user's and nobody else's, whatever its headers say", async () => {
      const namespace = await space(subject.api);
      const ada = subject.kube(await reader(namespace));
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      const headers = {
        authorization: "Bearer nobody",
        "impersonate-user": "system:admin",
        "impersonate-group": "system:masters",
        "x-remote-user": "system:admin",
        "x-remote-group": "system:masters",
      };
      const own = await ask(ada, { path, headers });
      expect([own.status, JSON.parse(await textOf(own))]).toMatchObject([200, { kind: "ConfigMapList" }]);
      const beyond = await ask(ada, { path: "/api/v1/namespaces/kube-system/secrets", headers });
      expect(beyond.status).toBe(403);
      expect(JSON.parse(await textOf(beyond))).toMatchObject({ kind: "Status", reason: "Forbidden" });
      const write = await ask(ada, { path, ...sending(configMap(namespace, "one", {})) });
      expect(write.status).toBe(403);
      await textOf(write);
    });

    test("may have a large body and a large answer", async () => {
      const namespace = await space(subject.api);
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      const word = "x".repeat(900_000);
      for (const name of ["one", "two"]) {
        const made = await ask(subject.api, { path, ...sending(configMap(namespace, name, { word })) });
        expect(made.status).toBe(201);
        await textOf(made);
      }
      expect((await textOf(await ask(subject.api, { path }))).length).toBeGreaterThan(1_800_000);
    });

    test("streams a watch as it comes, and its signal ends it", async () => {
      const namespace = await space(subject.api);
      const { resourceVersion } = await subject.api.list({ apiVersion: "v1", kind: "ConfigMap", namespace });
      const stop = new AbortController();
      const path = `/api/v1/namespaces/${namespace}/configmaps?watch=true&resourceVersion=${resourceVersion}`;
      const { status, headers, body } = await ask(subject.api, { path, signal: stop.signal });
      expect([status, headers["content-type"]]).toEqual([200, "application/json"]);
      const pieces = body[Symbol.asyncIterator]();
      await subject.api.create(configMap(namespace, "one", {}));
      const first = Buffer.from((await pieces.next()).value as Uint8Array).toString();
      expect(JSON.parse(first.split("\n")[0] ?? "")).toMatchObject({ type: "ADDED", object: { kind: "ConfigMap" } });
      const rest = (async (): Promise<void> => {
        for (;;) if ((await pieces.next()).done === true) return;
      })();
      stop.abort();
      expect(await kindOf(rest)).toBe("unavailable");
    });

    test("streams a watch to the end of the time that it asks for", async () => {
      const namespace = await space(subject.api);
      const { resourceVersion } = await subject.api.list({ apiVersion: "v1", kind: "ConfigMap", namespace });
      const query = `watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`;
      const passed = await ask(subject.api, { path: `/api/v1/namespaces/${namespace}/configmaps?${query}` });
      expect(await textOf(passed)).toBe("");
    });

    test("gets no answer from nobody, and none when it was given up before", async () => {
      const given = ask(subject.api, { path: "/version", signal: AbortSignal.abort() });
      expect(await kindOf(given)).toBe("unavailable");
      const stranger = subject.kube({ ...subject.admin, user: { token: "nobody" } });
      const { status, body } = await ask(stranger, { path: "/version" });
      expect(status).toBe(401);
      for await (const _ of body);
    });
  });

  describe("a question about rights", () => {
    const attributes = (namespace: string, verb: string, resource = "configmaps") => ({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { namespace, verb, group: "", resource } },
    });

    test("is answered for who asks, by the server's own bindings", async () => {
      const namespace = await space(subject.api);
      const ada = subject.kube(await reader(namespace));
      const may = async (kube: Kube, verb: string, resource?: string): Promise<unknown> =>
        (await kube.review(attributes(namespace, verb, resource)))["status"];
      expect(await may(ada, "watch")).toMatchObject({ allowed: true });
      expect(await may(ada, "delete")).toMatchObject({ allowed: false });
      expect(await may(ada, "get", "secrets")).toMatchObject({ allowed: false });
      expect(await may(subject.api, "delete")).toMatchObject({ allowed: true });
      const elsewhere = { ...attributes("default", "get") };
      expect((await ada.review(elsewhere))["status"]).toMatchObject({ allowed: false });
    });

    test("lists the rules that hold in a namespace", async () => {
      const namespace = await space(subject.api);
      const ada = subject.kube(await reader(namespace));
      const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace } };
      const { status } = (await ada.review(review)) as { status?: { resourceRules: { resources: string[] }[] } };
      expect(status?.resourceRules).toContainEqual(
        expect.objectContaining({ resources: ["configmaps", "pods/log"], verbs: ["get", "list", "watch"] }),
      );
      const stranger = subject.kube({ ...subject.admin, user: { token: "nobody" } });
      expect(await kindOf(stranger.review(review))).toBe("unauthorized");
    });
  });
}
