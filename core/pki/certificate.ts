// The x509 package resolves its parts through decorators, which need this first.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { webcrypto } from "node:crypto";

/** A certificate and its private key, both PEM; the key is PKCS#8, ECDSA P-256, as all of Kubernetes and etcd read it. */
export interface Pair {
  certificate: string;
  key: string;
}

/** The key that signs ServiceAccount tokens: RSA-2048 in PEM, private as PKCS#8, public as SPKI. */
export interface Signer {
  privateKey: string;
  publicKey: string;
}

export interface AuthorityOptions {
  commonName: string;
  /** How long it is valid from `now`, in whole days. */
  days: number;
  /** ISO 8601 UTC. */
  now: string;
  /** Where the serial number's 16 bytes come from; by default the system. Keys always come from the system. */
  random?: (bytes: number) => Uint8Array;
}

export interface LeafOptions {
  /** The user's name where Kubernetes reads it as one. */
  commonName: string;
  /** The user's groups where Kubernetes reads them as such. */
  organizations?: readonly string[];
  /** Names a server answers to. */
  dns?: readonly string[];
  /** IPv4 or IPv6 addresses a server answers on. */
  ips?: readonly string[];
  /** `both` is what etcd members need: they are each other's server and client. */
  usage: "server" | "client" | "both";
  /** ISO 8601 UTC. */
  now: string;
  /** How long it is valid from `now`; days and minutes are added up, one of them is needed. */
  days?: number;
  minutes?: number;
  random?: (bytes: number) => Uint8Array;
}

const curve = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const minute = 60_000;
const day = 24 * 60 * minute;
/** Clocks of machines differ; without this a new certificate is "not yet valid" on some of them. */
const skew = 5 * minute;

/**
 * Makes a self-signed certificate authority. It is valid from five minutes before `now`.
 * @throws RangeError when `now` is no time or `days` is not positive.
 */
export async function authority(options: AuthorityOptions): Promise<Pair> {
  const { start, end } = span(options.now, options.days * day);
  const keys = await webcrypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(options.random),
    name: [{ CN: [options.commonName] }],
    notBefore: start,
    notAfter: end,
    keys,
    signingAlgorithm: curve,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await pkcs8(keys.privateKey) };
}

/**
 * Makes a key and a certificate for it, signed by `signedBy`. Valid from five minutes before `now`
 * and never longer than its authority.
 * @throws RangeError when `now` is no time, the duration is not positive, or a server has neither name nor address.
 */
export async function leaf(signedBy: Pair, options: LeafOptions): Promise<Pair> {
  const { start, end } = span(options.now, (options.days ?? 0) * day + (options.minutes ?? 0) * minute);
  const names = alternatives(options);
  const issuer = new x509.X509Certificate(signedBy.certificate);
  const [keys, signingKey] = await Promise.all([
    webcrypto.subtle.generateKey(curve, true, ["sign", "verify"]),
    webcrypto.subtle.importKey("pkcs8", der(signedBy.key), curve, false, ["sign"]),
  ]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(options.random),
    subject: [...(options.organizations ?? []).map((name) => ({ O: [name] })), { CN: [options.commonName] }],
    issuer: issuer.subjectName.toJSON(),
    notBefore: start,
    notAfter: end < issuer.notAfter ? end : issuer.notAfter,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: curve,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(purposes[options.usage]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  });
  return { certificate: pem(certificate), key: await pkcs8(keys.privateKey) };
}

/** Makes the key pair for a cluster's ServiceAccount tokens. RSA, as every verifier of RS256 can read them. */
export async function signer(): Promise<Signer> {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const spki = await webcrypto.subtle.exportKey("spki", keys.publicKey);
  return {
    privateKey: await pkcs8(keys.privateKey),
    publicKey: `${x509.PemConverter.encode(spki, "PUBLIC KEY")}\n`,
  };
}

/** The time after which the (first) certificate of `pem` is worth nothing: ISO 8601 UTC. */
export function expiry(pem: string): string {
  return new x509.X509Certificate(pem).notAfter.toISOString();
}

const purposes = {
  server: [x509.ExtendedKeyUsage.serverAuth],
  client: [x509.ExtendedKeyUsage.clientAuth],
  both: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
};

function span(now: string, length: number): { start: Date; end: Date } {
  const at = Date.parse(now);
  if (Number.isNaN(at)) throw new RangeError(`"${now}" is no ISO 8601 time`);
  if (!(length > 0)) throw new RangeError("a certificate needs a positive number of days or minutes");
  return { start: new Date(at - skew), end: new Date(at + length) };
}

function alternatives({ dns = [], ips = [], usage }: LeafOptions): x509.JsonGeneralNames {
  if (usage !== "client" && dns.length + ips.length === 0) {
    throw new RangeError("a server's certificate needs a name or an address");
  }
  return [
    ...[...new Set(dns)].map((value) => ({ type: "dns", value }) as const),
    ...[...new Set(ips)].map((value) => ({ type: "ip", value }) as const),
  ];
}

function serial(random = (bytes: number): Uint8Array => webcrypto.getRandomValues(new Uint8Array(bytes))): string {
  const bytes = Uint8Array.from(random(16));
  // A serial number is a positive integer without a leading zero byte (RFC 5280, 4.1.2.2).
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString("pem")}\n`;

async function pkcs8(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

function der(key: string): ArrayBuffer {
  const [first] = x509.PemConverter.decode(key);
  if (first === undefined) throw new RangeError("the authority's key is no PEM");
  return first;
}
