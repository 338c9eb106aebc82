import type { CommandModule } from "yargs";
import { UsageError } from "../../../errors.ts";
import { escapeForeign } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { resultJson } from "../../output/result-json.ts";
import { hubOptions, INDEX, type IndexFlags, indexFlags } from "./hub-flags.ts";
import { readNewPassword } from "./new-password.ts";

interface UserFlags extends IndexFlags {
  readonly passwordStdin?: boolean | undefined;
  readonly action?: string | undefined;
  readonly name?: string | undefined;
  readonly host?: string | undefined;
  readonly email?: string | undefined;
}

export function hubUserCommand(context: Context): CommandModule<object, UserFlags> {
  return {
    command: "user <action> <name> [host]",
    describe: "create an account, or change its password or its mail address",
    builder: parser =>
      indexFlags(
        parser
          .positional("action", { type: "string", choices: ["create", "update"], describe: "what to do" })
          .positional("name", { type: "string", describe: "user name" })
          .positional("host", { type: "string", describe: INDEX })
          .option("email", {
            type: "string",
            requiresArg: true,
            describe: "mail address; create needs it, update adds it to the account (default: none is sent)",
          })
          .option("password-stdin", {
            type: "boolean",
            describe: "read the new password from stdin (default: ask on the terminal)",
          })
          .example("$0 hub user create ada v1://hub.lan --email ada@hub.lan --password-stdin < pw", "a new account")
          .example(
            "$0 hub user update ada v1://hub.lan --password-stdin < pw",
            "a new password, as the logged-in user",
          ),
      ),
    handler: async flags => await runUser(flags, context),
  };
}

async function runUser(flags: UserFlags, context: Context): Promise<void> {
  const { name = "", host, email } = flags;
  const { passwordStdin, ...connection } = flags;
  const isNew = flags.action === "create";
  if (isNew && email === undefined) {
    throw new UsageError(`Cannot create user ${escapeForeign(name)}: no --email given, expected one`);
  }
  const { createUser, updateUser } = await import("../../../verbs/v1/hub/hub-users.ts");
  const options = await hubOptions(connection, context);
  // A new address alone is no reason to ask for a password.
  const isAsked = isNew || passwordStdin === true || email === undefined;
  const password = isAsked ? await readNewPassword(name, passwordStdin, context) : undefined;
  const result = isNew
    ? await createUser(name, { ...options, host, email: email ?? "", password: password ?? "" })
    : await updateUser(name, { ...options, host, email, password });
  if (flags.json) return printLine(context, resultJson("hub user", result));
  printLine(context, `${isNew ? "Created" : "Updated"} user ${escapeForeign(name)} at ${result.index}`);
  if (flags.quiet || isNew || password === undefined) return;
  context.stderr.write(`Stored credentials have the old password: run "imgpack hub login ${result.index}"\n`);
}
