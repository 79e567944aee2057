// For trying the host by hand: `node local/host/main.ts up|down|erase|volumes`.
import { state } from "../state.ts";
import { down, erase, keepVolumes, up } from "./index.ts";

const began = performance.now();
const say = (line: string): void => console.log(`${((performance.now() - began) / 1000).toFixed(2)} s  ${line}`);
const [verb] = process.argv.slice(2);
if (verb === "up") console.log(await up({}, say));
else if (verb === "down") await down();
else if (verb === "erase") await erase();
else if (verb === "volumes") {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
  await keepVolumes(state(), await up(), stop.signal, say);
} else {
  console.error("up, down, erase or volumes");
  process.exitCode = 2;
}
say(`${verb} done`);
