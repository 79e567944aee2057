import { kubeconfig } from "#core/pki/index.ts";
import { expect, test } from "vitest";
import { parse } from "yaml";

const base = { name: "red", server: "https://172.29.1.2:30643", authority: "PEM\n" };

test("a kubeconfig with a certificate stands alone", () => {
  const user = { certificate: "CERT", key: "KEY" };
  const read = parse(kubeconfig({ ...base, serverName: "cls-1.berth", namespace: "blue", user }));
  expect(read["current-context"]).toBe("red");
  expect(read.clusters[0].cluster).toEqual({
    server: base.server,
    "tls-server-name": "cls-1.berth",
    "certificate-authority-data": Buffer.from("PEM\n").toString("base64"),
  });
  expect(read.contexts[0].context).toEqual({ cluster: "red", user: "red", namespace: "blue" });
  expect(Buffer.from(String(read.users[0].user["client-key-data"]), "base64").toString()).toBe("KEY");
});

test("a kubeconfig with a token holds that and no more", () => {
  const read = parse(kubeconfig({ ...base, user: { token: "abc" } }));
  expect(read.users[0].user).toEqual({ token: "abc" });
  expect(read.clusters[0].cluster).not.toHaveProperty("tls-server-name");
  expect(read.contexts[0].context).not.toHaveProperty("namespace");
});

test("a kubeconfig with an exec plugin holds no secret and never asks", () => {
  const exec = { command: "/opt/berth", args: ["token", "cls_1"], env: { BERTH_HOME: "https://berth.test" } };
  const read = parse(kubeconfig({ ...base, user: { exec } }));
  expect(read.users[0].user.exec).toEqual({
    apiVersion: "client.authentication.k8s.io/v1",
    command: "/opt/berth",
    args: ["token", "cls_1"],
    env: [{ name: "BERTH_HOME", value: "https://berth.test" }],
    interactiveMode: "Never",
    provideClusterInfo: false,
  });
});
