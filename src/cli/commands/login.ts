import type { CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import { escapeForeign } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import {
  type ConnectionFlags,
  connectionFlags,
  connectionOptions,
  type OutputFlags,
  outputFlags,
  readSecret,
} from "../flags/options.ts";

interface LoginFlags extends ConnectionFlags, OutputFlags {
  readonly host?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
}

export function loginCommand(context: Context): CommandModule<object, LoginFlags> {
  return {
    command: "login <host>",
    describe: "log in to a registry, and keep that where docker does",
    builder: parser =>
      outputFlags(
        connectionFlags(
          parser
            .positional("host", { type: "string", describe: "registry host[:port], docker.io for Docker Hub" })
            .option("username", { alias: "u", type: "string", requiresArg: true, describe: "user of the registry" })
            .option("password-stdin", { type: "boolean", describe: "read the password from stdin" }),
        ),
      ),
    handler: async flags => {
      const host = flags.host ?? "";
      const options = await connectionOptions(flags);
      const { username, password } = await readLogin(host, flags, context);
      const { login } = await import("../../index.ts");
      const result = await login(host, { ...options, username, password, signal: context.signal });
      if (flags.json) return printLine(context, JSON.stringify(result));
      const note = (text: string): void => {
        if (!flags.quiet) context.stderr.write(`${escapeForeign(text, 1000)}\n`);
      };
      if (!result.isChecked) note(`${host} lets everybody in: nobody checked this password`);
      if (result.helper === undefined) {
        note(`The password stands unencrypted in ${result.file}; a credential helper (credsStore) would keep it safer`);
      }
      if (result.shadowedBy !== undefined) {
        note(`Other credentials for ${host} in ${result.shadowedBy} are found first: remove them there`);
      }
      printLine(context, `Logged in to ${host} as ${escapeForeign(username, 1000)}`);
    },
  };
}

async function readLogin(
  host: string,
  flags: LoginFlags,
  context: Context,
): Promise<{ readonly username: string; readonly password: string }> {
  const { stdin } = process;
  const isTerminal = stdin.isTTY === true;
  if (flags.passwordStdin && flags.username === undefined) {
    throw new UsageError("Cannot log in: no user name given, expected --username with --password-stdin");
  }
  if (flags.passwordStdin) return { username: flags.username ?? "", password: await readSecret("password") };
  if (!isTerminal) {
    throw new UsageError("Cannot log in: no terminal to ask at, expected --username and --password-stdin");
  }
  const { askLine, askSecret } = await import("../prompt.ts");
  const terminal = { input: stdin, output: context.stderr, signal: context.signal };
  const name = escapeForeign(host, 300);
  const username = flags.username ?? (await askLine(`User name for ${name}: `, terminal));
  return { username, password: await askSecret(`Password for ${name}: `, terminal) };
}
