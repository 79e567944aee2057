// ID tokens that prove nothing, each nearly one that does.
import { createHmac, createPublicKey } from "node:crypto";
import { CompactSign, type CryptoKey, exportSPKI, importJWK } from "jose";
import { type Issuer, type Key, newKey } from "./issuer.ts";

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const part = (token: string, at: number): string => token.split(".")[at] ?? "";

/** @param at the moment of the test, ISO 8601. @param other an issuer of another tenant's, or of nobody's. */
export async function forgeries(
  { token, url, keys }: Issuer,
  other: Issuer,
  at: string,
): Promise<Record<string, string>> {
  const key = keys[0];
  if (key === undefined) throw new Error("the issuer has no key");
  const now = Math.floor(Date.parse(at) / 1000);
  const good = await token(at);
  const [head, body, signature] = [part(good, 0), part(good, 1), part(good, 2)];
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
  const header = { alg: key.alg, kid: key.kid };
  const sign = (headers: object, payload: string, by: Key = key): Promise<string> =>
    new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: by.alg, ...headers }).sign(by.private);
  const mine = await newKey(key.kid);
  const es = await newKey(key.kid, "ES256");
  const spki = await exportSPKI((await importJWK(key.public, "RS256")) as CryptoKey);
  const modulus = Buffer.from(String(key.public.n), "base64url");
  const der = createPublicKey({ key: key.public, format: "jwk" }).export({ type: "spki", format: "der" });
  const mac = (alg: string, secret: string | Buffer, headers: object = header): string => {
    const text = `${encode({ ...headers, alg })}.${body}`;
    return `${text}.${createHmac(`sha${alg.slice(2)}`, secret)
      .update(text)
      .digest("base64url")}`;
  };
  const found: Record<string, string> = {};
  const add = (name: string, text: string): void => {
    if (name in found) throw new Error(`${name} is there already`);
    found[name] = text;
  };

  for (const alg of [
    "none",
    "None",
    "NONE",
    "nOnE",
    "none ",
    "",
    "null",
    "RS256\0",
    "rs256",
    "RS",
    "HS",
    "RS257",
    "ES256K",
    "RSA1_5",
    "dir",
    "ed25519",
  ]) {
    add(`alg ${JSON.stringify(alg)} without a signature`, `${encode({ ...header, alg })}.${body}.`);
    add(`alg ${JSON.stringify(alg)} with the old one`, `${encode({ ...header, alg })}.${body}.${signature}`);
  }
  for (const alg of [null, 0, true, {}, [], ["none"], ["RS256"]])
    add(`alg of another type ${JSON.stringify(alg)}`, `${encode({ ...header, alg })}.${body}.${signature}`);
  add("no alg", `${encode({ kid: key.kid })}.${body}.${signature}`);
  for (const alg of ["HS256", "HS384", "HS512"]) {
    for (const [what, secret] of Object.entries({
      spki,
      trimmed: spki.trim(),
      der,
      modulus,
      jwk: JSON.stringify(key.public),
      empty: "",
      kid: key.kid,
    }))
      add(`${alg} with ${what}`, mac(alg, secret));
  }
  for (const alg of ["PS256", "ES256", "EdDSA", "RS384", "RS512", "ES512"])
    add(`alg swapped for ${alg}`, `${encode({ ...header, alg })}.${body}.${signature}`);
  add("signed by another with our kid", await sign(header, JSON.stringify(claims), mine));
  add("signed by another kind of key with our kid", await sign({ kid: key.kid }, JSON.stringify(claims), es));

  // Keys of the token's own choice.
  const kids = ["", "../../dev/null", "/dev/null", "file:///etc/passwd", "' OR 1=1 --", "1; DROP TABLE keys", "${7*7}"];
  for (const kid of [...kids, `${url}/jwks`, "\0", "x".repeat(600), "one ", "ONE", "__proto__", "constructor"])
    add(`kid ${JSON.stringify(kid.slice(0, 40))}`, await sign({ kid }, JSON.stringify(claims), mine));
  for (const kid of [null, 0, [], {}, [key.kid], true])
    add(`kid of another type ${JSON.stringify(kid)}`, `${encode({ ...header, kid })}.${body}.${signature}`);
  for (const [name, value] of Object.entries({
    jku: `${other.url}/jwks`,
    x5u: `${other.url}/cert`,
    jwk: mine.public,
    x5c: ["MIIB"],
    cty: "JWT",
    zip: "DEF",
    enc: "A256GCM",
  })) {
    // Both by a stranger's key that it brings along, and by the right one: what is not known is refused.
    add(`${name} of a stranger's`, await sign({ ...header, [name]: value }, JSON.stringify(claims), mine));
    add(`${name} of the right key's`, await sign({ ...header, [name]: value }, JSON.stringify(claims)));
  }
  for (const crit of [["exp"], ["b64"], [], ["x"], "exp"])
    add(`crit ${JSON.stringify(crit)}`, `${encode({ ...header, crit, b64: true })}.${body}.${signature}`);
  for (const typ of ["at+jwt", "JWE", "logout+jwt", "dpop+jwt", "secevent+jwt", ""])
    add(`typ ${typ}`, await sign({ ...header, typ }, JSON.stringify(claims)));

  // Claims, signed by the right key.
  const wrong: Record<string, Record<string, unknown>> = {
    aud: {
      list: ["other"],
      none: [],
      text: "other",
      case: "Berth",
      prefix: "berth2",
      blank: " berth",
      number: 7,
      nested: [["berth"]],
      object: { 0: "berth" },
      null: null,
      "a part": "ber",
      star: "*",
    },
    iss: {
      other: other.url,
      slash: `${url}/`,
      upper: url.toUpperCase(),
      path: `${url}/a`,
      query: `${url}?`,
      null: null,
      list: [url],
      blank: `${url} `,
      userinfo: url.replace("//", "//a@"),
      https: url.replace("http:", "https:"),
    },
    sub: { empty: "", null: null, number: 1, list: ["ada"], object: {}, long: "x".repeat(256) },
    azp: { other: "other", empty: "", list: ["berth"], null: null },
    exp: { past: now - 61, now: now - 60, null: null, text: String(now + 300), huge: 1e300, negative: -1, object: {} },
    nbf: { future: now + 61, text: "0", null: null, object: {} },
    iat: { future: now + 61, old: now - 601, null: null, text: String(now), negative: -1 },
    nonce: { unasked: "n", list: ["n"], null: null, number: 0 },
  };
  for (const [name, values] of Object.entries(wrong))
    for (const [what, value] of Object.entries(values))
      add(`${name} ${what}`, await sign(header, JSON.stringify({ ...claims, [name]: value })));
  for (const name of ["iss", "aud", "sub", "exp", "iat"]) {
    const { [name]: _, ...rest } = claims;
    add(`no ${name}`, await sign(header, JSON.stringify(rest)));
  }
  add("several audiences without azp", await sign(header, JSON.stringify({ ...claims, aud: ["berth", "other"] })));
  add(
    "several audiences, azp another's",
    await sign(header, JSON.stringify({ ...claims, aud: ["berth", "o"], azp: "o" })),
  );
  add("21 audiences", await sign(header, JSON.stringify({ ...claims, azp: "berth", aud: Array(21).fill("berth") })));
  add("another issuer's own", await other.token(at));
  add("another issuer's key with our name", await other.token(at, { iss: url }));

  // Forms.
  add("sub said twice", await sign(header, `${JSON.stringify(claims).slice(0, -1)},"sub":"eve"}`));
  add("sub said twice, escaped", await sign(header, `${JSON.stringify(claims).slice(0, -1)},"s\\u0075b":"eve"}`));
  add("a name twice deep down", await sign(header, `${JSON.stringify(claims).slice(0, -1)},"x":[{"a":1,"a":2}]}`));
  add("alg said twice", `${encode(`{"alg":"none","kid":"${key.kid}","alg":"RS256"}`)}.${body}.${signature}`);
  for (const payload of [
    "[]",
    "null",
    "1",
    '"ada"',
    "",
    "{",
    `${JSON.stringify(claims)}x`,
    `\ufeff${JSON.stringify(claims)}`,
  ])
    add(`payload ${JSON.stringify(payload.slice(0, 12))}`, await sign(header, payload));
  add("payload that is no UTF-8", `${head}.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.${signature}`);
  add("huge", await sign(header, JSON.stringify({ ...claims, pad: "x".repeat(9_000) })));
  add(
    "deep",
    await sign(header, `${JSON.stringify(claims).slice(0, -1)},"d":${"[".repeat(2_000)}${"]".repeat(1_999)}}`),
  );
  add("nested", await sign({ ...header, cty: "JWT", typ: "JWT" }, good));
  const last = signature.at(-1) ?? "";
  const shapes: Record<string, string> = {
    "no signature": `${head}.${body}.`,
    "no dots": good.replaceAll(".", ""),
    "two parts": `${head}.${body}`,
    "four parts": `${good}.${signature}`,
    "five parts": `${good}.a.b`,
    "empty header": `.${body}.${signature}`,
    "empty body": `${head}..${signature}`,
    dots: "..",
    "leading blank": ` ${good}`,
    "trailing blank": `${good} `,
    newline: `${good}\n`,
    "a newline inside": `${head}.\n${body}.${signature}`,
    tab: `${head}\t.${body}.${signature}`,
    nul: `${good}\0`,
    padded: `${good}==`,
    "padded header": `${head}=.${body}.${signature}`,
    "another alphabet": `${head}.${body}.${signature.replaceAll("-", "+").replaceAll("_", "/")}`,
    "bits that nobody reads": `${head}.${body}.${signature.slice(0, -1)}${String.fromCharCode(last.charCodeAt(0) + 1)}`,
    garbage: `${good}garbage`,
    cut: good.slice(0, -10),
    "upper case": good.toUpperCase(),
    "lower case": good.toLowerCase(),
    bearer: `Bearer ${good}`,
    quoted: `"${good}"`,
    "another's signature": `${head}.${body}.${part(await token(at, { sub: "eve" }), 2)}`,
    "another's body": `${head}.${encode({ ...claims, sub: "eve" })}.${signature}`,
    "another's header": `${encode({ ...header, x: 1 })}.${body}.${signature}`,
    "zero signature": `${head}.${body}.${Buffer.alloc(256).toString("base64url")}`,
    "one signature": `${head}.${body}.${Buffer.alloc(256, 255).toString("base64url")}`,
    "as JSON": JSON.stringify({ payload: body, protected: head, signature }),
  };
  for (const [what, text] of Object.entries(shapes)) if (text !== good) add(what, text);
  return found;
}
