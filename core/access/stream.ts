import { KubeFault, type Work } from "../context.ts";
import { Fault } from "../error.ts";
import { streamSeconds } from "./ask.ts";

/** How often it is asked whether the caller still may. What was taken is to end within 15 s, with all that is before this. */
const checkSeconds = 5;
/** The router of the cloud ends what is silent for a minute, and not softly; before that we do. */
export const idleSeconds = 50;
/** So often in a row nobody may be able to tell; then it ends, as nothing is known any more. */
const unsureMax = 2;

/**
 * The pieces of a stream for as long as its caller may have them. It ends softly after its time, and when nothing came
 * for long: whoever reads goes on from where it was. It breaks off when the caller may no more.
 * @param still throws when it may no more, and whatever kept it from telling; what is `unavailable` is no answer yet.
 * @param stop ends the request that it comes from.
 */
export async function* bounded(
  ctx: Pick<Work, "sleep" | "now">,
  body: AsyncIterable<Uint8Array>,
  { still, stop }: { still: () => Promise<void>; stop: AbortController },
): AsyncGenerator<Uint8Array, void> {
  const now = (): number => Date.parse(ctx.now()) / 1_000;
  const begun = now();
  let [heard, unsure] = [begun, 0];
  const pieces = body[Symbol.asyncIterator]();
  const tick = async (): Promise<"tick"> => ctx.sleep(checkSeconds * 1_000, stop.signal).then(() => "tick" as const);
  let ticking = tick();
  let next = quiet(pieces.next());
  try {
    for (;;) {
      // The check is first: what comes at the same moment is not handed out before it.
      const met = await Promise.race([ticking, next]);
      if (met === "tick") {
        if (stop.signal.aborted || now() - begun >= streamSeconds || now() - heard >= idleSeconds) return;
        unsure = (await sure(still)) ? 0 : unsure + 1;
        if (unsure > unsureMax) throw new Fault("unavailable", "Nobody can tell whether you still may.");
        ticking = tick();
        continue;
      }
      if (met.done === true) return;
      heard = now();
      yield met.value;
      next = quiet(pieces.next());
    }
  } finally {
    stop.abort();
  }
}

/** Heard of where it is awaited; the stream may have ended before that. */
function quiet<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

/** @throws whatever says that the caller may no more. */
async function sure(still: () => Promise<void>): Promise<boolean> {
  try {
    await still();
    return true;
  } catch (error) {
    const away = error instanceof KubeFault && ["unavailable", "throttled"].includes(error.kind);
    if (away || (error instanceof Fault && error.kind === "unavailable")) return false;
    throw error;
  }
}
