import type { CommandModule } from "yargs";
import { AuthError } from "../../../errors.ts";
import type { PingResult } from "../../../index.ts";
import { escapeForeign } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { type RemoteFlags, remoteRun, remoteV1Flags } from "../../flags/remote-flags.ts";
import type { V1Flags } from "../../flags/v1-flags.ts";
import { ReportedError } from "../../output/render-error.ts";
import { resultJson } from "../../output/result-json.ts";

interface PingFlags extends RemoteFlags, V1Flags {
  readonly host?: string | undefined;
}

export function pingCommand(context: Context): CommandModule<object, PingFlags> {
  return {
    command: "ping <host>",
    describe: "check that a registry answers, how to log in, what it supports",
    builder: parser =>
      remoteV1Flags(
        parser
          .positional("host", {
            type: "string",
            describe: "registry [v1://]HOST[:PORT], or a reference to test access with",
          })
          .example("$0 ping registry.lan:5000", "does it answer, and how fast?")
          .example("$0 ping registry.lan:5000/team/app:1.4", "can this image be read?"),
      ),
    handler: async flags => {
      const { options, progress } = await remoteRun(flags, context);
      const { ping } = await import("../../../verbs/query/ping.ts");
      const result = await ping(flags.host ?? "", options).finally(() => progress.end());
      context.log?.result(result);
      const hint = "The registry answers, but it refuses these credentials, or access without credentials.";
      const error = result.refusal === undefined ? undefined : new AuthError(result.refusal, { hint });
      if (flags.json && error !== undefined) throw new ReportedError(error, result);
      if (flags.json) return printLine(context, resultJson("ping", result));
      for (const line of pingLines(result)) printLine(context, line);
      if (error !== undefined) throw error;
    },
  };
}

/** Any of these fields may contain foreign text. */
function* pingLines(result: PingResult): Generator<string> {
  const { url, status, milliseconds, apiVersion, server, auth, realm, service, triedOn, standalone } = result;
  yield `Registry   ${escapeForeign(url)} answered ${status} in ${milliseconds} ms`;
  yield `API        ${escapeForeign(apiVersion ?? "unknown version")}`;
  if (server !== undefined) yield `Server     ${escapeForeign(server)}`;
  const at = [
    realm === undefined ? "" : `realm ${escapeForeign(realm)}`,
    service === undefined ? "" : `service ${escapeForeign(service)}`,
  ];
  yield `Auth       ${[auth, ...at.filter(Boolean)].join(", ")}`;
  const tried = triedOn === undefined ? "" : `  (tested with ${escapeForeign(triedOn)})`;
  yield `Access     ${result.access}${standalone === undefined ? "" : tried}`;
  yield `Catalog    ${result.catalog}`;
  if (standalone !== undefined) {
    yield `Standalone ${standalone}`;
    return;
  }
  yield `HEAD       ${result.head}${tried}`;
  yield `Ranges     ${result.ranges}`;
  yield `Referrers  ${result.referrers}`;
}
