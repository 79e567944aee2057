import { connect, type Socket } from "node:net";

/** How long one knock waits before another goes out beside it. */
const knockMs = 200;

/**
 * Whether anything listens at `server`, within `ms`. An address that leads nowhere yet often swallows a knock (a refusal
 * is rate-limited by the kernel that sends it), and TCP itself knocks again only after a second, then after three; so
 * another knock goes out each 200 ms, and the first that is answered tells.
 */
export function reachable(server: string, ms: number): Promise<boolean> {
  const { hostname, port } = new URL(server);
  const address = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || "443") };
  return new Promise((resolve) => {
    const sockets = new Set<Socket>();
    const end = (answer: boolean): void => {
      clearInterval(knocking);
      clearTimeout(bound);
      for (const socket of sockets) socket.destroy();
      resolve(answer);
    };
    const knock = (): void => {
      const socket = connect(address);
      sockets.add(socket);
      socket.once("connect", () => end(true)).once("error", () => end(false));
    };
    const knocking = setInterval(knock, knockMs);
    const bound = setTimeout(() => end(false), ms);
    knock();
  });
}
