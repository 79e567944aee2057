import { authority, expiry, leaf, type Pair, signer } from "#core/pki/index.ts";
import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

const now = "2030-01-02T03:04:05.000Z";
let root: Pair;
beforeAll(async () => {
  root = await authority({ commonName: "red ca", days: 3650, now });
});

/** What openssl, a stranger to our code, thinks of `pair` as a server or client at `at`. */
function openssl(pair: Pair, purpose: "sslserver" | "sslclient", trusted = root, at = now): string {
  const folder = mkdtempSync(join(tmpdir(), "pki-"));
  try {
    writeFileSync(join(folder, "ca.pem"), trusted.certificate);
    writeFileSync(join(folder, "leaf.pem"), pair.certificate);
    const seconds = String(Date.parse(at) / 1000);
    const args = ["verify", "-x509_strict", "-attime", seconds, "-purpose", purpose, "-CAfile", "ca.pem", "leaf.pem"];
    return execFileSync("openssl", args, { cwd: folder, encoding: "utf8", stdio: "pipe" }).trim();
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr ?? error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("an authority", () => {
  test("is a critical CA that openssl accepts as its own root", () => {
    const text = execFileSync("openssl", ["x509", "-noout", "-text"], { input: root.certificate, encoding: "utf8" });
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE/);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign/);
    expect(text).toContain("Subject Key Identifier");
    expect(new X509Certificate(root.certificate).checkPrivateKey(createPrivateKey(root.key))).toBe(true);
  });
  test("ends when it was told to and began five minutes ago", () => {
    expect(expiry(root.certificate)).toBe("2039-12-31T03:04:05.000Z");
    expect(new Date(new X509Certificate(root.certificate).validFrom).toISOString()).toBe("2030-01-02T02:59:05.000Z");
  });
  test("takes its serial number from the chance it is given", async () => {
    const random = (bytes: number) => new Uint8Array(bytes).fill(0xff);
    const { certificate } = await authority({ commonName: "x", days: 1, now, random });
    expect(new X509Certificate(certificate).serialNumber).toBe(`7F${"FF".repeat(15)}`);
  });
  test("is refused without a time or with no length", async () => {
    await expect(authority({ commonName: "x", days: 1, now: "soon" })).rejects.toThrow(RangeError);
    await expect(authority({ commonName: "x", days: 0, now })).rejects.toThrow(RangeError);
  });
});

describe("a leaf", () => {
  test("serves the names and addresses it was made for, and is no client", async () => {
    const pair = await leaf(root, {
      commonName: "kube-apiserver",
      dns: ["kubernetes", "*.red.example"],
      ips: ["10.96.0.1", "fd00::1"],
      usage: "server",
      now,
      days: 30,
    });
    const read = new X509Certificate(pair.certificate);
    expect(read.subjectAltName).toBe(
      "DNS:kubernetes, DNS:*.red.example, IP Address:10.96.0.1, IP Address:FD00:0:0:0:0:0:0:1",
    );
    expect(read.checkIP("10.96.0.1")).toBe("10.96.0.1");
    expect(read.checkIP("10.96.0.2")).toBeUndefined();
    expect(read.ca).toBe(false);
    expect(read.checkIssued(new X509Certificate(root.certificate))).toBe(true);
    expect(read.checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
    expect(openssl(pair, "sslserver")).toBe("leaf.pem: OK");
    expect(openssl(pair, "sslclient")).toContain("unsuitable certificate purpose");
  });
  test("carries user and groups as Kubernetes reads them", async () => {
    const organizations = ["system:nodes", "a, b=c"];
    const pair = await leaf(root, { commonName: "system:node:m1", organizations, usage: "client", now, days: 1 });
    expect(new X509Certificate(pair.certificate).subject).toBe("O=system:nodes\nO=a\\, b=c\nCN=system:node:m1");
    expect(openssl(pair, "sslclient")).toBe("leaf.pem: OK");
    expect(openssl(pair, "sslserver")).toContain("unsuitable certificate purpose");
  });
  test("of an etcd member is server and client", async () => {
    const pair = await leaf(root, { commonName: "etcd-0", dns: ["etcd-0.etcd"], usage: "both", now, days: 1 });
    expect(openssl(pair, "sslserver")).toBe("leaf.pem: OK");
    expect(openssl(pair, "sslclient")).toBe("leaf.pem: OK");
  });
  test("lasts the minutes it was given, and never longer than its authority", async () => {
    const user = { commonName: "ada", usage: "client", now } as const;
    const brief = await leaf(root, { ...user, minutes: 10 });
    expect(expiry(brief.certificate)).toBe("2030-01-02T03:14:05.000Z");
    expect(openssl(brief, "sslclient", root, "2030-01-02T03:15:00.000Z")).toContain("certificate has expired");
    const long = await leaf(root, { ...user, days: 36500 });
    expect(expiry(long.certificate)).toBe(expiry(root.certificate));
  });
  test("of one cluster is a stranger to another with the same name", async () => {
    const other = await authority({ commonName: "red ca", days: 1, now });
    const pair = await leaf(other, { commonName: "ada", usage: "client", now, days: 1 });
    expect(openssl(pair, "sslclient")).not.toContain("OK");
  });
  test("that serves nothing is refused", async () => {
    await expect(leaf(root, { commonName: "x", usage: "server", now, days: 1 })).rejects.toThrow(RangeError);
    await expect(leaf(root, { commonName: "x", usage: "client", now })).rejects.toThrow(RangeError);
  });
});

test("a signer is an RSA-2048 pair whose halves belong together", async () => {
  const { privateKey, publicKey } = await signer();
  expect(createPrivateKey(privateKey).asymmetricKeyDetails?.modulusLength).toBe(2048);
  const signature = sign("sha256", Buffer.from("token"), privateKey);
  expect(verify("sha256", Buffer.from("token"), createPublicKey(publicKey), signature)).toBe(true);
});
