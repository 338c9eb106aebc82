import type { Argv, CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import type { LoginResult } from "../../index.ts";
import { escapeForeign } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { type ConnectionFlags, connectionFlags, tlsFromFlags } from "../flags/connection-flags.ts";
import { type OutputFlags, outputFlags } from "../flags/output-flags.ts";
import { readSecret } from "../flags/registry-flags.ts";
import { MAX_NOTE } from "../output/note-text.ts";
import { resultJson } from "../output/result-json.ts";

interface LoginFlags extends ConnectionFlags, OutputFlags {
  readonly host?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
}

export function loginCommand(context: Context): CommandModule<object, LoginFlags> {
  return {
    command: "login <host>",
    describe: "log in to a registry and store the credentials where docker does",
    builder: parser =>
      outputFlags(
        connectionFlags(
          loginFlags(parser)
            .positional("host", { type: "string", describe: "registry HOST[:PORT], docker.io for Docker Hub" })
            .example("$0 login registry.lan:5000", "asks for user name and password")
            .example("$0 login registry.lan:5000 -u ci --password-stdin < password.txt", "in a script"),
        ),
      ),
    handler: async flags => await runLogin(flags, context),
  };
}

/** Who logs in. */
export function loginFlags<T>(parser: Argv<T>): Argv<T & Pick<LoginFlags, "username" | "passwordStdin">> {
  return parser
    .option("username", {
      alias: "u",
      type: "string",
      requiresArg: true,
      describe: "user name (default: ask on the terminal)",
    })
    .option("password-stdin", {
      type: "boolean",
      describe: "read the password from stdin (default: ask on the terminal)",
    });
}

async function runLogin(flags: LoginFlags, context: Context): Promise<void> {
  const host = flags.host ?? "";
  const tls = await tlsFromFlags(flags, context.signal);
  const { username, password } = await readLogin(host, flags, context);
  const { login } = await import("../../verbs/login.ts");
  const result = await login(host, { username, password, tls, signal: context.signal });
  reportLogin(host, result, flags, context);
}

/** Prints the result of a login, and what a person should know about it. @param host as the messages name it */
export function reportLogin(host: string, result: LoginResult, { json, quiet }: OutputFlags, context: Context): void {
  if (json) {
    printLine(context, resultJson("login", result));
    return;
  }
  for (const text of quiet === true ? [] : loginNotes(host, result)) {
    context.stderr.write(`${escapeForeign(text, MAX_NOTE)}\n`);
  }
  printLine(context, `Logged in to ${host} as ${escapeForeign(result.username, MAX_NOTE)}`);
}

function* loginNotes(host: string, { isChecked, helper, file, shadowedBy }: LoginResult): Generator<string> {
  if (!isChecked)
    yield `Warning: ${host} answers without a login, so nothing has checked the password that is stored now`;
  if (helper === undefined) {
    yield `The password is stored unencrypted in ${file}; a credential helper (credsStore) would store it more safely`;
  }
  if (shadowedBy !== undefined) {
    yield `Other credentials for ${host} in ${shadowedBy} take precedence: remove them there`;
  }
}

/** User name and password: of the flags and stdin, or typed on the terminal. @throws UsageError */
export async function readLogin(
  host: string,
  flags: Pick<LoginFlags, "username" | "passwordStdin">,
  context: Context,
): Promise<{ readonly username: string; readonly password: string }> {
  if (flags.passwordStdin && flags.username === undefined) {
    throw new UsageError("Cannot log in: no user name given, expected --username with --password-stdin");
  }
  if (flags.passwordStdin)
    return { username: flags.username ?? "", password: await readSecret("password", context.signal) };
  const { stdin } = process;
  if (stdin.isTTY !== true) {
    throw new UsageError("Cannot log in: no terminal to ask on, expected --username and --password-stdin");
  }
  const { askLine, askSecret } = await import("../prompt.ts");
  const terminal = { input: stdin, output: context.stderr, signal: context.signal };
  const name = escapeForeign(host, 300);
  const username = flags.username ?? (await askLine(`User name for ${name}: `, terminal));
  return { username, password: await askSecret(`Password for ${name}: `, terminal) };
}
