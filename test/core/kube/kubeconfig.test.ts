import { beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { Fault } from "#core/error.ts";
import { parseKubeconfig } from "#core/kube/index.ts";
import { authority, kubeconfig, leaf, type Pair } from "#core/pki/index.ts";

const now = "2026-01-01T00:00:00Z";
let ca: Pair;
let user: Pair;
let other: Pair;
beforeAll(async () => {
  ca = await authority({ commonName: "ca", days: 1, now });
  user = await leaf(ca, { commonName: "ada", usage: "client", days: 1, now });
  other = await leaf(ca, { commonName: "bob", usage: "client", days: 1, now });
});
const base64 = (text: string): string => Buffer.from(text).toString("base64");

type Fields = Record<string, unknown>;
/** A kubeconfig as kubectl would write it, with changes. */
const text = (change: { top?: Fields; cluster?: Fields; user?: Fields; context?: Fields } = {}): string =>
  stringify({
    apiVersion: "v1",
    kind: "Config",
    preferences: {},
    clusters: [
      {
        name: "c",
        cluster: {
          server: "https://10.0.0.1:6443",
          "certificate-authority-data": base64(ca.certificate),
          ...change.cluster,
        },
      },
    ],
    users: [{ name: "u", user: change.user ?? { token: "abc" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "default", ...change.context } }],
    "current-context": "x",
    ...change.top,
  });

/** The fields that are named as wrong. */
function wrong(config: string): string[] {
  try {
    parseKubeconfig(config);
  } catch (error) {
    if (error instanceof Fault && error.kind === "invalid") return error.errors.map(({ field }) => field);
    throw error;
  }
  return [];
}

describe("a kubeconfig", () => {
  test("with a token, or a certificate and its key, becomes a target", () => {
    const target = { server: "https://10.0.0.1:6443", authority: ca.certificate };
    expect(parseKubeconfig(text())).toEqual({ ...target, user: { token: "abc" } });
    const data = { "client-certificate-data": base64(user.certificate), "client-key-data": base64(user.key) };
    const named = text({ user: data, cluster: { "tls-server-name": "berth.test" } });
    const identity = { certificate: user.certificate, key: user.key };
    expect(parseKubeconfig(named)).toEqual({ ...target, serverName: "berth.test", user: identity });
  });

  test("of our own making is taken", () => {
    const made = kubeconfig({
      name: "berth",
      server: "https://10.0.0.1:6443",
      authority: ca.certificate,
      serverName: "berth.test",
      user: { certificate: user.certificate, key: user.key },
    });
    expect(parseKubeconfig(made)).toMatchObject({ server: "https://10.0.0.1:6443", serverName: "berth.test" });
  });

  test.each([
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.170.2:443",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[fe80::1]",
    "0.0.0.0",
    "[::]",
    "[ff02::1]",
    "224.0.0.1",
    "255.255.255.255",
    "[fd00:ec2::254]",
  ])("never leads to an address that belongs to the machine which asks, or to nobody: %s", (host) => {
    expect(wrong(text({ cluster: { server: `https://${host}` } }))).toEqual(["clusters.0.cluster.server"]);
  });

  test("names its server in one way", () => {
    const server = (url: string): string => parseKubeconfig(text({ cluster: { server: url } })).server;
    expect(server("https://Host.test")).toBe("https://host.test:443");
    expect(server("https://10.0.0.1:6443/")).toBe("https://10.0.0.1:6443");
    expect(server("https://[fd00::1]:6443")).toBe("https://[fd00::1]:6443");
  });

  test.each([
    ["exec", { exec: { command: "aws" } }],
    ["auth-provider", { "auth-provider": { name: "gcp" } }],
    ["tokenFile", { token: "abc", tokenFile: "/token" }],
    ["client-certificate", { "client-certificate": "/a.crt" }],
    ["client-key", { "client-key": "/a.key" }],
    ["username", { username: "ada" }],
    ["password", { password: "secret" }],
    ["as", { token: "abc", as: "root" }],
    ["as-groups", { token: "abc", "as-groups": ["system:masters"] }],
    ["token", { token: "two words" }],
    ["token", { token: "a\r\nb" }],
    ["client-certificate-data", { "client-certificate-data": "%%%" }],
  ])("whose user has %s is refused by that name", (field, fields) => {
    expect(wrong(text({ user: fields }))).toContain(`users.0.user.${field}`);
  });

  test.each([
    ["certificate-authority", { "certificate-authority": "/ca.crt" }],
    ["proxy-url", { "proxy-url": "http://10.0.0.2" }],
    ["insecure-skip-tls-verify", { "insecure-skip-tls-verify": true }],
    ["extensions", { extensions: [] }],
    ["certificate-authority-data", { "certificate-authority-data": base64("no certificate") }],
    ["certificate-authority-data", { "certificate-authority-data": undefined }],
    ["server", { server: "http://10.0.0.1:6443" }],
    ["server", { server: "https://ada:pw@10.0.0.1:6443" }],
    ["server", { server: "https://10.0.0.1:6443/path" }],
    ["server", { server: "https://10.0.0.1:6443?a=b" }],
    ["server", { server: "10.0.0.1:6443" }],
    ["tls-server-name", { "tls-server-name": "a b" }],
  ])("whose cluster has a wrong %s is refused by that name", (field, fields) => {
    expect(wrong(text({ cluster: fields }))).toContain(`clusters.0.cluster.${field}`);
  });

  test("is refused for a stranger in any entry, the unused ones too, and all faults are told at once", () => {
    const config = parse(text()) as { users: unknown[] };
    config.users.push({ name: "v", user: { token: "x", exec: {}, tokenFile: "/x" } });
    expect(wrong(stringify({ ...config, extra: 1 }))).toEqual(["users.1.user.exec", "users.1.user.tokenFile", "extra"]);
  });

  test("needs one identity, whole and fitting", () => {
    const certificate = { "client-certificate-data": base64(user.certificate) };
    const key = { "client-key-data": base64(user.key) };
    for (const fields of [{}, certificate, key, { token: "abc", ...certificate, ...key }]) {
      expect(wrong(text({ user: fields }))).toEqual(["users.0.user"]);
    }
    const another = { ...certificate, "client-key-data": base64(other.key) };
    expect(wrong(text({ user: another }))).toEqual(["users.0.user.client-key-data"]);
  });

  test("needs a current context that names what is there", () => {
    expect(wrong(text({ top: { "current-context": "y" } }))).toEqual(["current-context"]);
    expect(wrong(text({ top: { "current-context": undefined } }))).toEqual(["current-context"]);
    expect(wrong(text({ context: { user: "v" } }))).toEqual(["contexts.user"]);
    expect(wrong(text({ context: { cluster: "d" } }))).toEqual(["contexts.cluster"]);
  });

  test("that is no YAML document is refused without being quoted", () => {
    const bombs = [
      "a: &a [x]\nb: &b [*a,*a]\n".repeat(2),
      "token: 'hunter2",
      "- hunter2",
      "hunter2",
      "",
      "a: 1\n---\nb: 2",
    ];
    for (const bad of bombs) {
      const fault = ((): unknown => {
        try {
          return parseKubeconfig(bad);
        } catch (error) {
          return error;
        }
      })();
      expect(fault).toMatchObject({ kind: "invalid" });
      expect((fault as Fault).cause).toBeUndefined();
      expect(JSON.stringify([(fault as Fault).message, (fault as Fault).errors])).not.toContain("hunter2");
    }
  });

  test("that is refused is never quoted", () => {
    const config = text({ user: { token: "hunter2 hunter2", password: "hunter2" }, cluster: { server: "hunter2" } });
    const errors = ((): unknown => {
      try {
        return parseKubeconfig(config);
      } catch (error) {
        return (error as Fault).errors;
      }
    })();
    expect(JSON.stringify(errors)).not.toContain("hunter2");
  });
});
