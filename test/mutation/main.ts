// `node test/mutation/main.ts [SOURCE] [EVERY [TURN]]`: mutants by hand, each told as it is judged.
import { hunt } from "./run.ts";

const [source, every = "1", turn = "0"] = process.argv.slice(2);
const only = source === undefined || source === "all" ? {} : { only: source };
const { made, survivors } = await hunt({ ...only, every: Number(every), turn: Number(turn), tell: console.info });
console.info(`${made} mutants, ${survivors.length} survived`);
process.exitCode = survivors.length === 0 ? 0 : 1;
