import type { CommandModule } from "yargs";
import { AuthError } from "../../../errors.ts";
import type { PingResult } from "../../../index.ts";
import { escapeForeign } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { type RemoteFlags, remoteFlags, remoteOptions } from "../../flags/remote-flags.ts";
import { ReportedError } from "../../output/render-error.ts";

interface PingFlags extends RemoteFlags {
  readonly host?: string | undefined;
}

export function pingCommand(context: Context): CommandModule<object, PingFlags> {
  return {
    command: "ping <host>",
    describe: "ask a registry how it wants to be talked to, and what it supports",
    builder: parser =>
      remoteFlags(
        parser.positional("host", { type: "string", describe: "host[:port], or a reference to try things on" }),
      ),
    handler: async flags => {
      const options = await remoteOptions(flags, context);
      const { ping } = await import("../../../index.ts");
      const result = await ping(flags.host ?? "", options);
      if (flags.json) printLine(context, JSON.stringify(result));
      else for (const line of pingLines(result)) printLine(context, line);
      if (result.refusal === undefined) return;
      const hint = "The registry answers, but it refuses these credentials, or access without credentials.";
      throw new ReportedError(new AuthError(result.refusal, { hint }));
    },
  };
}

/** Everything here may be foreign text. */
function* pingLines(result: PingResult): Generator<string> {
  const { url, status, milliseconds, apiVersion, server, auth, realm, service, triedOn } = result;
  yield `Registry   ${escapeForeign(url)} answered ${status} in ${milliseconds} ms`;
  yield `API        ${escapeForeign(apiVersion ?? "version not told")}`;
  if (server !== undefined) yield `Server     ${escapeForeign(server)}`;
  const at = [
    realm === undefined ? "" : `realm ${escapeForeign(realm)}`,
    service === undefined ? "" : `service ${escapeForeign(service)}`,
  ];
  yield `Auth       ${[auth, ...at.filter(Boolean)].join(", ")}`;
  yield `Access     ${result.access}`;
  yield `Catalog    ${result.catalog}`;
  const tried = triedOn === undefined ? "" : `  (tried on ${escapeForeign(triedOn)})`;
  yield `HEAD       ${result.head}${tried}`;
  yield `Ranges     ${result.ranges}`;
  yield `Referrers  ${result.referrers}`;
  yield `Delete     ${result.delete}: only deleting something tells`;
}
