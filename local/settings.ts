// What one stack remembers of home: its ports, its own tenant, where its key and tokens lie.
import { createServer } from "node:net";
import { join } from "node:path";
import * as z from "zod";
import { type ID, idOf, newID } from "#core/id.ts";
import { alive } from "./process.ts";
import { read, type State, save } from "./state.ts";

const Home = z.object({
  homeTenant: idOf("tenant"),
  ports: z.object({ api: z.number(), table: z.number(), queue: z.number() }),
});
export type Home = z.output<typeof Home>;

export const tableName = "berth";
const firstPort = 7400;
const step = 10;

export const paths = (state: State) => ({
  home: join(state.root, "home.json"),
  host: join(state.root, "host.json"),
  key: join(state.root, "seal.key"),
  table: join(state.root, "table"),
  staffToken: join(state.root, "staff-token"),
  token: join(state.root, "token"),
  cli: join(state.root, "cli.json"),
  kubeconfig: (cluster: string) => join(state.root, `${cluster}.kubeconfig`),
});

export const apiURL = ({ ports }: Home): string => `http://127.0.0.1:${ports.api}`;
export const tableURL = ({ ports }: Home): string => `http://127.0.0.1:${ports.table}`;

/** @throws Error when this stack was never started. */
export function home(state: State): Home {
  const text = read(paths(state).home);
  if (text === undefined) throw new Error("this stack has not been started; run `npm start` first");
  return Home.parse(JSON.parse(text));
}

/**
 * The stack's ports and tenant: those it has, or new ones.
 * @param wanted the first of three ports in a row; left out, the remembered ones or the first that are free.
 * @throws Error when a port is taken by somebody else, with how to go on.
 */
export async function settle(state: State, wanted?: number): Promise<Home> {
  const text = read(paths(state).home);
  const known = text === undefined ? undefined : Home.parse(JSON.parse(text));
  const running = alive(state, "home") || alive(state, "table");
  const keep = known !== undefined && (wanted === undefined || wanted === known.ports.api);
  if (keep && running) return known;
  const from = wanted ?? known?.ports.api;
  const ports = from === undefined ? await firstFree() : inARow(from);
  const taken = await takenOf(Object.values(ports));
  if (taken.length > 0) {
    throw new Error(
      `port ${taken.join(" and ")} of 127.0.0.1 is in use by another program; end it, or run: npm start -- --port ${(await firstFree()).api}`,
    );
  }
  const homeTenant: ID<"tenant"> = known?.homeTenant ?? newID(system, "tenant");
  const fresh: Home = { homeTenant, ports };
  save(paths(state).home, `${JSON.stringify(fresh, null, 2)}\n`);
  return fresh;
}

const system = {
  now: () => new Date().toISOString(),
  random: (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)),
};

const inARow = (api: number): Home["ports"] => ({ api, table: api + 1, queue: api + 2 });

async function firstFree(): Promise<Home["ports"]> {
  for (let port = firstPort; port < 32_000; port += step) {
    if ((await takenOf(Object.values(inARow(port)))).length === 0) return inARow(port);
  }
  throw new Error("no three ports in a row are free on 127.0.0.1; give one with --port");
}

async function takenOf(ports: number[]): Promise<number[]> {
  const taken = await Promise.all(ports.map(async (port) => ((await free(port)) ? [] : [port])));
  return taken.flat();
}

const free = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
