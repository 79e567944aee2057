import { createPublicKey } from "node:crypto";
import { request } from "node:https";
import { createLocalJWKSet, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { type Authorities, publicKeyOf } from "#core/cluster/keys.ts";
import type { Target } from "#core/context.ts";
import { openKube } from "#core/kube/index.ts";
import { startApiserver } from "./apiserver.ts";

const ask = (target: Target, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { user, authority, serverName } = target;
    if (!("certificate" in user)) throw new Error("a certificate is needed");
    const options = {
      ca: authority,
      cert: user.certificate,
      key: user.key,
      ...(serverName && { servername: serverName }),
    };
    const call = request(target.server + path, options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      answer.once("end", () => resolve(text));
    });
    call.once("error", reject).end();
  });

test("the key that home tells is the one a real API server tells, name and all, and verifies what it signs", async () => {
  const running = await startApiserver();
  try {
    const { keys } = JSON.parse(await ask(running.admin, "/openid/v1/jwks")) as { keys: object[] };
    const [told] = keys;
    const publicKey = createPublicKey({ key: told as never, format: "jwk" }).export({ type: "spki", format: "pem" });
    const ours = publicKeyOf({ signer: { publicKey, privateKey: "" } } as unknown as Authorities);
    expect(ours).toEqual(told);
    const kube = openKube(running.admin);
    await kube.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "ada", namespace: "default" } });
    const { token } = await kube.token({ name: "ada", namespace: "default" }, { seconds: 600, audiences: ["sts"] });
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [ours] }), { audience: "sts" });
    expect(payload.sub).toBe("system:serviceaccount:default:ada");
  } finally {
    await running.stop();
  }
});
