import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Found } from "#core/context.ts";
import { gather, kindOf, refOf, space, type Subject } from "./subject.ts";

/** Who is let in. */
export function tokens(subject: Subject): void {
  describe("tokens", () => {
    const account = async (namespace: string): Promise<{ name: string; namespace: string }> => {
      await subject.api.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "ada", namespace } });
      return { name: "ada", namespace };
    };
    const secretIn = async (namespace: string): Promise<Found> =>
      await subject.api.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "session", namespace } });
    const as = (token: string): Promise<string> =>
      kindOf(subject.kube({ ...subject.admin, user: { token } }).list({ apiVersion: "v1", kind: "Node" }));

    test("make their bearer known, for as long as was asked", async () => {
      const namespace = await space(subject.api);
      const begun = Date.now();
      const { token, expiresAt } = await subject.api.token(await account(namespace), { seconds: 3_600 });
      expect(await as(token)).toBe("forbidden");
      expect(Math.abs(Date.parse(expiresAt) - begun - 3_600_000)).toBeLessThan(30_000);
    });

    test("of another audience are worth nothing here", async () => {
      const namespace = await space(subject.api);
      const options = { seconds: 3_600, audiences: ["https://elsewhere.test"] };
      expect(await as((await subject.api.token(await account(namespace), options)).token)).toBe("unauthorized");
    });

    test("bound to a Secret end with it", async () => {
      const namespace = await space(subject.api);
      const ada = await account(namespace);
      const secret = await secretIn(namespace);
      const options = { seconds: 3_600, secret: { name: "session", uid: secret.metadata.uid } };
      // Two of them, as a server keeps for ten seconds that it has met a token.
      const [one, two] = [await subject.api.token(ada, options), await subject.api.token(ada, options)];
      expect(one.token).not.toBe(two.token);
      expect(await as(one.token)).toBe("forbidden");
      await subject.api.remove(refOf(secret), secret.metadata);
      expect(await as(two.token)).toBe("unauthorized");
    });

    test("need their account, their Secret as it was seen, and ten minutes at least", async () => {
      const namespace = await space(subject.api);
      expect(await kindOf(subject.api.token({ name: "ada", namespace }, { seconds: 600 }))).toBe("missing");
      const ada = await account(namespace);
      expect(await kindOf(subject.api.token(ada, { seconds: 599 }))).toBe("invalid");
      const secret = { name: "session", uid: randomUUID() };
      expect(await kindOf(subject.api.token(ada, { seconds: 600, secret }))).toBe("missing");
      await secretIn(namespace);
      expect(await kindOf(subject.api.token(ada, { seconds: 600, secret }))).toBe("conflict");
    });
  });

  test("strangers are unauthorized, the weak are forbidden, and only they may know version and readiness", async () => {
    const stranger = subject.kube({ ...subject.admin, user: { token: "nobody" } });
    const weak = subject.kube(subject.weak);
    const ref = { apiVersion: "v1", kind: "Secret", name: "x", namespace: "default" };
    expect(await kindOf(stranger.get(ref))).toBe("unauthorized");
    expect(await kindOf(stranger.version())).toBe("unauthorized");
    expect(await stranger.ready(2_000)).toBe(false);
    expect(await kindOf(weak.get(ref))).toBe("forbidden");
    expect(await kindOf(weak.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "weak" } }))).toBe(
      "forbidden",
    );
    const options = { resourceVersion: "1", seconds: 1, signal: new AbortController().signal };
    expect(await kindOf(gather(weak.watch({ apiVersion: "v1", kind: "Node" }, options)))).toBe("forbidden");
    expect(await weak.ready(2_000)).toBe(true);
    expect(await weak.version()).toBe(await subject.api.version());
    expect(await subject.api.version()).toMatch(/^v1\.\d+\.\d+$/);
  });
}
