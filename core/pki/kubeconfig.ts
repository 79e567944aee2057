/** Who the kubeconfig speaks as: a certificate, a bearer token, or a program that fetches a credential. */
export type KubeconfigUser =
  | { certificate: string; key: string }
  | { token: string }
  | { exec: { command: string; args: readonly string[]; env?: Readonly<Record<string, string>> } };

export interface KubeconfigOptions {
  /** Name of its cluster, user and context. */
  name: string;
  /** `https://host:port`. */
  server: string;
  /** PEM; may hold several authorities, as while one is being replaced. */
  authority: string;
  /** The name in the server's certificate, where it is not the host of `server`. */
  serverName?: string;
  user: KubeconfigUser;
  /** The namespace of commands that name none. */
  namespace?: string;
}

/**
 * Writes a kubeconfig of one context, as YAML.
 * Certificates and keys are inside, so the file stands alone; an exec plugin is asked never to talk to the user.
 */
export function kubeconfig(options: KubeconfigOptions): string {
  const { name } = options;
  return yaml({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [
      {
        name,
        cluster: {
          server: options.server,
          ...(options.serverName === undefined ? {} : { "tls-server-name": options.serverName }),
          "certificate-authority-data": base64(options.authority),
        },
      },
    ],
    users: [{ name, user: credential(options.user) }],
    contexts: [
      {
        name,
        context: {
          cluster: name,
          user: name,
          ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
        },
      },
    ],
  });
}

/**
 * The YAML of maps, lists and texts, one field per line. Every text stands in JSON's quotes, which YAML reads the same;
 * a writer of all of YAML would weigh as much as the rest of a function.
 */
function yaml(value: unknown, indent = ""): string {
  const inner = (each: unknown): string =>
    typeof each === "object" && each !== null && Object.keys(each).length > 0
      ? `\n${yaml(each, `${indent}  `)}`
      : ` ${JSON.stringify(each)}\n`;
  if (Array.isArray(value)) {
    return value
      .map((each: unknown) =>
        typeof each === "object" ? `${indent}- ${yaml(each, `${indent}  `).trimStart()}` : `${indent}-${inner(each)}`,
      )
      .join("");
  }
  return Object.entries(value as object)
    .map(([key, each]) => `${indent}${key}:${inner(each)}`)
    .join("");
}

function credential(user: KubeconfigUser): object {
  if ("token" in user) return { token: user.token };
  if ("certificate" in user) {
    return { "client-certificate-data": base64(user.certificate), "client-key-data": base64(user.key) };
  }
  const { command, args, env = {} } = user.exec;
  return {
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      command,
      args,
      env: Object.entries(env).map(([name, value]) => ({ name, value })),
      interactiveMode: "Never",
      provideClusterInfo: false,
    },
  };
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
