// What SST's bundler is told beyond its options: `nodejs.plugins` of sst.config.ts, and test/bench/bundle.ts, take it.
import { readFile } from "node:fs/promises";

const whole = `import { z } from "zod";`;

/**
 * @hono/zod-openapi hands all of zod on, so nothing of zod could be left out: 50 languages, and its own compiler.
 * All it needs of it is the one class that it extends; we take `z` from zod itself.
 */
const slimZod = {
  name: "slim-zod",
  setup(build) {
    build.onLoad({ filter: /@hono[\\/]zod-openapi[\\/]dist[\\/]index\.mjs$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      // Another release may write it otherwise; then somebody should look.
      if (!text.includes(whole)) throw new Error(`${path} takes zod in a way that is not known here`);
      return { contents: text.replace(whole, `import { ZodType } from "zod"; const z = { ZodType };`), loader: "js" };
    });
  },
};

// oxlint-disable-next-line import/no-default-export -- SST takes the file's default.
export default [slimZod];
