import type { CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";

interface ServeFlags {
  readonly store: string;
  readonly listen?: string | undefined;
}

const LISTEN = "127.0.0.1:5000";

export function serveCommand(context: Context): CommandModule<object, ServeFlags> {
  return {
    command: "serve",
    describe: "run a registry on this machine that stores its blobs in a folder",
    builder: parser =>
      parser
        .option("store", {
          type: "string",
          demandOption: true,
          requiresArg: true,
          describe: "folder of the registry, created if it is missing",
        })
        .option("listen", {
          type: "string",
          requiresArg: true,
          describe: `HOST:PORT to listen on; port 0 picks a free one (default ${LISTEN})`,
        }),
    handler: async ({ store, listen = LISTEN }) => {
      const { host, port } = parseListen(listen);
      const { serve } = await import("../../index.ts");
      await using registry = await serve({ store, host, port, signal: context.signal });
      printLine(context, registry.url);
      await new Promise<void>(resolve => context.signal.addEventListener("abort", () => resolve(), { once: true }));
    },
  };
}

function parseListen(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:]*):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) {
    throw new UsageError(`Cannot listen on ${quote(text)}: malformed, expected HOST:PORT, such as ${LISTEN}`);
  }
  return { host: (match[1] || "127.0.0.1").replace(/^\[|\]$/g, ""), port };
}
